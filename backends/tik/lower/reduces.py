"""Reductions: tiles are folded in halves, then the lanes of a block among themselves.

Along rows of a tile every step is one operation on two halves. Along lanes, what is left of a row
is one block: it is turned by half its lanes with two transposes (vnchwconv), and folded onto
itself, until every lane holds the result, which is how columns are kept.
"""

from collections.abc import Iterator
from dataclasses import replace

from tilelang.backends.tik.instructions import (
    Operand,
    Scope,
    TikType,
    TransposeBlocks,
    VectorOp,
)
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.fills import fill_block_tail
from tilelang.backends.tik.lower.forms import SPREAD_LANES, Axis, Form
from tilelang.backends.tik.lower.functions import convert
from tilelang.backends.tik.lower.maps import ub_box
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.values import Tile, Workbench
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Reduce, ReduceOp

_OPS = {ReduceOp.SUM: VectorOp.ADD, ReduceOp.MAX: VectorOp.MAX, ReduceOp.MIN: VectorOp.MIN}
_SQUARE = 16
"""Rows that a vnchwconv takes."""
_ROWS_AT_ONCE = 128
_ELEMENTS_AT_ONCE = 4096


def reduce(writer: Writer, stmt: Reduce, dst_form: Form, src_form: Form, machine: str) -> None:
    """Write a reduction along the rows or the columns of a tile."""
    rank = len(stmt.src.shape)
    dst = Tile(ub_box(writer, stmt.dst, dst_form, rank))
    src = Tile(ub_box(writer, stmt.src, src_form, rank))
    if rank > 1 and any(n > 1 for i, n in enumerate(src.shape) if i < rank - 2):
        raise refusal(
            "E1245",
            f"a reduction of `{stmt.src.buffer.name}` {list(src.shape)}, which has more than two "
            "dimensions",
            writer.loc,
            "reduce one matrix at a time",
            stmt.src.buffer,
        )
    with writer.own_scope():
        _reduce(writer, stmt, dst, src, machine)


def _reduce(writer: Writer, stmt: Reduce, dst: Tile, src: Tile, machine: str) -> None:
    rank = len(src.shape)
    bench = Workbench(writer, machine, stmt.dst.buffer, rank, bool(src.box.axes[-1].block))
    if src.shape[stmt.axis] == 1:
        bench.copy(dst, _widened(bench, src, dst.dtype))
        return
    if stmt.axis == rank - 1:
        n_rows = src.shape[-2] if rank > 1 else 1
        size = max(min(_ROWS_AT_ONCE, _ELEMENTS_AT_ONCE // src.shape[-1]) // 16 * 16, 16)
        for start, count in _row_blocks(writer, n_rows, size):
            parts = [_rows(tile, start, count) for tile in (dst, src)]
            with writer.own_scope():
                own = Workbench(writer, machine, stmt.dst.buffer, rank, bench.is_fractal)
                _along_lanes(own, stmt.op, *parts)
    else:
        _along_rows(bench, stmt.op, dst, src)


def _row_blocks(writer: Writer, n_rows: int, size: int) -> Iterator[tuple[Index, int]]:
    whole, rest = divmod(n_rows, size)
    for step in writer.repeated("block", whole) if whole else ():
        yield ix.scale(step, size), size
    if rest:
        yield ix.constant(whole * size), rest


def _rows(tile: Tile, start: Index, count: int) -> Tile:
    if len(tile.shape) < 2:
        return tile
    starts = [ix.ZERO] * len(tile.shape)
    starts[-2] = start
    counts = (*tile.shape[:-2], count, tile.shape[-1])
    return Tile(tile.box.part(starts, counts))


def _widened(bench: Workbench, src: Tile, dtype: TikType) -> Tile:
    """Return `src` in the dtype of the result: sums of float16 are taken in float32."""
    if src.dtype is dtype:
        return src
    if src.dtype.n_bytes == 1:
        half = bench.scratch(TikType.FLOAT16, src.shape, plain=True)
        convert(bench, half, src, "none")
        src = half
    if src.dtype is dtype:
        return src
    wide = bench.scratch(dtype, src.shape, plain=not src.box.axes[-1].block)
    convert(bench, wide, src, "none" if dtype.is_float else "round")
    return wide


def _along_rows(bench: Workbench, op: ReduceOp, dst: Tile, src: Tile) -> None:
    """Fold rows onto rows until one is left."""
    src = _widened(bench, src, dst.dtype)
    n_rows = src.shape[-2]
    half = n_rows // 2
    folded = bench.scratch(src.dtype, (*src.shape[:-2], max(half, 1), src.shape[-1]))
    first, second = (_rows(src, ix.constant(start), half) for start in (0, half))
    bench.apply(_OPS[op], folded, first, second)
    if n_rows % 2:
        last, top = _rows(src, ix.constant(n_rows - 1), 1), _rows(folded, ix.ZERO, 1)
        bench.apply(_OPS[op], top, top, last)
    while half > 1:
        odd, half = half % 2, half // 2
        if odd:
            top = _rows(folded, ix.ZERO, 1)
            bench.apply(_OPS[op], top, top, _rows(folded, ix.constant(2 * half), 1))
        upper, lower = (_rows(folded, ix.constant(start), half) for start in (0, half))
        bench.apply(_OPS[op], upper, upper, lower)
    bench.copy(dst, _rows(folded, ix.ZERO, 1))


def _along_lanes(bench: Workbench, op: ReduceOp, dst: Tile, src: Tile) -> None:
    """Fold columns onto columns until one block is left, then its lanes."""
    src = _widened(bench, src, dst.dtype)
    unit = src.dtype.per_block
    n_rows, n_columns = (1, *src.shape)[-2:]
    folded = _fold_columns(bench, op, src, n_columns)
    rounded = -(-n_rows // _SQUARE) * _SQUARE
    rows = [bench.writer.tensor("lanes", src.dtype, (rounded * unit,), Scope.UB) for _ in range(2)]
    current, turned = (_block_rows(bench, src, name, n_rows, unit) for name in rows)
    bench.apply(VectorOp.MAX, current, folded, folded)
    if n_columns < unit:
        fill_block_tail(bench.writer, current.box, 0, n_columns, _neutral(op, src.dtype))
    turn = unit // 2
    while turn:
        _rotate(bench.writer, (turned, current), rounded // _SQUARE, turn)
        bench.apply(_OPS[op], current, current, turned)
        turn //= 2
    _spread(bench, dst, current)


def _fold_columns(bench: Workbench, op: ReduceOp, src: Tile, n_columns: int) -> Tile:
    """Return a block of columns for every row, of all columns; shorter rows as they are."""
    unit = src.dtype.per_block
    whole, rest = divmod(n_columns, unit)
    if whole == 0 or (whole == 1 and not rest):
        return _columns(src, 0, n_columns)
    shape = (*src.shape[:-1], max(whole // 2, 1) * unit)
    folded = bench.scratch(src.dtype, shape, plain=True)
    if whole == 1:
        bench.copy(folded, _columns(src, 0, unit))
    else:
        half = whole // 2
        for start, size in _column_halves(src, half * unit):
            parts = [_columns(src, at, size) for at in (start, half * unit + start)]
            bench.apply(_OPS[op], _columns(folded, start, size), *parts)
        if whole % 2:
            _fold_onto(bench, op, folded, _columns(src, (whole - 1) * unit, unit))
    n_blocks = max(whole // 2, 1)
    while n_blocks > 1:
        odd, n_blocks = n_blocks % 2, n_blocks // 2
        if odd:
            _fold_onto(bench, op, folded, _columns(folded, 2 * n_blocks * unit, unit))
        size = n_blocks * unit
        target = _columns(folded, 0, size)
        bench.apply(_OPS[op], target, target, _columns(folded, size, size))
    if rest:
        _fold_onto(bench, op, folded, _columns(src, whole * unit, rest))
    return _columns(folded, 0, unit)


def _column_halves(src: Tile, size: int) -> list[tuple[int, int]]:
    """Return the column ranges that are folded at once: of a tile in blocks, within one block."""
    block = src.box.axes[-1].block
    if not block or size % block == 0:
        return [(0, size)]
    unit = src.dtype.per_block
    return [(start, unit) for start in range(0, size, unit)]


def _fold_onto(bench: Workbench, op: ReduceOp, folded: Tile, columns: Tile) -> None:
    target = _columns(folded, 0, columns.shape[-1])
    bench.apply(_OPS[op], target, target, columns)


def _columns(tile: Tile, start: int, size: int) -> Tile:
    """Return columns of `tile`; of one in blocks, parts of a block too."""
    offset = tile.box.axes[-1].offset(ix.constant(start))
    axis = tile.box.axes[-1]
    if axis.block and (start % axis.block or size < axis.block):
        assert start % axis.block + size <= axis.block
        axis = Axis(size, 1)
    box = replace(
        tile.box,
        base=ix.add(tile.box.base, offset),
        axes=(*tile.box.axes[:-1], axis),
        counts=(*tile.shape[:-1], size),
    )
    return Tile(box)


def _block_rows(bench: Workbench, src: Tile, name: str, n_rows: int, unit: int) -> Tile:
    """Return a tile [rows, one block] in the tensor `name`."""
    form = replace(src.box.form, name=name, is_spread=False)
    lead = len(src.shape) - 2
    axes = (*[Axis(1, 0)] * lead, Axis(n_rows, unit), Axis(unit, 1))[-max(len(src.shape), 1) :]
    counts = (*[1] * lead, n_rows, unit)[-max(len(src.shape), 1) :]
    return Tile(Box(form, ix.ZERO, axes, counts))


def _rotate(writer: Writer, tiles: tuple[Tile, Tile], n_squares: int, turn: int) -> None:
    """Write into the first tile the blocks of the second, with lanes moved on by `turn`.

    Two transposes of 16 rows by 16 halves; the second takes its rows from another place on.
    """
    target, source = (tile.box.form.name for tile in tiles)
    halves = TikType.INT16
    step = turn * tiles[0].dtype.n_bytes // 2
    size = n_squares * _SQUARE * _SQUARE
    with writer.scope():
        name = writer.tensor("square", halves, (size,), Scope.UB)
        strides = (_SQUARE, _SQUARE) if n_squares > 1 else (0, 0)

        def rows(tensor: str, shift: int = 0) -> tuple[Operand, ...]:
            order = [(row + shift) % _SQUARE for row in range(_SQUARE)]
            return tuple(Operand(tensor, halves, _SQUARE * row) for row in order)

        for to, of, shift in ((name, source, 0), (target, name, step)):
            writer.write(
                TransposeBlocks(
                    False, False, rows(to), rows(of, shift), n_squares, *strides, loc=writer.loc
                )
            )


def _spread(bench: Workbench, dst: Tile, current: Tile) -> None:
    """Copy blocks of equal lanes to the rows of lanes of a column."""
    unit = current.dtype.per_block
    for start in range(0, SPREAD_LANES, unit):
        box = dst.box
        axes = (*box.axes[:-1], Axis(unit, 1))
        part = Box(box.form, ix.add(box.base, ix.constant(start)), axes, (*box.counts[:-1], unit))
        bench.copy(Tile(part), current)


def _neutral(op: ReduceOp, dtype: TikType) -> int | float:
    """Return what changes no result: 0, or the lowest or highest number."""
    if op is ReduceOp.SUM:
        return 0.0 if dtype.is_float else 0
    sign = -1 if op is ReduceOp.MAX else 1
    if dtype.is_float:
        return sign * float("inf")
    return -(2**31) if op is ReduceOp.MAX else 2**31 - 1
