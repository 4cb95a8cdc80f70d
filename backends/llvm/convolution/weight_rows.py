"""Weights [O, C, R, S] moved into panels of their matrix, along the rows that they lie in.

The rows of the matrix are in the order (c1, r, s, c0), those of a plain tensor in the order (c, r,
s): neighbours in one are far apart in the other, and a loop over either gathers. But 16 outputs by
16 neighbours of the tensor are a square, wherever its columns go.
"""

from dataclasses import dataclass
from math import prod

from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import Box, Space, clipped, open_space
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Move
from tilelang.ir.region import AsMatrix


@dataclass(frozen=True, slots=True)
class WeightRows:
    """A space over (channel and tap, output), what of it exists, and where its elements lie."""

    space: Space
    box: Box
    row: Index
    """The row of the destination that an element belongs to."""
    offset: Index
    """Its offset in the tensor, in elements."""


def find_weight_rows(frame: Frame, stmt: Move) -> WeightRows | None:
    """Return the rows of weights that a move reads, None if it reads no whole blocks of them."""
    src, place = stmt.src, frame.places[stmt.src.buffer.name]
    if not isinstance(src.view, AsMatrix) or src.step != (1, 1) or len(src.shape) != 2:
        return None
    _, n_channels, *kernel = src.buffer.shape
    n_taps, k0 = prod(kernel), src.buffer.dtype.k0
    is_whole = src.shape[0] % (n_taps * k0) == ix.known_divisor(src.start[0]) % (n_taps * k0) == 0
    if not is_whole or place.form.digits != row_major_digits(src.buffer.shape):
        return None
    space = open_space(frame, (src.shape[0], src.shape[1]))
    number, output = space.indices
    columns = clipped(frame, src)
    n_present = ix.subtract(ix.constant(n_channels * n_taps), src.start[0])
    high = ix.maximum(ix.ZERO, ix.minimum(ix.constant(src.shape[0]), n_present))
    box = Box((ix.ZERO, columns.low[1]), (high, columns.high[1]), columns.condition)
    channel, tap = ix.floor_div(number, n_taps), ix.modulo(number, n_taps)
    block = ix.add(ix.scale(ix.floor_div(channel, k0), n_taps), tap)
    row = ix.add(ix.scale(block, k0), ix.modulo(channel, k0))
    first = ix.add(src.start[0], ix.scale(src.start[1], n_channels * n_taps))
    offset = ix.add(first, number, ix.scale(output, n_channels * n_taps))
    return WeightRows(space, box, row, offset)
