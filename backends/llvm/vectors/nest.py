"""Nests of loops over the elements of a region, vectorised along the best of its axes.

A nest runs over a box whose limits may be known at run time only: that is how the edge tiles of a
tensor are clipped. The part of the box that fills vectors is one nest. What is left at the end of
the vector axis is one vector with a mask, where the host has them and elements lie side by side;
else, and at its start, nests of single elements.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import Box, Space, limited
from tilelang.backends.llvm.vectors.masks import split_lane
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.backends.llvm.vectors.vector_axis import WIDTHS, best_axis, takes_masks
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index

_FAR = 1 << 62
"""The stride of an axis along which elements are not equally far apart."""


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
        axis, width = best_axis(frame, space, accesses, widths)
        whole_box = _Segment(box, axis, width, tuple(accesses))
        for segment in _segments(frame, space, whole_box):
            _emit_segment(frame, space, segment, body)
    frame.ranges.update(whole)  # the loops' limits hold inside them only


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of a box: along `axis`, steps of `width` elements."""

    box: Box
    axis: int
    width: int
    accesses: tuple[Access, ...]
    end: Index | None = None
    """Where elements end before the last step does: that step has a mask."""

    def part(self, low: Index, high: Index, width: int, end: Index | None = None) -> "_Segment":
        """Return the steps of `width` elements from `low` to `high`."""
        return _Segment(
            limited(self.box, self.axis, low, high), self.axis, width, self.accesses, end
        )


def _segments(frame: Frame, space: Space, whole: _Segment) -> Iterator[_Segment]:
    """Yield the vectors of a box (limits in steps of `width`), then its loose elements."""
    axis, width = whole.axis, whole.width
    low, high = frame.simplified(whole.box.low[axis]), frame.simplified(whole.box.high[axis])
    if width == 1:
        yield whole
        return
    first = ix.floor_div(ix.add(low, ix.constant(width - 1)), width)
    last = ix.floor_div(high, width)
    yield whole.part(first, last, width)
    if low != ix.ZERO:
        yield whole.part(low, ix.minimum(ix.scale(first, width), high), 1)
    begin = ix.maximum(first, last)
    loose = frame.simplified(ix.subtract(high, ix.scale(begin, width)))
    if loose == ix.ZERO:
        return
    if takes_masks(frame, space, whole.accesses, axis, width):
        steps = ix.floor_div(ix.add(high, ix.constant(width - 1)), width)
        yield whole.part(begin, steps, width, high)
    else:
        yield whole.part(ix.scale(begin, width), high, 1)


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
    step = _Step(space.names[axis], segment.width, lane, segment.end)
    strides = _strides(frame, segment, {space.names[axis]: vector}, names)
    order = sorted(range(len(names)), key=lambda place: -strides[0][place])
    if order[-1] == axis or not _runs_across(strides, axis, segment.width):
        _emit_loops(
            frame, (names, order, segment.box), lambda: body(step.at(frame, ix.variable(steps)))
        )
        return
    # The source runs along the axis where the destination does not: taking several steps at once
    # reads whole lines of it, and there are few streams to write (Zen 5: 3.6 times as fast).
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
    end: Index | None

    def at(self, frame: Frame, number: Index) -> Point:
        """Return the point of step `number`."""
        position = _vector(number, self.width, self.lane)
        lanes = Lanes(frame.code, frame.host, self.width)
        if self.end is None:
            return Point(frame, lanes, {self.name: position}, self.lane)
        n_active = frame.value(ix.subtract(self.end, ix.scale(number, self.width)))
        return Point(frame, lanes, {self.name: position}, self.lane, n_active)


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


def _stride(offset: Index, name: str) -> int:
    """Return how far apart elements are along a variable, for ordering loops."""
    split = split_lane(offset, name)
    return _FAR if split is None else abs(split[1])
