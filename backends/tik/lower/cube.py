"""The cube: fractals into L0A and L0B, products, and the way of results out of L0C."""

from collections.abc import Callable, Sequence

from tilelang.backends.tik.instructions import (
    FRACTAL_BYTES,
    DataMove,
    Load2d,
    TensorMove,
    TikType,
)
from tilelang.backends.tik.instructions import Mmad as MmadInstruction
from tilelang.backends.tik.lower.boxes import Box, Digit, box_of, merged, pieces
from tilelang.backends.tik.lower.byte_transposes import load_turned
from tilelang.backends.tik.lower.copies import shifted_by
from tilelang.backends.tik.lower.forms import Axis, Form
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Mmad, Move
from tilelang.ir.region import Memory

MAX_REPEATS = 255  # TIK reference, load2dv1
MAX_STRIDE = 255  # davinci.md section 8: source gap of load2d
FRACTAL_ROWS = 16
FRACTAL_ELEMENTS = 256
"""Of an accumulator."""


def load_operand(writer: Writer, move: Move, dst_form: Form, src_form: Form, machine: str) -> None:
    """Write a move from L1 into L0A or L0B, fractal by fractal.

    Rows of a fractal run along k in both memories, so a source whose rows run the other way is
    transposed on the way.
    """
    dst = box_of(move.dst, dst_form, writer)
    src = box_of(move.src, src_form, writer)
    _check_matrix(writer, move, dst)
    k_axis = 1 if move.dst.buffer.memory is Memory.L0A else 0
    is_transposed = src.axes[k_axis].inner != 1
    gap = 0 if machine in ("ascend310p", "ascend910b") else None  # these have load2dv2
    if is_transposed and src.form.dtype.n_bytes == 1:
        load_turned(writer, dst, src, k_axis, gap)
        return
    units = [FRACTAL_ROWS, FRACTAL_ROWS]
    if not is_transposed:
        units[k_axis] = src.form.per_block
    counts = tuple(-(-n // unit) for n, unit in zip(dst.counts, units, strict=True))
    axes = [_in_fractals(box, units) for box in (dst, src)]
    for piece in pieces(counts, axes):
        digits = merged(piece.digits)
        starts = tuple(
            ix.add(
                *(axis.offset(ix.constant(at)) for axis, at in zip(own, piece.starts, strict=True))
            )
            for own in axes
        )
        _load_digits(writer, (dst, src), starts, _contiguous_last(digits), (is_transposed, gap))


def _in_fractals(box: Box, units: Sequence[int]) -> list[Axis]:
    """Return the axes of `box` with positions `units` apart, still in elements."""
    found: list[Axis] = []
    for axis, unit in zip(box.axes, units, strict=True):
        if axis.block:
            assert axis.block == unit, "fractals are the blocks of operands"
            found.append(Axis(-(-axis.size // unit), axis.outer))
        else:
            found.append(Axis(-(-axis.size // unit), axis.inner * unit))
    return found


def _contiguous_last(digits: Sequence[Digit]) -> list[Digit]:
    return sorted(digits, key=lambda digit: -digit.strides[0])


def _load_digits(
    writer: Writer,
    boxes: tuple[Box, Box],
    offsets: tuple[Index, ...],
    digits: Sequence[Digit],
    how: tuple[bool, int | None],
) -> None:
    """Write load2d for the last digit, whose fractals are neighbours in L0, inside loops."""
    fractal = FRACTAL_BYTES // boxes[0].form.dtype.n_bytes
    if len(digits) > 1 or (digits and not _is_repeatable(digits[0], fractal)):
        for step in writer.repeated("part", digits[0].count):
            moved = shifted_by(offsets, digits[0], step)
            _load_digits(writer, boxes, moved, digits[1:], how)
        return
    digit = digits[0] if digits else Digit(1, (fractal, fractal))
    for start in range(0, digit.count, MAX_REPEATS):
        place = shifted_by(offsets, digit, ix.constant(start))
        dst, src = (box.operand(writer, at) for box, at in zip(boxes, place, strict=True))
        repeat = min(MAX_REPEATS, digit.count - start)
        stride = digit.strides[1] // fractal
        transpose, gap = how
        writer.write(Load2d(dst, src, 0, repeat, stride, transpose, gap, loc=writer.loc))


def _is_repeatable(digit: Digit, fractal: int) -> bool:
    to, of = digit.strides
    return to == fractal and of % fractal == 0 and of // fractal <= MAX_STRIDE


def multiply(writer: Writer, stmt: Mmad, forms: tuple[Form, Form, Form]) -> None:
    """Write a product; where it is the first of its sum is a branch if only the kernel knows."""
    dst, a, b = (
        box_of(region, form, writer)
        for region, form in zip((stmt.dst, stmt.a, stmt.b), forms, strict=True)
    )
    _check_packing(writer, stmt, dst, a, b)
    m, k = a.counts
    n = b.counts[1]
    target, left, right = (box.operand(writer) for box in (dst, a, b))

    def write(accumulate: int) -> None:
        writer.write(MmadInstruction(target, left, right, m, k, n, accumulate, loc=writer.loc))

    for_init(writer, stmt.init, write)


def for_init(writer: Writer, first: Condition, write: Callable[[int], None]) -> None:
    """Write what `write` makes of "accumulates": 0 where `first` holds, 1 elsewhere."""
    init = writer.settled_condition(first)
    if isinstance(init, cond.Truth):
        write(0 if init.value else 1)
        return
    with writer.collected() as start:
        write(0)
    with writer.collected() as later:
        write(1)
    writer.branch([(init, tuple(start))], tuple(later))


def _check_packing(writer: Writer, stmt: Mmad, dst: Box, a: Box, b: Box) -> None:
    """Refuse operands that are not packed as m, k and n say, which is how the cube reads them."""
    rounded = -(-a.counts[0] // FRACTAL_ROWS) * FRACTAL_ROWS
    k_whole = a.counts[1] == stmt.a.buffer.shape[-1]
    n_whole = b.counts[1] == stmt.b.buffer.shape[-1]
    m_whole = dst.axes[0].room == rounded
    if m_whole and k_whole and n_whole:
        return
    bad = stmt.dst if not m_whole else stmt.a if not k_whole else stmt.b
    raise refusal(
        "E1238",
        f"the product uses a part of `{bad.buffer.name}` whose fractals are not packed: the cube "
        f"reads and writes {a.counts[0]} x {a.counts[1]} x {b.counts[1]} without gaps",
        writer.loc,
        "make `m_tile` smaller, so that a whole tile fits L0A (64 KiB, half of it for each copy "
        "of a double-buffered loop)",
        bad.buffer,
    )


def move_accumulator(writer: Writer, move: Move, dst_form: Form, src_form: Form) -> None:
    """Write a move between L0C and UB: in fractals of 16 x 16, which keep their order.

    Raises:
        TileError: E1239 for anything but one matrix of whole fractals.
    """
    dst = box_of(move.dst, dst_form, writer)
    src = box_of(move.src, src_form, writer)
    _check_matrix(writer, move, dst)
    rows = dst.counts[0]
    n_columns = -(-dst.counts[1] // FRACTAL_ROWS)
    fractals = rows // FRACTAL_ROWS
    gaps = [_column_gap(box, rows) for box in (dst, src)]
    if n_columns == 1 or gaps == [0, 0]:
        n_bursts, burst, gaps = 1, n_columns * fractals, [0, 0]
    else:
        n_bursts, burst = n_columns, fractals
    target, source = dst.operand(writer), src.operand(writer)
    if (source.dtype, target.dtype) == (TikType.INT32, TikType.FLOAT16):
        writer.write(
            TensorMove(target, source, "m", n_bursts, burst, *gaps, deqscale=1.0, loc=writer.loc)
        )
        return
    narrows = (source.dtype, target.dtype) == (TikType.FLOAT32, TikType.FLOAT16)
    mode = 1 if narrows else None
    writer.write(DataMove(target, source, n_bursts, burst, gaps[1], gaps[0], mode, loc=writer.loc))


def _check_matrix(writer: Writer, move: Move, dst: Box) -> None:
    if len(dst.counts) == 2 and dst.counts[0] % FRACTAL_ROWS == 0:
        return
    raise refusal(
        "E1239",
        f"{list(dst.counts)} elements of `{move.src.buffer.name}` move to "
        f"`{move.dst.buffer.name}`; the cube's memories are read and written one matrix at a time, "
        "in fractals of 16 rows",
        writer.loc,
        "move one tile in each iteration of a loop, with a multiple of 16 rows",
        move.src.buffer,
        move.dst.buffer,
    )


def _column_gap(box: Box, rows: int) -> int:
    """Return the gap between columns of fractals: in L0C in fractals, in UB in blocks."""
    elements = box.axes[1].outer - rows * FRACTAL_ROWS if box.axes[1].block else 0
    if box.form.scope.is_accumulator:
        return elements // FRACTAL_ELEMENTS
    return elements // box.form.per_block
