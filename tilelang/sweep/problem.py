"""What is swept: one kernel at one problem size, on one backend and machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tilelang.arguments import describe
from tilelang.backend import Backend, find_backend
from tilelang.binding import bind
from tilelang.diagnostics import callsite
from tilelang.dtypes import DType, DTypeLike
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.machines import Machine, find_machine
from tilelang.parameters import read_dtypes
from tilelang.sweep.space import Tiles


@dataclass(frozen=True, slots=True)
class Problem:
    """A kernel with everything but its swept tile parameters; `fixed` are the others given."""

    kernel: Kernel
    dims: dict[str, int]
    dtypes: dict[str, DType]
    attributes: dict[str, float]
    fixed: dict[str, int]
    options: dict[str, Any]
    backend: Backend
    machine: Machine

    def program(self, tiles: Tiles) -> Program:
        """Return the verified program for `tiles`.

        Raises:
            TileError: for tiles that are not legal.
        """
        return self.kernel.program(
            dtype=self.dtypes,
            machine=self.machine.name,
            **self.dims,
            **self.attributes,
            **self.fixed,
            **tiles,
        )

    def shrunk(self, factor: int, least: int) -> "Problem":
        """Return the problem with each size divided by `factor`, but not below `least`."""
        dims = {name: min(size, max(-(-size // factor), least)) for name, size in self.dims.items()}
        return replace(self, dims=dims)

    @property
    def settings(self) -> dict[str, float]:
        """The attributes that do not have their default."""
        defaults = self.kernel.attributes
        return {
            name: value
            for name, value in self.attributes.items()
            if repr(value) != repr(defaults[name])  # 0.0 and -0.0 are equal
        }

    @property
    def sizes(self) -> str:
        """Dimensions, settings, fixed tiles, options and dtypes as a title says them."""
        settings = {**self.dims, **self.settings, **self.fixed, **self.options}
        named = [f"{name}={value}" for name, value in settings.items()]
        return ", ".join([*named, *map(str, dict.fromkeys(self.dtypes.values()))])


def read_problem(
    kernel: Kernel,
    place: tuple[str, str | None],
    *,
    dtype: DTypeLike | Mapping[str, DTypeLike] | None,
    keywords: Mapping[str, Any],
) -> Problem:
    """Return the problem that sizes, attributes, arrays, tiles and options of a call give.

    `place` is the backend and the machine, None for the backend's own.

    Raises:
        TileError: for sizes, dtypes or attributes that do not fit the signature.
    """
    location = callsite.location(None)
    found = find_backend(place[0])
    target = find_machine(place[1] or found.machine)
    given = dict(keywords)
    arrays = {
        name: describe(name, array, location)
        for name, array in _take(given, kernel.input_names).items()
    }
    fixed = _take(given, kernel.tile_parameters)
    options = _take(given, found.options - set(kernel.tile_parameters))
    asked = _take(given, kernel.attributes)
    binding = bind(
        kernel.signature,
        arrays,
        attributes=kernel.parameters.complete_attributes(asked, location),
        dims=given,
        dtypes=read_dtypes(kernel.signature, dtype, location),
        location=location,
    )
    dims, dtypes, attributes = dict(binding.dims), dict(binding.dtypes), dict(binding.attributes)
    return Problem(kernel, dims, dtypes, attributes, fixed, options, found, target)


def _take(given: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: given.pop(name) for name in names if name in given}
