"""Nests whose destination runs along one axis and whose source along another, in 16 by 16 squares.

Element by element such a copy gathers. A square is loaded in 16 vectors as the source runs, turned
round in registers, and stored in 16 vectors as the destination does (measured on Zen 5: 22 to 39
cycles for what gathering takes 500).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import Box, Space, limited
from tilelang.backends.llvm.vectors.masks import depends_on
from tilelang.backends.llvm.vectors.nest import emit_nest
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Lanes, Value, register_type
from tilelang.backends.llvm.vectors.vector_axis import WIDTHS, lane_strides
from tilelang.ir import condition as cond
from tilelang.ir import index as ix

_SIDE = 16


@dataclass(frozen=True, slots=True)
class Axes:
    """The axis that the destination runs along, and the one that the sources do."""

    dst: int
    src: int


def emit_elements(
    frame: Frame,
    space: Space,
    box: Box,
    ends: tuple[Access, Callable[[Point], Value]],
    sources: Sequence[Access],
    *,
    widths: Sequence[int] = WIDTHS,
) -> None:
    """Write a nest that sets every element in `box` once: squares where they pay, then vectors.

    `ends` are the destination, and what gives the values of a vector of the sources.
    """
    dst, value = ends
    axes, rest = find_squares(frame, space, box, dst, sources), [box]
    if axes is not None:
        rest = emit_squares(frame, space, box, axes, ends)
    for part in rest:
        emit_nest(
            frame,
            space,
            part,
            (dst, *sources),
            lambda point: point.store(dst, value(point)),
            widths=widths,
        )


def find_squares(
    frame: Frame, space: Space, box: Box, dst: Access, sources: Sequence[Access]
) -> Axes | None:
    """Return the axes of the squares of a nest, None if it has none or needs none.

    A row of a square exists as a whole, or not at all.
    """
    accesses = (dst, *sources)
    unsure = [access.exists for access in accesses if not frame.holds_always(access.exists)]
    large = [axis for axis, size in enumerate(space.shape) if size >= _SIDE]
    strides = {axis: lane_strides(frame, space, accesses, axis, _SIDE) for axis in large}
    along = [axis for axis in large if strides[axis][0] == 1 and box.low[axis] == ix.ZERO]
    for axis in along:
        for other in large:
            runs = strides[other][1:]
            is_turned = 1 in runs and all(run in (0, 1) for run in runs)
            # A source that lies side by side along both is read along the destination.
            is_across = None in strides[axis][1:] or any(
                run > 1 for run in strides[axis][1:] if run
            )
            is_whole = not any(depends_on(exists, space.names[other]) for exists in unsure)
            is_square = other != axis and is_turned and is_across and is_whole
            if is_square and box.low[other] == ix.ZERO:
                return Axes(axis, other)
    return None


def emit_squares(
    frame: Frame,
    space: Space,
    box: Box,
    axes: Axes,
    ends: tuple[Access, Callable[[Point], Value]],
) -> list[Box]:
    """Write the whole squares of `box`, and return the boxes that are left.

    `ends` are the destination, and what gives the values of a vector of the sources.
    """
    n_down, n_across = (_n_blocks(frame, box, axis) for axis in (axes.dst, axes.src))
    blocks = limited(limited(box, axes.dst, ix.ZERO, n_down), axes.src, ix.ZERO, n_across)
    names = list(space.names)
    for axis in (axes.dst, axes.src):
        names[axis] = frame.fresh()
    whole = {name: frame.ranges[name] for name in space.names}
    with ExitStack() as stack:
        if box.condition != cond.TRUE:
            stack.enter_context(frame.code.when(frame.condition(box.condition)))
        for axis in (*_others(space, axes), axes.src, axes.dst):
            stack.enter_context(frame.loop(names[axis], blocks.low[axis], blocks.high[axis]))
        _emit_square(frame, space, (names[axes.dst], names[axes.src]), axes, ends)
    frame.ranges.update(whole)
    down, across = ix.scale(n_down, _SIDE), ix.scale(n_across, _SIDE)
    below = limited(box, axes.dst, down, box.high[axes.dst])
    beside = limited(limited(box, axes.dst, ix.ZERO, down), axes.src, across, box.high[axes.src])
    return [
        rest
        for rest, axis in ((below, axes.dst), (beside, axes.src))
        if frame.simplified(rest.low[axis]) != frame.simplified(rest.high[axis])
    ]


def _n_blocks(frame: Frame, box: Box, axis: int) -> ix.Index:
    whole = ix.floor_div(box.high[axis], _SIDE)
    return frame.simplified(ix.maximum(ix.ZERO, whole))


def _others(space: Space, axes: Axes) -> Iterator[int]:
    yield from (axis for axis in range(len(space.shape)) if axis not in (axes.dst, axes.src))


def _emit_square(
    frame: Frame,
    space: Space,
    blocks: tuple[str, str],
    axes: Axes,
    ends: tuple[Access, Callable[[Point], Value]],
) -> None:
    dst, value = ends
    lanes, lane = Lanes(frame.code, frame.host, _SIDE), frame.fresh()
    frame.ranges[lane] = (0, _SIDE - 1)
    down, across = (ix.scale(ix.variable(name), _SIDE) for name in blocks)

    def point(down_by: ix.Index, across_by: ix.Index) -> Point:
        places = {
            space.names[axes.dst]: ix.add(down, down_by),
            space.names[axes.src]: ix.add(across, across_by),
        }
        return Point(frame, lanes, places, lane)

    along = ix.variable(lane)
    rows = [value(point(ix.constant(number), along)) for number in range(_SIDE)]
    dtype = rows[0].dtype
    columns = turned(lanes, register_type(dtype), [row.text for row in rows])
    for number, column in enumerate(columns):
        point(along, ix.constant(number)).store(dst, Value(dtype, column))


def turned(lanes: Lanes, element: str, rows: Sequence[str]) -> list[str]:
    """Return the columns of a square of vectors: halves change places, then quarters, and so on."""
    square, distance = list(rows), len(rows) // 2
    while distance:
        for first in range(len(square)):
            if not first & distance:
                pair = square[first], square[first + distance]
                square[first] = _mixed(lanes, element, pair, distance, 0)
                square[first + distance] = _mixed(lanes, element, pair, distance, distance)
        distance //= 2
    return square


def _mixed(lanes: Lanes, element: str, pair: tuple[str, str], distance: int, offset: int) -> str:
    """Return the blocks of `distance` lanes, from lane `offset` on, of both vectors in turn."""
    order = [
        lane + offset if not lane & distance else lanes.n + lane - distance + offset
        for lane in range(lanes.n)
    ]
    kind, mask = lanes.type(element), ", ".join(f"i32 {lane}" for lane in order)
    text = f"shufflevector {kind} {pair[0]}, {kind} {pair[1]}, <{lanes.n} x i32> <{mask}>"
    return lanes.code.pure(text, *pair)
