"""What a cycle model is to a sweep: a backend that says how long a program takes without a chip."""

from typing import Protocol, runtime_checkable

from tilelang.backend import Backend
from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.ir.nodes import Program
from tilelang.machines import Machine


class Cycles(Protocol):
    """What a cycle model found out about one program."""

    @property
    def total(self) -> float:
        """Cycles from the launch of the kernel to the end of its last core."""
        ...


@runtime_checkable
class CycleModel(Protocol):
    """A backend with a cycle model: it has this method beside those of `Backend`."""

    def cycles(self, program: Program, machine: Machine) -> Cycles:
        """Return how long `program`, verified but not lowered, takes on `machine`.

        Raises:
            TileError: for what the backend cannot express.
        """
        ...


def find_model(backend: Backend) -> CycleModel:
    """Return the cycle model of `backend`.

    Raises:
        TileError: E0904 if it has none.
    """
    if isinstance(backend, CycleModel):
        return backend
    raise TileError(
        Diagnostic(
            "E0904",
            f"the metric is cycles, and backend {backend.name!r} has no cycle model",
            callsite.location(None),
            'use backend "tik", or the metric "time" where the backend runs on this computer',
        )
    )
