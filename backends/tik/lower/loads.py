"""Moves from GM into L1 and UB, with what hangs over the tensor filled in."""

from dataclasses import replace

from tilelang.backends.tik.instructions import Lanes, Load, Operand, Scope, SetScalar
from tilelang.backends.tik.lower.boxes import Box, box_of, ends_tensor
from tilelang.backends.tik.lower.cases import Inside, for_cases
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.fills import duplicate, fill, fill_block_tail, fill_outside
from tilelang.backends.tik.lower.forms import SPREAD_LANES, Axis, Form
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.strips import load_rows, load_strips
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.nodes import Move


def load(writer: Writer, move: Move, dst_form: Form, src_form: Form) -> None:
    """Write a move from GM into L1 or UB."""
    src = box_of(move.src, src_form, writer)
    dst = box_of(move.dst, dst_form, writer)
    if dst.form.is_spread:
        _load_spread(writer, move, dst, src)
        return
    for_cases(writer, move.src, lambda inside: _load_case(writer, move, dst, src, inside))


def _load_case(writer: Writer, move: Move, dst: Box, src: Box, inside: Inside | None) -> None:
    if inside is None:
        fill(writer, dst, move.pad)
        return
    starts = [first for first, _ in inside]
    counts = [last - first for first, last in inside]
    axis = lane_axis(dst)
    check_lanes(writer, dst, axis, starts[axis])
    fill_outside(writer, dst, inside, axis, move.pad)
    unit = dst.form.per_block
    n_whole, n_tail = counts[axis] // unit * unit, counts[axis] % unit
    target, source = dst.part(starts, counts), src.part(starts, counts)
    ends_tile = starts[axis] + counts[axis] == dst.axes[axis].size == dst.counts[axis]
    is_padding = ends_tile and dst.form.scope is Scope.UB
    # Behind the last element of a blocked tensor lie zeros: `pack` puts them there.
    is_filled = bool(src.axes[axis].block) and move.pad == 0
    is_filled = is_filled and ends_tensor(writer, move.src, src, axis, inside[axis][1])
    n_real = 0 if is_padding or is_filled else n_tail
    strips = load_strips(writer, dst, src)
    if strips is not None:
        load_rows(writer, target, source, strips, (n_real, move.pad) if n_real else None)
        return
    if n_whole:
        copy(writer, along(target, axis, 0, n_whole), along(source, axis, 0, n_whole))
    if n_tail:
        tail_dst = along(target, axis, n_whole, unit)
        tail_src = along(source, axis, n_whole, unit)
        _load_tail(writer, move, tail_dst, tail_src, n_real)


def along(box: Box, axis: int, start: int, count: int) -> Box:
    """Return `count` positions of `box` along `axis`, from `start`, and all along the others."""
    starts = [start if i == axis else 0 for i in range(len(box.counts))]
    counts = [count if i == axis else n for i, n in enumerate(box.counts)]
    return box.part(starts, counts)


def lane_axis(box: Box) -> int:
    """Return the axis along which neighbours lie together."""
    found = [i for i, axis in enumerate(box.axes) if axis.inner == 1]
    return found[-1] if found else len(box.axes) - 1


def check_lanes(writer: Writer, dst: Box, axis: int, start: int) -> None:
    """Refuse a load of parts of blocks beside which the tile holds something else.

    Raises:
        TileError: E1233 for a part of a row, E1235 for one that `start`s inside a block.
    """
    unit, buffer = dst.form.per_block, dst.form.buffer
    if start % unit:
        raise refusal(
            "E1235",
            f"the tile `{buffer.name}` starts {start} elements before the tensor, which is no "
            f"multiple of {unit}, a block of 32 bytes",
            writer.loc,
            f"start at a multiple of {unit} elements before the tensor, or inside it",
            buffer,
        )
    if dst.counts[axis] % unit and dst.counts[axis] != dst.axes[axis].size:
        raise refusal(
            "E1233",
            f"{dst.counts[axis]} elements of a row of `{buffer.name}` are loaded, which is no "
            f"multiple of {unit}, a block of 32 bytes, and not the whole row",
            writer.loc,
            f"load multiples of {unit} elements, or the whole row",
            buffer,
        )


def _load_tail(writer: Writer, move: Move, dst: Box, src: Box, n_real: int) -> None:
    """Load one block of every row, of which `n_real` elements are real; 0 stands for all.

    What follows these in GM is read too, and overwritten by the pad.
    """
    if not n_real:
        copy(writer, dst, src)
    elif dst.form.scope is Scope.UB:
        copy(writer, dst, src)
        fill_block_tail(writer, dst, 0, n_real, move.pad)
    else:
        _load_through_ub(writer, move, dst, src, n_real)


def _load_through_ub(writer: Writer, move: Move, dst: Box, src: Box, n_real: int) -> None:
    """Load the last block of every row into UB, pad it there, and move it on to L1."""
    lanes, unit = lane_axis(dst), dst.form.per_block
    n_rows = 1
    axes = [Axis(unit, 1)] * len(dst.counts)
    for i in reversed(range(len(dst.counts))):
        if i != lanes:
            axes[i] = Axis(dst.counts[i], n_rows * unit)
            n_rows *= dst.counts[i]
    with writer.scope():
        name = writer.tensor("edge", dst.form.dtype, (n_rows, unit), Scope.UB)
        form = replace(dst.form, name=name, scope=Scope.UB)
        staged = Box(form, ix.ZERO, tuple(axes), dst.counts)
        copy(writer, staged, src)
        rows = Box(form, ix.ZERO, (Axis(n_rows, unit), Axis(unit, 1)), (n_rows, unit))
        fill_block_tail(writer, rows, 0, n_real, move.pad)
        copy(writer, dst, staged)


def _load_spread(writer: Writer, move: Move, dst: Box, src: Box) -> None:
    """Load each element of a column as a block, and repeat it over the lanes of its row."""
    unit = dst.form.per_block
    axis = spread_axis(writer, dst)
    n_rows = dst.counts[axis] if dst.counts else 1
    with writer.scope():
        name = writer.tensor("column", dst.form.dtype, (n_rows, unit), Scope.UB)
        form = replace(dst.form, name=name, is_spread=False)
        row_axes = tuple(Axis(n, unit if i == axis else 0) for i, n in enumerate(dst.counts))
        lanes = Axis(unit, 1)
        staged = Box(form, ix.ZERO, (*row_axes, lanes), (*dst.counts, unit))
        blocks = Box(src.form, src.base, (*src.axes, lanes), (*src.counts, unit))

        def write(inside: Inside | None) -> None:
            whole = tuple((0, count) for count in dst.counts)
            if inside != whole:
                fill(writer, staged, move.pad)
            if inside is not None:
                starts = [*(first for first, _ in inside), 0]
                counts = [*(last - first for first, last in inside), unit]
                copy(writer, staged.part(starts, counts), blocks.part(starts, counts))

        for_cases(writer, move.src, write)
        value = writer.scalar("value", dst.form.dtype)
        for row in writer.repeated("row", n_rows):
            source = Operand(name, dst.form.dtype, writer.expr(ix.scale(row, unit)))
            writer.write(SetScalar(value, Load(source), writer.loc))
            pitch = dst.axes[axis].inner if dst.counts else 0
            place = dst.operand(writer, ix.scale(row, pitch))
            duplicate(writer, Lanes(place), SPREAD_LANES, 1, value)


def spread_axis(writer: Writer, box: Box) -> int:
    """Return the only axis of a column with more than one position.

    Raises:
        TileError: E1236 if there are several, or elements of 8 bits.
    """
    long = [i for i, count in enumerate(box.counts) if count > 1]
    if len(long) > 1 or box.form.dtype.n_bytes == 1:
        buffer = box.form.buffer
        raise refusal(
            "E1236",
            f"`{buffer.name}` has a last dimension of 1 and is {buffer}; such a column is moved "
            "element by element, which is written for one long dimension and 16 or 32 bits only",
            writer.loc,
            "move one column at a time, or keep the values along the last dimension",
            buffer,
        )
    return long[0] if long else 0
