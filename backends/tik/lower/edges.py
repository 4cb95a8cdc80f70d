"""Which part of a region lies inside its tensor: the few cases that its start can be in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilelang.backends.tik.lower.refusals import ManyEdges, refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.region import Region, view_shape

MAX_CASES = 12
"""Different edge tiles of one move that are written out."""
_MAX_VALUES = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """Where `condition` holds, positions `first` .. `last` - 1 of an axis lie in the tensor."""

    condition: Condition
    first: int
    last: int

    @property
    def n_inside(self) -> int:
        """How many positions lie in the tensor."""
        return max(self.last - self.first, 0)


@dataclass(frozen=True, slots=True)
class Edge:
    """The cases of one axis of a region; the last one holds where the others do not."""

    extent: int
    cases: tuple[Case, ...]

    @property
    def is_inside(self) -> bool:
        """Whether every position always lies in the tensor."""
        case = self.cases[0]
        return len(self.cases) == 1 and (case.first, case.last) == (0, self.extent)


def edges(region: Region, writer: Writer) -> list[Edge]:
    """Return the edge of every axis of `region`, single elements too.

    Raises:
        TileError: E1232 if an axis has too many cases.
    """
    sizes = view_shape(region.buffer, region.view)
    axes = zip(region.start, region.step, region.extent, sizes, strict=True)
    return [
        axis_edge(region, writer, start, (step, 1 if extent is None else extent, size))
        for start, step, extent, size in axes
    ]


def axis_edge(region: Region, writer: Writer, start: Index, numbers: tuple[int, int, int]) -> Edge:
    """Return the edge of one axis of `region`: `numbers` are its step, extent, and tensor's size.

    Raises:
        TileError: E1232 if it has too many cases.
    """
    step, extent, size = numbers
    last = (extent - 1) * step
    low, high = writer.bounds(start)
    if low >= 0 and high + last < size:
        return Edge(extent, (Case(cond.TRUE, 0, extent),))
    found: dict[tuple[int, int], list[int]] = {}
    for value in _values(start, writer):
        inside = _inside(value, step, extent, size)
        found.setdefault(inside, []).append(value)
    if len(found) > MAX_CASES:
        raise _too_many(region, writer, len(found))
    whole = found.pop((0, extent), None)
    cases = [Case(_at(start, values), *inside) for inside, values in found.items()]
    cases.sort(key=lambda case: -case.n_inside)  # nothing inside is what is left, without a test
    if whole is not None:
        fits = ix.constant(size - 1 - last)
        condition = cond.conjunction(
            cond.less_equal(ix.ZERO, start) if low < 0 else cond.TRUE,
            cond.less_equal(start, fits) if high + last >= size else cond.TRUE,
        )
        cases.insert(0, Case(condition, 0, extent))
    return Edge(extent, tuple(cases))


def _inside(value: int, step: int, extent: int, size: int) -> tuple[int, int]:
    first = max(0, -(value // step) if value < 0 else 0)
    last = min(extent, (size - 1 - value) // step + 1)
    return (first, last) if first < last else (0, 0)


def _at(start: Index, values: Sequence[int]) -> Condition:
    """Return the condition that `start` is one of `values`."""
    if len(values) > 1 and len(values) > MAX_CASES:
        return cond.conjunction(
            cond.less_equal(ix.constant(min(values)), start),
            cond.less_equal(start, ix.constant(max(values))),
        )
    return cond.disjunction(*(cond.equal(start, ix.constant(value)) for value in values))


def _values(start: Index, writer: Writer) -> list[int]:
    """Return every value that `start` takes while its variables go through their ranges."""
    ranges = writer.variables(start)
    counts = [high - low + 1 for low, high in ranges.values()]
    if not ranges or np.prod(counts) > _MAX_VALUES:
        low, high = writer.bounds(start)
        return list(range(low, min(high + 1, low + _MAX_VALUES)))
    grids = np.meshgrid(*(np.arange(low, high + 1) for low, high in ranges.values()), sparse=True)
    values = ix.evaluate(start, dict(zip(ranges, grids, strict=True)))
    return [int(value) for value in np.unique(np.asarray(values))]


def _too_many(region: Region, writer: Writer, n_cases: int) -> ManyEdges:
    refused = refusal(
        "E1232",
        f"tiles of `{region.buffer.name}` end in {n_cases} different ways at the tensor's edge; at "
        f"most {MAX_CASES} are written out",
        writer.loc,
        "make the tile size divide the size of the tensor, or pad the tensor",
        region.buffer,
    )
    return ManyEdges(region.buffer.name, refused)
