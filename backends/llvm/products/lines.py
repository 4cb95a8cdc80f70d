"""Units put together from rows of a plain array, a line of the cache of every row at a time.

A unit holds two or four elements of k, which are rows of the source. So many rows of 64 bytes are
as many vectors of units. Each row's blocks are put in order first, so that joining neighbours
inside 128 bits, the quickest shuffle that there is, leaves every vector whole: 2 or 3 shuffles a
vector, where 16 columns at a time take 5 and read every line of the cache two or four times.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.panels import LANES
from tilelang.backends.llvm.vectors.boxes import Box, Space, limited
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Lanes, Value
from tilelang.backends.llvm.vectors.vector_axis import lane_strides
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix

_BLOCKS = 4
"""Blocks of 128 bits in a vector of 512."""


def find_lines(
    frame: Frame, space: Space, box: Box, dst: Access, rows: Sequence[Access]
) -> int | None:
    """Return the axis of columns: vectors of units, and whole lines of `rows`, lie along it.

    None if there is none, or no shuffles of 512 bits; or if the units are in the source already.
    """
    exists = all(frame.holds_always(access.exists) for access in (dst, *rows))
    if len(rows) == 1 or not exists or not frame.host.avx512:
        return None
    width = LANES * len(rows)
    for axis, high in enumerate(box.high):
        if ix.bounds(high, frame.ranges)[1] >= width and box.low[axis] == ix.ZERO:
            own = lane_strides(frame, space, (dst,), axis, LANES)
            if own == [1] and set(lane_strides(frame, space, rows, axis, width)) == {1}:
                return axis
    return None


def emit_lines(
    frame: Frame, space: Space, box: Box, axis: int, ends: tuple[Access, Sequence[Access]]
) -> Box:
    """Write the units of whole lines along the columns' `axis`, and return what is left of `box`.

    `ends` are the units to set, and the rows that each is made of.
    """
    width = LANES * len(ends[1])
    # A source that ends before it begins has a negative limit: no lines, and no rest.
    last = ix.floor_div(ix.maximum(ix.ZERO, box.high[axis]), width)
    lines = limited(box, axis, ix.ZERO, frame.simplified(last))
    names = list(space.names)
    whole = {name: frame.ranges[name] for name in names}
    names[axis] = frame.fresh()
    with ExitStack() as stack:
        if box.condition != cond.TRUE:
            stack.enter_context(frame.code.when(frame.condition(box.condition)))
        # Columns innermost: rows may straddle lines, and what is left of one is wanted next.
        for place in (*(place for place in range(len(names)) if place != axis), axis):
            span = lines.low[place], lines.high[place]
            stack.enter_context(frame.loop(names[place], *span))
        _emit_line(frame, space.names[axis], ix.scale(ix.variable(names[axis]), width), ends)
    frame.ranges.update(whole)
    return limited(box, axis, ix.scale(lines.high[axis], width), box.high[axis])


def _emit_line(
    frame: Frame, column: str, first: ix.Index, ends: tuple[Access, Sequence[Access]]
) -> None:
    """Write one line of every row as vectors of units, from column `first` on."""
    dst, rows = ends
    lane = frame.fresh()

    def point(n_lanes: int, start: ix.Index) -> Point:
        frame.ranges[lane] = (0, n_lanes - 1)
        place = ix.add(start, ix.variable(lane))
        return Point(frame, Lanes(frame.code, frame.host, n_lanes), {column: place}, lane)

    source = point(LANES * len(rows), first)
    vectors = join_lines(source.lanes, [source.load(row).text for row in rows])
    for number, vector in enumerate(vectors):
        target = point(LANES, ix.add(first, ix.constant(LANES * number)))
        target.store(dst, Value(DType.INT32, vector))


def join_lines(lanes: Lanes, rows: Sequence[str]) -> list[str]:
    """Return vectors of 16 units each, made of two or four rows of 512 bits, column by column.

    `lanes` are those of a row. Block `b` of vector `v` is made of the elements `v + 4 b` and the
    like, so these come into block `b` of every row first.
    """
    n_rows = len(rows)
    n_bits = 32 // n_rows
    per_part = lanes.n // (_BLOCKS * n_rows)  # elements of a row that one block of a vector takes
    order = [
        (part * _BLOCKS + block) * per_part + number
        for block in range(_BLOCKS)
        for part in range(n_rows)
        for number in range(per_part)
    ]
    return _join(lanes, n_bits, [_shuffled(lanes, n_bits, row, row, order) for row in rows])


def _join(lanes: Lanes, n_bits: int, vectors: Sequence[str]) -> list[str]:
    """Return the elements of all `vectors` in turn, block by block: first halves, then others."""
    if len(vectors) == 1:
        return list(vectors)
    pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
    double = Lanes(lanes.code, lanes.host, lanes.n // 2)
    joined: list[str] = []
    for half in range(2):
        order = _in_turn(lanes.n, half)
        mixed = [_shuffled(lanes, n_bits, *pair, order) for pair in pairs]
        joined += _join(double, 2 * n_bits, [_widened(lanes, n_bits, text) for text in mixed])
    return joined


def _in_turn(n_lanes: int, half: int) -> list[int]:
    """Return the order that takes elements of two vectors in turn, in one half of every block."""
    size = n_lanes // _BLOCKS
    firsts = [
        block * size + half * size // 2 + number
        for block in range(_BLOCKS)
        for number in range(size // 2)
    ]
    return [lane for first in firsts for lane in (first, n_lanes + first)]


def _shuffled(lanes: Lanes, n_bits: int, first: str, second: str, order: Sequence[int]) -> str:
    kind, mask = lanes.type(f"i{n_bits}"), ", ".join(f"i32 {lane}" for lane in order)
    text = f"shufflevector {kind} {first}, {kind} {second}, <{lanes.n} x i32> <{mask}>"
    return lanes.code.pure(text, first, second)


def _widened(lanes: Lanes, n_bits: int, vector: str) -> str:
    """Return the vector with neighbours taken as one element."""
    double = f"<{lanes.n // 2} x i{2 * n_bits}>"
    return lanes.code.pure(f"bitcast {lanes.type(f'i{n_bits}')} {vector} to {double}", vector)
