"""What a nest of loops runs over: boxes of the elements of a region.

The limits of a box may be known at run time only: that is how the edge tiles of a tensor are
clipped.
"""

from dataclasses import dataclass

from tilelang.backends.llvm.frame import Frame
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.region import Region, view_shape


@dataclass(frozen=True, slots=True)
class Box:
    """The elements `low[axis] <= i[axis] < high[axis]`, none unless `condition` holds."""

    low: tuple[Index, ...]
    high: tuple[Index, ...]
    condition: Condition = cond.TRUE

    def within(self, other: "Box") -> "Box":
        """Return the elements that are in both."""
        return Box(
            tuple(ix.maximum(*pair) for pair in zip(self.low, other.low, strict=True)),
            tuple(ix.minimum(*pair) for pair in zip(self.high, other.high, strict=True)),
            cond.conjunction(self.condition, other.condition),
        )


@dataclass(frozen=True, slots=True)
class Space:
    """The iteration space of a statement: a variable for each axis of its shape."""

    names: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def indices(self) -> tuple[Index, ...]:
        """The variables, as indices."""
        return tuple(ix.variable(name) for name in self.names)

    @property
    def box(self) -> Box:
        """All of the space."""
        return Box(
            tuple(ix.ZERO for _ in self.shape), tuple(ix.constant(size) for size in self.shape)
        )


def open_space(frame: Frame, shape: tuple[int, ...]) -> Space:
    """Return new variables for the axes of `shape`, known to the frame by their ranges.

    The space of a single element has one axis all the same.
    """
    shape = shape or (1,)
    names = tuple(frame.fresh() for _ in shape)
    for name, size in zip(names, shape, strict=True):
        frame.ranges[name] = (0, max(size - 1, 0))
    return Space(names, shape)


def clipped(frame: Frame, region: Region) -> Box:
    """Return which elements of `region` its buffer has, seen through the region's view."""
    low: list[Index] = []
    high: list[Index] = []
    conditions: list[Condition] = []
    sizes = view_shape(region.buffer, region.view)
    for start, step, extent, size in zip(
        region.start, region.step, region.extent, sizes, strict=True
    ):
        if extent is None:
            inside = (cond.less_equal(ix.ZERO, start), cond.less(start, ix.constant(size)))
            conditions += [part for part in inside if not frame.holds_always(part)]
        else:
            low.append(_lowest(frame, start, step))
            high.append(_highest(frame, start, step, (extent, size)))
    if not region.shape:
        low, high = [ix.ZERO], [ix.constant(1)]
    return Box(tuple(low), tuple(high), cond.conjunction(*conditions))


def limited(box: Box, axis: int, low: Index, high: Index) -> Box:
    """Return `box` with other limits along one axis."""
    lows, highs = list(box.low), list(box.high)
    lows[axis], highs[axis] = low, high
    return Box(tuple(lows), tuple(highs), box.condition)


def is_empty(frame: Frame, box: Box, axis: int) -> bool:
    """Return whether the limits along one axis prove that the box has no element."""
    size = frame.simplified(ix.subtract(box.high[axis], box.low[axis]))
    return ix.bounds(size, frame.ranges)[1] <= 0


def _lowest(frame: Frame, start: Index, step: int) -> Index:
    if frame.holds_always(cond.less_equal(ix.ZERO, start)):
        return ix.ZERO
    first = ix.floor_div(ix.add(ix.scale(start, -1), ix.constant(step - 1)), step)
    return ix.maximum(ix.ZERO, first)


def _highest(frame: Frame, start: Index, step: int, sizes: tuple[int, int]) -> Index:
    extent, size = sizes
    last = ix.add(start, ix.constant(step * (extent - 1)))
    if frame.holds_always(cond.less(last, ix.constant(size))):
        return ix.constant(extent)
    room = ix.add(ix.scale(start, -1), ix.constant(size + step - 1))
    return ix.minimum(ix.constant(extent), ix.floor_div(room, step))
