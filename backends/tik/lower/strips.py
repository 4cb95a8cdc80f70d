"""Whole rows between GM and tiles in blocks: wide bursts, which are put into blocks in UB.

A row-major tensor and a tile in blocks share runs of one block only, and the link to GM takes as
long for a burst of 32 bytes as for one of 256. So rows are moved whole, into UB or out of it, and
the vector unit puts their blocks in order there. A tile passes through UB in pieces, two of them at
once, so that the queues overlap. This way is taken where it saves the link more cycles than it
costs the other queues, by the numbers of the cycle model, and where UB has room for it.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

from tilelang.backends.tik.instructions import Expr, Scope
from tilelang.backends.tik.lower.boxes import Box, period
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.fills import fill_block_tail
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.relayout import relayout
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

_PACKAGES = (256, 128, 96, 64, 32)
"""Bytes of what a burst is cut into; each keeps the link busy as long (davinci.md section 5)."""
_PACKAGE_CYCLES = 8
_VECTOR_START, _VECTOR_BYTES = 20, 256  # davinci.md section 6: cycles, and bytes a cycle
_L1_START, _L1_BYTES = 10, 128  # davinci.md sections 4 and 2.3: UB to L1
_PIECE_BYTES = 1 << 14
"""Smaller transfers from or to GM pay a start-up of 100 cycles (davinci.md section 2.3)."""
_ROW_UNIT = 8
"""Rows of a piece are a multiple of the blocks of a repeat."""


@dataclass(frozen=True, slots=True)
class Strips:
    """How a tile passes through UB: in pieces of at most `n_rows` by `n_columns`."""

    n_rows: int
    n_columns: int

    def pieces(
        self, writer: Writer, counts: tuple[int, ...]
    ) -> Iterator[tuple[tuple[Index, Index], tuple[int, int]]]:
        """Yield (starts, counts) of every piece; tensors that the caller declares end with it."""
        for column, n_columns, in_group in _cut(writer, "group", counts[1], self.n_columns):
            for row, n_rows, in_strip in _cut(writer, "strip", counts[0], self.n_rows):
                is_body = in_strip or (in_group and n_rows == counts[0])
                with nullcontext() if is_body else writer.scope():
                    yield (row, column), (n_rows, n_columns)


def _cut(writer: Writer, name: str, count: int, size: int) -> Iterator[tuple[Index, int, bool]]:
    """Yield start and size of the parts of an axis, and whether a loop with two threads counts."""
    whole, rest = divmod(count, size)
    if whole > 1:
        with writer.loop(writer.fresh(name), ix.constant(whole), thread_num=2) as part:
            yield ix.scale(part, size), size, True
    elif whole:
        yield ix.ZERO, size, False
    if rest:
        yield ix.constant(whole * size), rest, False


def load_strips(writer: Writer, dst: Box, src: Box) -> Strips | None:
    """Return how the tile `dst` is loaded from `src` in GM in strips; None where it is not.

    A strip has so many rows that a transfer pays no start-up.
    """
    if not _is_wide(dst, src):
        return None
    n_rows, n_columns = dst.counts[0], _whole_blocks(dst)
    row_bytes = n_columns * dst.form.dtype.n_bytes
    n_transfers = period(src.axes[0].inner, src.form.per_block)
    wanted = -(-n_transfers * _PIECE_BYTES // row_bytes)
    strips = Strips(min(n_rows, wanted), n_columns)
    n_copies = 2 if dst.form.scope is Scope.L1 else 1  # as rows, and in blocks
    return _fitting(writer, strips, (n_rows, n_columns), n_copies * row_bytes)


def store_strips(writer: Writer, dst: Box, src: Box) -> Strips | None:
    """Return how the tile `src` is stored to `dst` in GM in strips; None where it is not.

    A strip has the columns of one package: its rows are so close that a repeat reaches eight.
    """
    if not _is_wide(src, dst):
        return None
    n_bytes = src.form.dtype.n_bytes
    strips = Strips(src.counts[0], min(src.counts[1], _PACKAGES[0] // n_bytes))
    return _fitting(writer, strips, src.counts, strips.n_columns * n_bytes)


def _is_wide(blocked: Box, plain: Box) -> bool:
    """Return whether whole rows save more cycles of the link than putting them in order costs."""
    if len(blocked.counts) != 2 or plain.axes[1].block or plain.axes[1].inner != 1:
        return False
    rows, columns = blocked.axes
    n_bytes = blocked.form.dtype.n_bytes
    if rows.block or not columns.block or columns.inner != 1:
        return False
    row_bytes = _whole_blocks(blocked) * n_bytes
    n_bursts = -(-row_bytes // (columns.block * n_bytes))
    saved = blocked.counts[0] * (n_bursts - _n_packages(row_bytes)) * _PACKAGE_CYCLES
    total = blocked.counts[0] * row_bytes
    cost = _VECTOR_START + total // _VECTOR_BYTES
    if blocked.form.scope is Scope.L1:
        cost += _L1_START + total // _L1_BYTES
    return saved > cost


def _whole_blocks(box: Box) -> int:
    """Return the columns of `box`, rounded up to blocks of 32 bytes."""
    unit = box.form.per_block
    return -(-box.counts[1] // unit) * unit


def _n_packages(n_bytes: int) -> int:
    count = 0
    for size in _PACKAGES:
        count, n_bytes = count + n_bytes // size, n_bytes % size
    return count


def _fitting(
    writer: Writer, strips: Strips, counts: tuple[int, ...], row_bytes: int
) -> Strips | None:
    """Return `strips` with as many rows as UB has room for; None if there is none for eight.

    A row takes `row_bytes` there, and twice that where `counts` come in several pieces.
    """
    room = writer.ub_room()
    if (strips.n_rows, strips.n_columns) == counts and strips.n_rows * row_bytes <= room:
        return strips
    n_rows = min(strips.n_rows, room // (2 * row_bytes))
    if n_rows < counts[0]:
        n_rows = n_rows // _ROW_UNIT * _ROW_UNIT
    return replace(strips, n_rows=n_rows) if n_rows else None


def load_rows(
    writer: Writer, dst: Box, src: Box, strips: Strips, tail: tuple[int, Expr] | None
) -> None:
    """Write the load of `src` into `dst`, a tile or the part of it that lies in the tensor.

    `strips` are those of the whole tile: what passes through UB has one place there in every case.
    `tail` is from which lane of the last block on to fill, and with what.
    """
    unit, dtype = dst.form.per_block, dst.form.dtype
    for starts, counts in strips.pieces(writer, (dst.counts[0], _whole_blocks(dst))):
        rows = _plain_tile(writer, dst, strips, counts)
        copy(writer, rows, src.part(starts, counts))
        if tail is not None:
            fill_block_tail(writer, rows, counts[1] - unit, *tail)
        target = dst.part(starts, counts)
        if dst.form.scope is Scope.UB:
            relayout(writer, target, rows)
            continue
        shape = (strips.n_columns // unit, strips.n_rows, unit)
        name = writer.tensor("blocks", dtype, shape, Scope.UB)
        axes = (Axis(counts[0], unit), Axis(counts[1], 1, unit, strips.n_rows * unit))
        blocks = Box(replace(rows.form, name=name), ix.ZERO, axes, counts)
        relayout(writer, blocks, rows)
        copy(writer, target, blocks)


def store_rows(writer: Writer, dst: Box, src: Box, strips: Strips) -> None:
    """Write the store of the tile `src`, whole blocks of every row, to `dst`."""
    for starts, counts in strips.pieces(writer, src.counts):
        rows = _plain_tile(writer, src, strips, counts)
        relayout(writer, rows, src.part(starts, counts))
        copy(writer, dst.part(starts, counts), rows)


def _plain_tile(writer: Writer, tile: Box, strips: Strips, counts: tuple[int, int]) -> Box:
    """Declare a row-major tile for a piece, of the dtype of `tile`; `counts` of it are in use."""
    name = writer.tensor("rows", tile.form.dtype, (strips.n_rows, strips.n_columns), Scope.UB)
    form = replace(tile.form, name=name, scope=Scope.UB, is_spread=False)
    axes = (Axis(counts[0], strips.n_columns), Axis(counts[1], 1))
    return Box(form, ix.ZERO, axes, counts)
