"""Moves from UB to GM: whole blocks, and what is left of rows that end inside one."""

from dataclasses import replace
from enum import Enum
from math import prod

from tilelang.backends.tik.instructions import (
    Load,
    Operand,
    Scope,
    StoreElement,
)
from tilelang.backends.tik.lower.boxes import Box, box_of, ends_tensor
from tilelang.backends.tik.lower.cases import Inside, for_cases
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.fills import fill_block_tail
from tilelang.backends.tik.lower.forms import Axis, Form
from tilelang.backends.tik.lower.loads import lane_axis, spread_axis
from tilelang.backends.tik.lower.realign import SQUARE, align_columns
from tilelang.backends.tik.lower.refusals import RaggedRow, refusal
from tilelang.backends.tik.lower.strips import store_rows, store_strips
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.nodes import Move
from tilelang.ir.region import Region


def store(writer: Writer, move: Move, dst_form: Form, src_form: Form) -> None:
    """Write a move from UB to GM; what hangs over the tensor is not stored."""
    src = box_of(move.src, src_form, writer)
    dst = box_of(move.dst, dst_form, writer)
    if not dst.counts:
        dst, src = (replace(box, axes=(Axis(1, 1),), counts=(1,)) for box in (dst, src))

    def write(inside: Inside | None) -> None:
        if inside is None:
            return
        inside = inside or ((0, 1),)
        starts = [first for first, _ in inside]
        counts = [last - first for first, last in inside]
        end = _end_of(writer, move, dst, inside)
        _check_blocks(writer, move.dst, dst, inside)
        _store_box(writer, dst.part(starts, counts), src.part(starts, counts), end)

    for_cases(writer, move.dst, write)


class _End(Enum):
    """What follows the last element of every row that is stored, in its block of 32 bytes."""

    OTHERS = "others"
    """Elements of the tensor."""
    PADDING = "padding"
    """Padding of rows, which is the kernel's own."""
    NOTHING = "nothing"
    """The end of the tensor, behind which CANN allocates whole blocks."""


def _end_of(writer: Writer, move: Move, dst: Box, inside: Inside) -> _End:
    region = move.dst
    if not region.spanned or len(inside) != len(region.spanned) or dst.axes[-1].block:
        return _End.OTHERS
    ends = [
        last < count or writer.settled(region.start[axis]) == ix.constant(dst.axes[i].size - last)
        for i, (axis, count, (_, last)) in enumerate(
            zip(region.spanned, dst.counts, inside, strict=True)
        )
    ]
    if ends[-1] and dst.axes[-1].room > dst.axes[-1].size:
        return _End.PADDING
    is_all = prod(axis.size for axis in dst.axes) == prod(region.buffer.shape)
    return _End.NOTHING if all(ends) and is_all else _End.OTHERS


def _check_blocks(writer: Writer, region: Region, dst: Box, inside: Inside) -> None:
    """Refuse to store a part of a block beside other elements of the tensor.

    Raises:
        TileError: E1237.
    """
    axis, buffer = lane_axis(dst), dst.form.buffer
    block, (first, last) = dst.axes[axis].block, inside[axis]
    if not block or (last - first) % block == 0 or ends_tensor(writer, region, dst, axis, last):
        return
    raise refusal(
        "E1237",
        f"{last - first} elements of `{buffer.name}` end inside a block of {block}, and "
        f"{buffer.layout} keeps {block} neighbours together",
        writer.loc,
        f"store multiples of {block}, or up to the last; or declare the tensor row-major (ND)",
        buffer,
    )


def _store_box(writer: Writer, dst: Box, src: Box, end: _End) -> None:
    if src.form.is_spread:
        _store_spread(writer, dst, src, end)
        return
    axis, unit = lane_axis(dst), dst.form.per_block
    count = dst.counts[axis]
    n_whole, n_tail = count // unit * unit, count % unit
    if dst.axes[axis].block and n_tail:
        fill_block_tail(writer, _lanes_last(src, axis), n_whole, n_tail, 0)
        n_whole, n_tail = n_whole + unit, 0
    is_last = end is _End.NOTHING and count == prod(dst.counts) and not n_whole
    if n_tail and (end is _End.PADDING or is_last):
        n_whole, n_tail = n_whole + unit, 0
    if n_whole:
        _store_blocks(writer, _along(dst, axis, 0, n_whole), _along(src, axis, 0, n_whole))
    if n_tail:
        _store_tail(writer, dst, src, axis, end)


def _store_blocks(writer: Writer, dst: Box, src: Box) -> None:
    """Store rows of whole blocks."""
    strips = store_strips(writer, dst, src)
    if strips is None:
        copy(writer, dst, src)
    else:
        store_rows(writer, dst, src, strips)


def _along(box: Box, axis: int, start: int, count: int) -> Box:
    starts = [start if i == axis else 0 for i in range(len(box.counts))]
    counts = [count if i == axis else n for i, n in enumerate(box.counts)]
    return box.part(starts, counts)


def _lanes_last(box: Box, axis: int) -> Box:
    """Return `box` with `axis` as its last one."""
    order = [*(i for i in range(len(box.counts)) if i != axis), axis]
    axes = tuple(box.axes[i] for i in order)
    return Box(box.form, box.base, axes, tuple(box.counts[i] for i in order))


def _store_tail(writer: Writer, dst: Box, src: Box, axis: int, end: _End) -> None:
    """Store the end of rows that end inside a block.

    Of rows that are a block or longer, the last block is stored again, shifted back to end with
    the row. Shorter rows must lie in GM without gaps, so that several make a block.
    """
    unit, count = dst.form.per_block, dst.counts[axis]
    n_rows = prod(dst.counts[:-1])
    is_slow = dst.form.dtype.n_bytes == 1 and count >= unit and n_rows > 1  # by the scalar unit
    if axis != len(dst.counts) - 1 or is_slow:
        raise _partial_block(writer, dst, count)
    with writer.scope():
        if count >= unit:
            _store_shifted_back(writer, dst, src, n_rows)
        elif _rows_touch(dst) and (n_rows * count >= unit or end is _End.NOTHING):
            _store_dense(writer, dst, src, n_rows)
        else:
            raise _partial_block(writer, dst, count)


def _rows_touch(dst: Box) -> bool:
    """Return whether the rows of `dst` lie in GM one after another, without gaps."""
    pitch = dst.counts[-1]
    for axis, count in zip(reversed(dst.axes[:-1]), reversed(dst.counts[:-1]), strict=True):
        if count > 1 and axis.inner != pitch:
            return False
        pitch *= count
    return True


def _store_shifted_back(writer: Writer, dst: Box, src: Box, n_rows: int) -> None:
    """Store the last block of every row, from elements that start between blocks."""
    unit, count = dst.form.per_block, dst.counts[-1]
    first = count - unit
    lead = dst.counts[:-1]
    rounded = -(-n_rows // SQUARE) * SQUARE
    name = writer.tensor("tail", dst.form.dtype, (rounded, unit), Scope.UB)
    axes = [Axis(unit, 1)]
    pitch = unit
    for n in reversed(lead):
        axes.insert(0, Axis(n, pitch))
        pitch *= n
    tail = Box(replace(src.form, name=name), ix.ZERO, tuple(axes), (*lead, unit))
    if dst.form.dtype.n_bytes == 1:
        end = replace(src, base=ix.add(src.base, src.axes[-1].offset(ix.constant(first))))
        _gather(writer, end, Operand(name, dst.form.dtype), n_rows, unit)
    else:
        align_columns(writer, name, src, _row_axis(writer, src), (n_rows, first))
    shifted = ix.add(dst.base, ix.constant(first))
    copy(writer, replace(dst, base=shifted, counts=(*lead, unit)), tail)


def _row_axis(writer: Writer, src: Box) -> Axis:
    """Return the only axis of rows with more than one."""
    pairs = zip(src.counts[:-1], src.axes[:-1], strict=True)
    long = [axis for count, axis in pairs if count > 1]
    if len(long) > 1:
        raise _partial_block(writer, src, src.counts[-1])
    return long[0] if long else Axis(1, 0)


def _gather(writer: Writer, src: Box, dst: Operand, n_rows: int, n_columns: int) -> None:
    """Copy the columns of every row of `src` to consecutive elements, by the scalar unit."""
    rows, columns = _row_axis(writer, src), src.axes[-1]
    for row in writer.repeated("row", n_rows):
        for column in range(n_columns):
            place = ix.add(rows.offset(row), columns.offset(ix.constant(column)))
            value = Load(src.operand(writer, place))
            to = ix.add(ix.scale(row, n_columns), ix.constant(column))
            target = Operand(dst.tensor, dst.dtype, writer.expr(to))
            writer.write(StoreElement(target, value, writer.loc))


def _store_dense(writer: Writer, dst: Box, src: Box, n_rows: int) -> None:
    """Store short rows that touch in GM as one run."""
    unit, count = dst.form.per_block, dst.counts[-1]
    total = n_rows * count
    length = -(-total // unit) * unit
    name = writer.tensor("dense", dst.form.dtype, (length,), Scope.UB)
    _gather(writer, src, Operand(name, dst.form.dtype), n_rows, count)
    form = replace(src.form, name=name)
    run = Box(form, ix.ZERO, (Axis(length, 1),), (total,))
    target = Box(dst.form, dst.base, (Axis(total, 1),), (total,))
    _store_run(writer, target, run)


def _store_run(writer: Writer, dst: Box, src: Box) -> None:
    """Store one run.

    One shorter than a block ends the tensor: the rest of the block is room that CANN has there.
    """
    unit, total = dst.form.per_block, dst.counts[0]
    whole = total // unit * unit
    if whole:
        copy(writer, replace(dst, counts=(whole,)), replace(src, counts=(whole,)))
    if total % unit and total >= unit:
        _store_shifted_back(writer, dst, src, 1)
    elif total % unit:
        copy(writer, replace(dst, counts=(unit,)), replace(src, counts=(unit,)))


def _store_spread(writer: Writer, dst: Box, src: Box, end: _End) -> None:
    """Store a column whose elements are repeated over lanes."""
    axis = spread_axis(writer, src)
    n_rows = src.counts[axis]
    unit = dst.form.per_block
    if dst.axes[axis].inner != 1 and n_rows > 1:
        raise _partial_block(writer, dst, 1)
    total = n_rows
    if total < unit and end is _End.OTHERS:
        raise _partial_block(writer, dst, total)
    with writer.scope():
        length = -(-total // unit) * unit
        name = writer.tensor("dense", dst.form.dtype, (length,), Scope.UB)
        if end is _End.PADDING:
            total = length
        for row in writer.repeated("row", n_rows):
            value = Load(src.operand(writer, src.axes[axis].offset(row)))
            target = Operand(name, dst.form.dtype, writer.expr(row))
            writer.write(StoreElement(target, value, writer.loc))
        form = replace(src.form, name=name, is_spread=False)
        run = Box(form, ix.ZERO, (Axis(length, 1),), (total,))
        _store_run(writer, Box(dst.form, dst.base, (Axis(total, 1),), (total,)), run)


def _partial_block(writer: Writer, dst: Box, count: int) -> RaggedRow:
    buffer, unit = dst.form.buffer, dst.form.per_block
    size = buffer.shape[-1]
    room = -(-size // unit) * unit
    padding = f", or pad its last dimension from {size} to {room}" if size < room else ""
    refused = refusal(
        "E1237",
        f"a row of {count} elements of `{buffer.name}` ends inside a block of 32 bytes "
        f"({unit} elements of {buffer.dtype}), and its neighbours in that block belong to others",
        writer.loc,
        f"store {unit} or more columns of `{buffer.name}` at once{padding}",
        buffer,
    )
    return RaggedRow(buffer.name, refused)
