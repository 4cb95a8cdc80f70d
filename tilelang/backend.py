"""What a backend is, and how one is found.

`tilelang` knows this protocol and no backend: backends are entry points of the group
`tilelang.backends`, so a third party can add one.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.ir.nodes import Program
from tilelang.machines import Machine

GROUP = "tilelang.backends"


class Executable(Protocol):
    """A compiled program."""

    @property
    def source(self) -> str:
        """The generated text: TIK, Triton, LLVM IR; of numpy, the program itself."""
        ...

    def __call__(self, *arrays: Any) -> None:
        """Run on the physical arrays of every input, then of every result, which it fills."""
        ...


class Backend(Protocol):
    """Turns programs into something that runs, or into text."""

    @property
    def name(self) -> str:
        """The name users write."""
        ...

    @property
    def machine(self) -> str:
        """The machine that programs are verified for unless the user names one."""
        ...

    @property
    def options(self) -> frozenset[str]:
        """The keywords that `compile` takes beside a kernel's own."""
        ...

    @property
    def runs_here(self) -> str | None:
        """None if executables run on this computer, else why not, as a sentence."""
        ...

    def compile(self, program: Program, machine: Machine, **options: object) -> Executable:
        """Return `program` compiled for `machine`.

        `program` is verified but not lowered: a backend calls `tilelang.passes.lower` itself.
        `options` are the backend's own (`strict=False`, `n_threads=2`).

        Raises:
            TileError: for what the backend cannot express, before anything runs.
        """
        ...


def backend_names() -> list[str]:
    """Return the names of the installed backends, sorted."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find_backend(name: str) -> Backend:
    """Return the backend called `name`.

    Raises:
        TileError: E0602 if there is none; E0604 if a package that it needs is missing.
    """
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if not points:
        raise TileError(_unknown_backend(name, backend_names()))
    return _load(points[0])


def _unknown_backend(name: str, names: Sequence[str]) -> Diagnostic:
    close = get_close_matches(str(name), names, n=1)
    hint = f"write backend={close[0]!r}" if close else f"use one of: {', '.join(names)}"
    return Diagnostic("E0602", f"there is no backend {name!r}", callsite.location(None), hint)


def _load(point: EntryPoint) -> Backend:
    try:
        return point.load()
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("tilelang"):
            raise
        raise TileError(
            Diagnostic(
                "E0604",
                f"backend {point.name!r} needs {missing.name!r}, which is not installed",
                callsite.location(None),
                f"run: pip install 'tilelang-tik[{point.name}]'",
            )
        ) from missing
