"""Tiles of UB turned round: rows become columns, by vnchwconv.

One instruction transposes 16 rows of a block of 32 bytes each, or 32 rows of bytes in four of them,
and repeats itself along the rows (TIK reference, vec_trans_scatter; that of 32 bits is in the
instruction tables of the 310P and 910B only, and no public kernel was seen to use it; others turn
words by halves).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tilelang.backends.tik.instructions import Operand, Scope, TransposeBlocks
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.word_turns import WORD_SQUARE, turn_words
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

_ROWS = 16
"""Entries of the lists of vnchwconv."""
_MAX_REPEATS = 255
_WORDS = ("ascend310p", "ascend910b")
"""Chips whose vnchwconv transposes 32-bit elements."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One instruction: the first row it reads, the first column it writes, and which halves."""

    row: int = 0
    column: int = 0
    dst_high: bool = False
    src_high: bool = False


_OF_BYTES = tuple(
    _Pattern(16 * dst_high, 16 * src_high, bool(dst_high), bool(src_high))
    for dst_high in (0, 1)
    for src_high in (0, 1)
)


def is_turned(dst: Box, src: Box) -> bool:
    """Return whether a move from `src` to `dst` turns a row-major matrix in UB round."""
    boxes = (dst, src)
    if any(box.form.scope is not Scope.UB or box.form.is_spread for box in boxes):
        return False
    if len(dst.counts) != 2 or any(axis.block for box in boxes for axis in box.axes):
        return False
    return dst.axes[1].inner == src.axes[0].inner == 1 and dst.axes[0].inner != 1


def fits_turn(dst: Box, machine: str) -> bool:
    """Return whether `dst` is made of the whole squares that `machine` turns."""
    n_columns, n_rows = dst.counts
    rows, columns = _unit(dst, machine)
    return n_columns % columns == 0 and n_rows % rows == 0 and n_rows // rows <= _MAX_REPEATS


def turn(writer: Writer, dst: Box, src: Box, machine: str) -> None:
    """Write the transpose of `src`, of which axis 0 runs along rows, into `dst`."""
    if _is_by_halves(dst, machine):
        turn_words(writer, dst, src)
        return
    (n_columns, n_rows), (rows, columns) = dst.counts, _unit(dst, machine)
    pitch, unit = src.axes[1].inner, dst.form.per_block
    repeat = n_rows // rows
    # With one repeat every start moves on by the stride (TIK reference), so it is 0 then.
    strides = (rows // unit, rows * pitch // unit) if repeat > 1 else (0, 0)
    patterns = _OF_BYTES if dst.form.dtype.n_bytes == 1 else (_Pattern(),)
    for group in writer.repeated("column", n_columns // columns):
        first = ix.scale(group, columns)
        for pattern in patterns:
            work = TransposeBlocks(
                pattern.dst_high,
                pattern.src_high,
                tuple(_targets(writer, dst, first, pattern)),
                tuple(_sources(writer, src, first, pattern)),
                repeat,
                *strides,
                loc=writer.loc,
            )
            writer.write(work)


def _is_by_halves(box: Box, machine: str) -> bool:
    return box.form.dtype.n_bytes == 4 and machine not in _WORDS


def _unit(box: Box, machine: str) -> tuple[int, int]:
    """Return the rows and columns that `machine` turns at once."""
    if _is_by_halves(box, machine):
        return WORD_SQUARE, WORD_SQUARE
    unit = box.form.per_block
    return max(_ROWS, unit), unit


def _sources(writer: Writer, src: Box, first: Index, pattern: _Pattern) -> Iterator[Operand]:
    for row in range(pattern.row, pattern.row + _ROWS):
        yield src.operand(writer, ix.add(first, ix.constant(row * src.axes[1].inner)))


def _targets(writer: Writer, dst: Box, first: Index, pattern: _Pattern) -> Iterator[Operand]:
    """Yield the places of the 16 blocks: of 32 bits, two halves of each of 8 columns."""
    pitch, unit = dst.axes[0].inner, dst.form.per_block
    halves = 2 if dst.form.dtype.n_bytes == 4 else 1
    for column in range(pattern.column, pattern.column + _ROWS // halves):
        row = ix.scale(ix.add(first, ix.constant(column)), pitch)
        for half in range(halves):
            yield dst.operand(writer, ix.add(row, ix.constant(half * unit)))
