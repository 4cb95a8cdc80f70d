"""Filling tiles with one value, and single lanes of their blocks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tilelang.backends.tik.instructions import (
    BitMask,
    DataMove,
    Elementwise,
    Expr,
    Lanes,
    Mask,
    Operand,
    Scope,
    StoreElement,
    TikType,
    VectorOp,
)
from tilelang.backends.tik.lower.boxes import Box, Digit, merged, pieces
from tilelang.backends.tik.lower.copies import shifted_by
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.lanes import Domain, for_lanes
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

FILLER_BLOCKS = 128
"""Blocks from which L1 is filled: 4 KiB."""


def duplicate(writer: Writer, dst: Lanes, mask: Mask, repeat: int, value: Expr) -> None:
    """Write a vector_dup."""
    writer.write(Elementwise(VectorOp.DUP, mask, dst, (), repeat, value, loc=writer.loc))


def fill(writer: Writer, box: Box, value: Expr) -> None:
    """Set every element of `box` in UB or L1; 8-bit rows are rounded up to whole blocks."""
    if box.form.scope is Scope.UB:
        _fill_ub(writer, box, value)
    else:
        _fill_l1(writer, [box], value)


def fill_outside(
    writer: Writer, box: Box, inside: Sequence[tuple[int, int]], lanes: int, value: Expr
) -> None:
    """Set the elements of `box` outside the positions `inside`, before these are loaded.

    Along axis `lanes` whole blocks of 32 bytes are inside, if any of their elements is.
    """
    parts = outside(box, inside, lanes)
    if box.form.scope is Scope.UB:
        for part in parts:
            _fill_ub(writer, part, value)
    elif parts:
        _fill_l1(writer, parts, value)


def outside(box: Box, inside: Sequence[tuple[int, int]], lanes: int) -> list[Box]:
    """Return boxes that cover `box` but `inside`: all of it if one would start inside a block."""
    parts: list[Box] = []
    starts, counts = [0] * len(box.counts), list(box.counts)
    for axis, (first, last) in enumerate(inside):
        unit = box.form.per_block if axis == lanes else 1
        end = -(-last // unit) * unit
        if end < box.counts[axis] and box.axes[axis].block and end % box.axes[axis].block:
            return [box]
        for start, stop in ((0, first), (end, box.counts[axis])):
            if start < stop:
                starts[axis], counts[axis] = start, stop - start
                parts.append(box.part(starts, counts))
        starts[axis], counts[axis] = first, last - first
    return parts


def _fill_ub(writer: Writer, box: Box, value: Expr) -> None:
    if box.form.dtype.n_bytes == 1:
        box, value = _as_pairs(box), pair_of(box.form.dtype, value)

    def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
        duplicate(writer, lanes[0], mask, repeat, value)

    for_lanes(writer, Domain(box.counts, (box,)), emit)


def _as_pairs(box: Box) -> Box:
    """Return 8-bit rows as rows of 16-bit elements, whole blocks."""
    *lead, last = (_halved(axis) for axis in box.axes)
    n_pairs = -(-box.counts[-1] // 32) * 16
    form = replace(box.form, dtype=TikType.INT16)
    axes = (*lead, replace(last, inner=1))
    return Box(form, ix.floor_div(box.base, 2), axes, (*box.counts[:-1], n_pairs))


def _halved(axis: Axis) -> Axis:
    return replace(axis, inner=axis.inner // 2, outer=axis.outer // 2)


def pair_of(dtype: TikType, value: Expr) -> int:
    """Return the int16 of two equal 8-bit values."""
    assert isinstance(value, int | float)
    byte = int(np.array(int(value)).astype(dtype.numpy)) & 0xFF
    return int(np.array(byte * 0x101, np.uint16).view(np.int16))


def _fill_l1(writer: Writer, boxes: Sequence[Box], value: Expr) -> None:
    """Fill by moves from a piece of UB that holds the value."""
    form = boxes[0].form
    dtype = form.dtype
    with writer.scope():
        shape = (FILLER_BLOCKS * dtype.per_block,)
        name = writer.tensor("filler", dtype, shape, Scope.UB)
        axis = Axis(shape[0], 1)
        filler = Box(replace(form, name=name, scope=Scope.UB), ix.ZERO, (axis,), shape)
        _fill_ub(writer, filler, value)
        for box in boxes:
            fill_from(writer, box, Operand(name, dtype))


def fill_from(writer: Writer, box: Box, filler: Operand) -> None:
    """Fill `box` in L1 by moves from the `FILLER_BLOCKS` blocks at `filler`, which hold the value.

    What is left of blocks of the layout is filled too.
    """
    for piece in pieces(_whole_blocks(box), (box.axes,)):
        start = ix.add(*_offsets(box, piece.starts))
        digits = merged(piece.digits)
        run = next((digit for digit in digits if digit.strides == (1,)), Digit(1, (1,)))
        others = [digit for digit in digits if digit is not run]
        _fill_runs(writer, box, filler, (start,), (*others, run))


def _offsets(box: Box, starts: Sequence[int]) -> list[Index]:
    pairs = zip(box.axes, starts, strict=True)
    return [axis.offset(ix.constant(start)) for axis, start in pairs]


def _whole_blocks(box: Box) -> tuple[int, ...]:
    """Return the counts of `box` with what is left of a block filled too, where blocks are."""
    return tuple(
        -(-count // axis.block) * axis.block if axis.block else count
        for axis, count in zip(box.axes, box.counts, strict=True)
    )


def _fill_runs(
    writer: Writer, box: Box, filler: Operand, place: tuple[Index, ...], digits: Sequence[Digit]
) -> None:
    """Fill the runs of the last digit inside loops over the others."""
    if len(digits) > 1:
        for step in writer.repeated("part", digits[0].count):
            moved = shifted_by(place, digits[0], step)
            _fill_runs(writer, box, filler, moved, digits[1:])
        return
    per_block = box.form.per_block
    n_blocks = -(-digits[0].count // per_block)
    for start in range(0, n_blocks, FILLER_BLOCKS):
        burst = min(FILLER_BLOCKS, n_blocks - start)
        dst = box.operand(writer, ix.add(place[0], ix.constant(start * per_block)))
        writer.write(DataMove(dst, filler, 1, burst, loc=writer.loc))


def fill_block_tail(writer: Writer, box: Box, column: int, n_valid: int, value: Expr) -> None:
    """Set the lanes from `n_valid` on, in the block at `column` of every row of `box`."""
    lead, per_block = box.counts[:-1], box.form.per_block
    block = box.part((0,) * len(lead) + (column,), (*lead, per_block))
    if box.form.dtype.n_bytes == 1:
        if n_valid % 2:
            _set_elements(writer, block, n_valid, value)
        block, value = _as_pairs(block), pair_of(box.form.dtype, value)
        n_valid, per_block = -(-n_valid // 2), per_block // 2
    if n_valid == per_block:
        return
    bits = (1 << per_block) - (1 << n_valid)

    def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
        duplicate(writer, lanes[0], mask, repeat, value)

    for_lanes(writer, Domain(block.counts, (block,)), emit, BitMask(0, bits))


def _set_elements(writer: Writer, block: Box, column: int, value: Expr) -> None:
    """Set one element of every row by the scalar unit."""
    for piece in pieces(block.counts[:-1], (block.axes[:-1],)):
        place = ix.add(*_offsets(block, (*piece.starts, column)))
        _set_along(writer, block, (place,), merged(piece.digits), value)


def _set_along(
    writer: Writer, block: Box, place: tuple[Index, ...], digits: Sequence[Digit], value: Expr
) -> None:
    if not digits:
        writer.write(StoreElement(block.operand(writer, place[0]), value, writer.loc))
        return
    for step in writer.repeated("row", digits[0].count):
        _set_along(writer, block, shifted_by(place, digits[0], step), digits[1:], value)
