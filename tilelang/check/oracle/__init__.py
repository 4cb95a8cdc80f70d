"""The oracle: a program run in float64, together with how far a correct backend may be from it.

`formats.py` and `rounding.py` say how numbers round, `planes.py` how a number carries its bound,
`elementwise.py` and `sums.py` what operations make of it, `regions.py` where elements lie, and
`execution.py` what statements do. No code is shared with any backend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.check.oracle.execution import State, Visit, run
from tilelang.check.oracle.planes import HIGH, LOW, VALUE, Planes, exactly
from tilelang.check.oracle.rounding import FLOAT64, Rounding, device
from tilelang.check.oracle.schedule import count_writes, store_early
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.numerics import Numerics

__all__ = ["Enclosure", "enclose", "wide"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A result: `value` in float64 (integers in int64), and the ends of what is correct."""

    value: Array
    low: Array
    high: Array

    @property
    def is_unbounded(self) -> NDArray[np.bool_]:
        """Which elements may be anything: a pole, an overflow, or a number nobody wrote."""
        if self.value.dtype.kind != "f":
            return np.zeros(self.value.shape, np.bool_)
        return (self.low == -np.inf) & (self.high == np.inf)


def enclose(
    program: Program,
    inputs: Sequence[Array],
    numerics: Numerics | None,
    *,
    found: Sequence[Array] | None = None,
    is_random: bool = False,
    visit: Visit | None = None,
) -> list[Enclosure]:
    """Return what the results of `program` are in float64, and between which ends they may lie.

    Args:
        program: verified; lowered or not.
        inputs: logical arrays, in any type that holds their numbers.
        numerics: the backend's; None for a program that computes in float64 throughout.
        found: the logical results of that backend. Where the program goes on with a number that it
            also stores, the bound starts again from the stored one.
        is_random: whether rounding errors may be taken as independent; not so for constants and
            other regular data.
        visit: called before every statement with the loop variables; False leaves it out.
    """
    rounding = FLOAT64 if numerics is None else device(numerics, is_random=is_random)
    state = State(rounding, {}, {}, visit)
    if found is not None:
        state.found = dict(zip(_names(program.results), map(wide, found), strict=True))
        state.once = {name: n == 1 for name, n in count_writes(program).items()}
    state.tiles.update(_load(program, inputs, rounding))
    run(store_early(program), state)
    return [Enclosure(*state.enclosures[name]) for name in _names(program.results)]


def wide(array: Array) -> Array:
    """Return numbers in float64, or integers in int64."""
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)


def _names(buffers: Sequence[Buffer]) -> list[str]:
    return [buffer.name for buffer in buffers]


def _load(program: Program, inputs: Sequence[Array], rounding: Rounding) -> Mapping[str, Planes]:
    loaded: dict[str, Planes] = {}
    for buffer, array in zip(program.inputs, inputs, strict=True):
        planes = exactly(wide(array), buffer.dtype)
        if buffer.dtype.is_float:
            ends = rounding.loaded((planes[LOW], planes[HIGH]), buffer.dtype)
            if ends[0] is not planes[LOW] and not np.array_equal(ends[0], ends[1], equal_nan=True):
                planes = np.stack([planes[VALUE], *ends])
        loaded[buffer.name] = planes
    return loaded
