"""Columns that start between blocks, brought to the start of blocks by transposes in UB.

vnchwconv turns 16 blocks of 16 halves (16-bit words) round, so what was a column is a block, which
can be chosen freely; a second one turns the chosen 16 columns back into rows. Elements of 32 bits
are two halves. (Tried out in the notes on lowerings, section 4.)
"""

from dataclasses import dataclass

from tilelang.backends.tik.instructions import Operand, Scope, TikType, TransposeBlocks
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

SQUARE = 16
"""Rows that a transpose takes, and halves of a block."""
_HALVES = TikType.INT16


def align_columns(writer: Writer, dst: str, src: Box, rows: Axis, extent: tuple[int, int]) -> None:
    """Write into tensor `dst` [rows rounded to 16, one block] what starts at a column of `src`.

    Args:
        writer: where.
        dst: a tensor of UB, of the dtype of `src`.
        src: rows along `rows`, columns along its last axis.
        rows: the axis of the rows.
        extent: (number of rows, first column); the block from there on lies in `src`.
    """
    n_rows, first = extent
    whole, rest = divmod(n_rows, SQUARE)
    with writer.scope():
        turned = writer.tensor("turned", _HALVES, (2 * SQUARE * SQUARE,), Scope.UB)
        squares = _Squares(writer, dst, src, rows, first, turned)
        for group in writer.repeated("group", whole) if whole else ():
            start = ix.scale(group, SQUARE)
            squares.write(start, [ix.add(start, ix.constant(i)) for i in range(SQUARE)])
        if rest:  # the last row again for rows that are not there
            numbers = [min(whole * SQUARE + i, n_rows - 1) for i in range(SQUARE)]
            squares.write(ix.constant(whole * SQUARE), [ix.constant(i) for i in numbers])


@dataclass(frozen=True, slots=True)
class _Squares:
    """The transposes of 16 rows at a time."""

    writer: Writer
    dst: str
    src: Box
    rows: Axis
    first: int
    turned: str

    def write(self, start: Index, rows: list[Index]) -> None:
        """Write the block of `rows` at the column to the rows of the destination from `start`."""
        halves = self.src.form.dtype.n_bytes // 2  # of an element
        skipped = self.first * halves % SQUARE
        block = self.first - skipped // halves
        for number in range(2 if skipped else 1):
            column = self.src.axes[-1].offset(ix.constant(block + number * SQUARE // halves))
            places = (ix.add(self.src.base, self.rows.offset(row), column) for row in rows)
            sources = [ix.scale(place, halves) for place in places]
            self._turn(_blocks(self.turned, number * SQUARE), self._at(self.src.form.name, sources))
        targets = [ix.scale(ix.add(start, ix.constant(i)), SQUARE) for i in range(SQUARE)]
        self._turn(self._at(self.dst, targets), _blocks(self.turned, skipped))

    def _at(self, tensor: str, places: list[Index]) -> tuple[Operand, ...]:
        return tuple(Operand(tensor, _HALVES, self.writer.expr(place)) for place in places)

    def _turn(self, targets: tuple[Operand, ...], sources: tuple[Operand, ...]) -> None:
        # One repeat moves every start on by the stride (TIK reference), so strides are 0.
        work = TransposeBlocks(False, False, targets, sources, 1, 0, 0, loc=self.writer.loc)
        self.writer.write(work)


def _blocks(tensor: str, first: int) -> tuple[Operand, ...]:
    """Return 16 blocks of a tensor of halves, from number `first` on."""
    return tuple(Operand(tensor, _HALVES, (first + i) * SQUARE) for i in range(SQUARE))
