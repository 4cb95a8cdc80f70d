"""Nests of loops over the elements of a region, vectorised along the best of its axes.

A nest runs over a box whose limits may be known at run time only: that is how the edge tiles of a
tensor are clipped. The part of the box that fills vectors is one nest, what is left at the ends of
the vector axis are nests of single elements.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.point import Access, Point, split_lane
from tilelang.backends.llvm.simplify import simplify
from tilelang.backends.llvm.values import Lanes
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.region import Region, view_shape

WIDTHS = (16, 8, 4, 1)
"""Elements of a vector, best first."""
_FAR = 1 << 62
"""The stride of an axis along which elements are not equally far apart."""


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


def emit_nest(
    frame: Frame,
    space: Space,
    box: Box,
    accesses: Sequence[Access],
    body: Callable[[Point], None],
    *,
    widths: Sequence[int] = WIDTHS,
) -> None:
    """Write the loops over `box`; `accesses` decide how, the first of them (the destination) most.

    `body` writes one step, for a vector or for a single element.
    """
    whole = {name: frame.ranges[name] for name in space.names}
    with ExitStack() as stack:
        if box.condition != cond.TRUE:
            stack.enter_context(frame.code.when(frame.condition(box.condition)))
        axis, width = _best_axis(frame, space, accesses, widths)
        for segment in _segments(frame, box, axis, width):
            _emit_segment(frame, space, replace(segment, accesses=tuple(accesses)), body)
    frame.ranges.update(whole)  # the loops' limits hold inside them only


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of a box: along `axis`, steps of `width` elements."""

    box: Box
    axis: int
    width: int
    accesses: tuple[Access, ...] = ()


def _segments(frame: Frame, box: Box, axis: int, width: int) -> Iterator[_Segment]:
    """Yield the vectors of `box` (limits in steps of `width`), then its loose elements."""
    low, high = frame.simplified(box.low[axis]), frame.simplified(box.high[axis])
    if width == 1:
        yield _Segment(box, axis, 1)
        return
    first = ix.floor_div(ix.add(low, ix.constant(width - 1)), width)
    last = ix.floor_div(high, width)
    yield _Segment(limited(box, axis, first, last), axis, width)
    if low != ix.ZERO:
        end = ix.minimum(ix.scale(first, width), high)
        yield _Segment(limited(box, axis, low, end), axis, 1)
    begin = ix.scale(ix.maximum(first, last), width)
    if frame.simplified(ix.subtract(begin, high)) != ix.ZERO:
        yield _Segment(limited(box, axis, begin, high), axis, 1)


def limited(box: Box, axis: int, low: Index, high: Index) -> Box:
    """Return `box` with other limits along one axis."""
    lows, highs = list(box.low), list(box.high)
    lows[axis], highs[axis] = low, high
    return Box(tuple(lows), tuple(highs), box.condition)


def is_empty(frame: Frame, box: Box, axis: int) -> bool:
    """Return whether the limits along one axis prove that the box has no element."""
    size = frame.simplified(ix.subtract(box.high[axis], box.low[axis]))
    return ix.bounds(size, frame.ranges)[1] <= 0


def _emit_segment(
    frame: Frame, space: Space, segment: _Segment, body: Callable[[Point], None]
) -> None:
    """Write the nest of a segment: loops in the order of the destination's memory."""
    axis, steps = segment.axis, frame.fresh()
    low, high = segment.box.low[axis], segment.box.high[axis]
    frame.ranges[steps] = _span(frame, low, high)
    names = [steps if place == axis else name for place, name in enumerate(space.names)]
    lane = frame.fresh()
    frame.ranges[lane] = (0, segment.width - 1)
    vector = _vector(ix.variable(steps), segment.width, lane)
    strides = _strides(frame, segment, {space.names[axis]: vector}, names)
    order = sorted(range(len(names)), key=lambda place: -strides[0][place])
    step = _Step(space.names[axis], segment.width, lane)
    if order[-1] == axis or not _runs_across(strides, axis, segment.width):
        _emit_loops(
            frame, (names, order, segment.box), lambda: body(step.at(frame, ix.variable(steps)))
        )
        return
    # The source runs along the axis where the destination does not: taking several steps at once
    # reads whole lines of it, and there are few streams to write (facts: 3.6 times as fast).
    # A box without a whole vector has `low` above `high`, and no steps rather than fewer than none.
    count = ix.maximum(ix.ZERO, ix.floor_div(ix.subtract(high, low), _JAM))
    rest = ix.add(low, ix.scale(count, _JAM))

    def several() -> None:
        for number in range(_JAM):
            first = ix.add(low, ix.scale(ix.variable(steps), _JAM), ix.constant(number))
            body(step.at(frame, first))

    jammed = limited(segment.box, axis, ix.ZERO, count)
    _emit_loops(frame, (names, order, jammed), several)
    if frame.simplified(ix.subtract(high, rest)) != ix.ZERO:
        left = limited(segment.box, axis, rest, high)
        _emit_loops(frame, (names, order, left), lambda: body(step.at(frame, ix.variable(steps))))


_JAM = 4
"""Steps of the vector axis taken at once where that pays: four lines of a cache."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How the vector axis `name` is cut into steps of `width` elements."""

    name: str
    width: int
    lane: str

    def at(self, frame: Frame, number: Index) -> Point:
        """Return the point of step `number`."""
        position = _vector(number, self.width, self.lane)
        lanes = Lanes(frame.code, frame.host, self.width)
        return Point(frame, lanes, {self.name: position}, self.lane)


def _vector(number: Index, width: int, lane: str) -> Index:
    if width == 1:
        return number
    return ix.add(ix.scale(number, width), ix.variable(lane))


def _emit_loops(
    frame: Frame, loops: tuple[Sequence[str], Sequence[int], Box], body: Callable[[], None]
) -> None:
    names, order, box = loops
    with ExitStack() as stack:
        for axis in order:
            stack.enter_context(frame.loop(names[axis], box.low[axis], box.high[axis]))
        body()


def _strides(
    frame: Frame, segment: _Segment, replaced: dict[str, Index], names: Sequence[str]
) -> list[list[int]]:
    """Return how far apart elements are along each variable, of every access."""
    offsets = [
        frame.simplified(ix.substitute(access.offset, replaced)) for access in segment.accesses
    ]
    return [[_stride(offset, name) for name in names] for offset in offsets]


def _runs_across(strides: Sequence[Sequence[int]], axis: int, width: int) -> bool:
    """Return whether steps lie side by side in a source, and not in the destination."""
    return strides[0][axis] != width and any(own[axis] == width for own in strides[1:])


def _span(frame: Frame, low: Index, high: Index) -> tuple[int, int]:
    least, most = ix.bounds(low, frame.ranges)[0], ix.bounds(high, frame.ranges)[1] - 1
    return least, max(least, most)


def _best_axis(
    frame: Frame, space: Space, accesses: Sequence[Access], widths: Sequence[int]
) -> tuple[int, int]:
    """Return the axis and the vector width that need the fewest instructions."""
    choices = [
        (_cost(frame, space, accesses, axis, width), -width, -axis)
        for axis, size in enumerate(space.shape)
        for width in widths
        if width <= max(size, 1)
    ]
    _, width, axis = min(choices)
    return -axis, -width


def _cost(frame: Frame, space: Space, accesses: Sequence[Access], axis: int, width: int) -> float:
    """Return instructions an element, roughly: 1 a vector, 1 a lane where lanes lie apart."""
    name, size = space.names[axis], max(space.shape[axis], 1)
    ranges = {**frame.ranges, "$step": (0, size // width), "$lane": (0, width - 1)}
    vector = ix.add(ix.scale(ix.variable("$step"), width), ix.variable("$lane"))
    total = 1.0  # the arithmetic
    for access in accesses:
        split = split_lane(simplify(ix.substitute(access.offset, {name: vector}), ranges), "$lane")
        together = width == 1 or (split is not None and split[1] in (0, 1))
        total += 1 if together else 2 * width
    n_vectors, n_loose = size // width, size % width
    return (total * n_vectors + (len(accesses) + 1) * n_loose) / size


def _stride(offset: Index, name: str) -> int:
    """Return how far apart elements are along a variable, for ordering loops."""
    split = split_lane(offset, name)
    return _FAR if split is None else abs(split[1])


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
