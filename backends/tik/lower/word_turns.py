"""Tiles of 32-bit elements turned round on chips whose vnchwconv transposes 16-bit ones only.

A square of 16 by 16 words passes through three transposes of its halves. The first makes a row of
each half column; the second, of low and high halves apart, makes rows of halves as they were; of
these the third takes low and high in turn, so that they come together again in the columns.
"""

from dataclasses import dataclass

from tilelang.backends.tik.instructions import Operand, Scope, TikType, TransposeBlocks
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

WORD_SQUARE = 16
"""Rows and columns of words that are turned at once."""
_HALVES = 2
_LANES = 16
"""Halves of a block of 32 bytes, and entries of the lists of vnchwconv."""
_WORDS = _LANES // _HALVES


def turn_words(writer: Writer, dst: Box, src: Box) -> None:
    """Write the transpose of `src`, of which axis 0 runs along rows, into `dst`: whole squares."""
    n_columns, n_rows = dst.counts
    turn = _Turn(writer, n_rows // WORD_SQUARE)
    with writer.scope():
        shape = (_HALVES * WORD_SQUARE, n_rows)
        split = writer.tensor("split", TikType.INT16, shape, Scope.UB)
        apart = writer.tensor("apart", TikType.INT16, (_HALVES, n_rows, _LANES), Scope.UB)
        for group in writer.repeated("column", n_columns // WORD_SQUARE):
            first = ix.scale(group, WORD_SQUARE)
            turn.split(split, src, first)
            turn.part(apart, split)
            turn.join(dst, apart, first)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Writes the steps for `n_squares` squares below one another, each step two instructions."""

    writer: Writer
    n_squares: int

    @property
    def _n_rows(self) -> int:
        return self.n_squares * WORD_SQUARE

    def split(self, split: str, src: Box, first: Index) -> None:
        """Make rows [column, half] of 16 columns of `src` from column `first` on."""
        pitch = src.axes[1].inner
        for block in range(_HALVES):
            column = ix.add(first, ix.constant(block * _WORDS))
            places = (ix.add(column, ix.constant(row * pitch)) for row in range(_LANES))
            of = tuple(_halves_at(self.writer, src, place) for place in places)
            to = tuple(self._own(split, (block * _LANES + i) * self._n_rows) for i in range(_LANES))
            self._write(to, of, (1, WORD_SQUARE * pitch // _WORDS))

    def part(self, apart: str, split: str) -> None:
        """Make rows [half, row] of 16 columns."""
        for half in range(_HALVES):
            lines = range(half, _HALVES * WORD_SQUARE, _HALVES)
            of = tuple(self._own(split, line * self._n_rows) for line in lines)
            first = half * self._n_rows
            to = tuple(self._own(apart, (first + row) * _LANES) for row in range(_LANES))
            self._write(to, of, (_LANES, 1))

    def join(self, dst: Box, apart: str, first: Index) -> None:
        """Fill rows of `dst` from `first` on: words of 16 columns, halves in turn."""
        pitch = dst.axes[0].inner
        for block in range(_HALVES):
            rows = range(block * _WORDS, (block + 1) * _WORDS)
            starts = (half * self._n_rows + row for row in rows for half in range(_HALVES))
            of = tuple(self._own(apart, start * _LANES) for start in starts)
            columns = (ix.add(first, ix.constant(column)) for column in range(WORD_SQUARE))
            places = (ix.add(ix.scale(c, pitch), ix.constant(block * _WORDS)) for c in columns)
            to = tuple(_halves_at(self.writer, dst, place) for place in places)
            self._write(to, of, (_HALVES, _LANES))

    def _own(self, tensor: str, start: int) -> Operand:
        return Operand(tensor, TikType.INT16, start)

    def _write(
        self, to: tuple[Operand, ...], of: tuple[Operand, ...], strides: tuple[int, int]
    ) -> None:
        """Write an instruction; `strides` are blocks from square to square, of both sides."""
        # With one repeat every start moves on by the stride (TIK reference), so it is 0 then.
        own = strides if self.n_squares > 1 else (0, 0)
        work = TransposeBlocks(False, False, to, of, self.n_squares, *own, loc=self.writer.loc)
        self.writer.write(work)


def _halves_at(writer: Writer, box: Box, offset: Index) -> Operand:
    """Return the place of the word at `offset` in `box`, as one of halves."""
    place = ix.scale(ix.add(box.base, offset), _HALVES)
    return Operand(box.form.name, TikType.INT16, writer.expr(place))
