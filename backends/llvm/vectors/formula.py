"""An expression over the variables of a space, and the accesses to what it reads.

What it reads may hang over its buffer, where a load gives padding. Inside a box that lies within
the buffer the loads need no condition, so a nest over such a box is as fast as any.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import Box, Space, clipped, limited
from tilelang.backends.llvm.vectors.elements import element_access
from tilelang.backends.llvm.vectors.expressions import Leaves, evaluate
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Value
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.expression import Expr, Load, walk_expr
from tilelang.ir.index import Index
from tilelang.ir.region import Region

Sources: TypeAlias = Mapping[Load, Access]
"""What each load of an expression accesses, in some box."""


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression whose elements are numbered by the variables of `space`.

    A flat one numbers the elements of plain arrays of one size as they lie.
    """

    frame: Frame
    space: Space
    expr: Expr
    is_flat: bool = False

    def interior(self, box: Box) -> Box:
        """Return the part of `box` in which every element that is read lies in its buffer."""
        for load in self._loads():
            limits = clipped(self.frame, load.region)
            for place, axis in self._axes(load.region):
                low = _tighter(self.frame, box.low[axis], limits.low[place], ix.maximum)
                high = _tighter(self.frame, box.high[axis], limits.high[place], ix.minimum)
                box = limited(box, axis, low, high)
        return box

    def sources(self, box: Box) -> Sources:
        """Return the accesses of a nest over `box`."""
        return {load: self._access(load, box) for load in self._loads()}

    def value(self, point: Point, sources: Sources) -> Value:
        """Write the evaluation at `point` and return its result."""
        leaves = Leaves(
            load=lambda load: point.load(sources[load]),
            index=self.frame.value,
            position=lambda axis: point.position(self.space.indices[axis]),
        )
        return evaluate(point.lanes, leaves, self.expr)

    def _loads(self) -> Iterator[Load]:
        parts = (part for part in walk_expr(self.expr) if isinstance(part, Load))
        yield from dict.fromkeys(parts)

    def _access(self, load: Load, box: Box) -> Access:
        """Return the access to a region broadcast to the space, as numpy does it."""
        if self.is_flat:
            return flat_access(self.frame, load.region, self.space)
        indices = _indices(self.space, load.region)
        access = element_access(self.frame, load.region, indices)
        inside = self._inside(load.region, indices, box)
        return replace(access, exists=cond.conjunction(access.exists, inside), pad=load.pad)

    def _inside(self, region: Region, indices: list[Index], box: Box) -> Condition:
        """Return where the region lies in its buffer, without what `box` says already."""
        limits = clipped(self.frame, region)
        parts = [limits.condition]
        for place, index in enumerate(indices):
            parts += [
                cond.less_equal(limits.low[place], index),
                cond.less(index, limits.high[place]),
            ]
        for place, axis in self._axes(region):
            low, high = box.low[axis], box.high[axis]
            if _tighter(self.frame, low, limits.low[place], ix.maximum) == low:
                parts[1 + 2 * place] = cond.TRUE
            if _tighter(self.frame, high, limits.high[place], ix.minimum) == high:
                parts[2 + 2 * place] = cond.TRUE
        return cond.conjunction(*parts)

    def _axes(self, region: Region) -> Iterator[tuple[int, int]]:
        """Yield (axis of the region, axis of the space) where both have one extent."""
        first = len(self.space.shape) - len(region.shape)
        for place, extent in enumerate(region.shape):
            if self.space.shape[first + place] == extent:
                yield place, first + place


def flat_access(frame: Frame, region: Region, space: Space) -> Access:
    """Return the access to a whole plain array, over a space of one axis."""
    return Access(frame.places[region.buffer.name], region.buffer.dtype, space.indices[0])


def _indices(space: Space, region: Region) -> list[Index]:
    own = space.indices[len(space.indices) - len(region.shape) :] if region.shape else ()
    return [
        ix.ZERO if extent == 1 else index for extent, index in zip(region.shape, own, strict=True)
    ]


def _tighter(frame: Frame, own: Index, other: Index, extreme: Callable[..., Index]) -> Index:
    """Return the tighter of two limits: `own` itself where `other` says no more."""
    both = frame.simplified(extreme(own, other))
    return own if both == frame.simplified(own) else both
