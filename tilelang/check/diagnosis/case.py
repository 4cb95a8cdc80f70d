"""A wrong result, with all that is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tilelang.check.compare import Comparison
from tilelang.check.families import Family
from tilelang.ir.nodes import Move, Program
from tilelang.ir.region import Buffer, Permute, Region
from tilelang.ir.walk import walk_program
from tilelang.numerics import Numerics

Array = NDArray[Any]


class Trial(Protocol):
    """A backend that can run the program again, and others."""

    @property
    def numerics(self) -> Numerics:
        """What the backend promises about its floats."""
        ...

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the logical results on logical inputs."""
        ...

    def compile(self, program: Program) -> Trial:
        """Return the same backend with another program.

        Raises:
            TileError: if it cannot express that one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """Result `number` of `program` is wrong on the inputs of `family`.

    `trial` is the backend that made it; None where the program itself is what differs from the
    reference, which is then what was found.
    """

    program: Program
    family: Family
    number: int
    comparison: Comparison
    trial: Trial | None

    @property
    def result(self) -> Buffer:
        """The wrong result."""
        return self.program.results[self.number]

    @property
    def tile(self) -> tuple[int, ...]:
        """What one store writes, along each axis of the result; 0 where that is not known."""
        moves = [stmt for stmt in walk_program(self.program) if isinstance(stmt, Move)]
        stores = [move.dst for move in moves if move.dst.buffer == self.result]
        boxes = [box for box in map(_box, stores) if box is not None]
        if not boxes:
            return (0,) * self.result.rank
        return max(boxes, key=lambda box: int(np.prod(box)))

    def is_explained_by(self, low: Array, high: Array) -> bool:
        """Return whether every wrong element lies between these ends, and no right one does not.

        Where both ends are NaN, that is not known.
        """
        found = self.comparison.found
        unknown = np.isnan(low) & np.isnan(high)
        inside = ((low <= found) & (found <= high)) | unknown
        judged = self.comparison.wrong & ~unknown
        says_nothing = (low == -np.inf) & (high == np.inf)
        return bool(judged.any() and inside.all() and not (says_nothing & judged).any())


def _box(region: Region) -> tuple[int, ...] | None:
    view = region.view
    if not isinstance(view, Permute) or any(len(group) != 1 for group in view.groups):
        return None
    extents = dict(zip((axis for (axis,) in view.groups), region.extent, strict=True))
    return tuple(extents[axis] or 1 for axis in range(len(extents)))


def as_matrix(array: Array) -> Array:
    """Return an array of any rank as a matrix: the last axis is its columns."""
    if array.ndim == 0:
        return array.reshape(1, 1)
    return array.reshape(-1, array.shape[-1]) if array.shape[-1] else array.reshape(0, 0)


def number(value: float) -> str:
    """Return a number, short but not rounded away."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.9g}"


def brackets(index: Sequence[int]) -> str:
    """Return an index as users write it: [3, 5]."""
    return f"[{', '.join(map(str, index))}]"
