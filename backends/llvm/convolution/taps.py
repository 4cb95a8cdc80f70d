"""What of a convolution's products is not zero: the taps that lie on the map, and its channels.

A window that hangs over multiplies zeros by weights, and a block of few channels zeros by zeros.
Such a product adds a zero to a sum, if its weight is finite, so it may be left out: of a 7 by 7 map
under a 3 by 3 window 18 % of all, of 3 channels in blocks of 16 more than four fifths. That is
possible where a product has all taps of whole rows of output positions; then which taps lie on the
map is known, by the row at run time and by the column here.

The sign of a zero is kept too: a sum of float16 products is never -0, to which +0 adds up to +0,
for it starts from +0 and no product is so small that it vanishes. In other floats some are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod

from tilelang.backends.llvm.convolution.pixels import Pixels
from tilelang.backends.llvm.convolution.slabs import Columns
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.panels import tile_of
from tilelang.backends.llvm.products.product import Product
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Mmad


@dataclass(frozen=True, slots=True)
class Run:
    """Taps side by side that lie on the map for the same pixels of a part."""

    first: int
    count: int
    pixels: tuple[int, ...]
    """The numbers of these pixels in their part."""


@dataclass(frozen=True, slots=True)
class Part:
    """`size` output positions side by side from column `first` on, and `count - 1` more like it."""

    first: int
    size: int
    count: int
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Planes:
    """Blocks of channels from `first` on, `count` of them, with so many channels each."""

    first: Index
    count: int
    n_channels: int


@dataclass(frozen=True, slots=True)
class Taps:
    """A left operand that is all taps of `n_rows` rows of output positions, from `row` on."""

    pixels: Pixels
    row: Index
    n_rows: int
    planes: tuple[Planes, ...]
    """All of them whole, or the last one with fewer channels."""

    @property
    def columns(self) -> Columns:
        """The windows."""
        return self.pixels.columns

    def kernel_rows(self, row: Index) -> tuple[Index, Index]:
        """Return the first row of the window that lies on the map, and the one behind the last."""
        window, (_, height, _) = self.columns.load.window, self.columns.load.src.shape
        n_rows, down = window.kernel[0], window.dilation[0]
        above = ix.subtract(ix.constant(window.padding[0]), ix.scale(row, window.stride[0]))
        low = ix.floor_div(ix.add(above, ix.constant(down - 1)), down)
        high = ix.floor_div(ix.add(above, ix.constant(height + down - 1)), down)
        return ix.maximum(ix.ZERO, low), ix.minimum(ix.constant(n_rows), high)

    def parts(self, most: int) -> Iterator[Part]:
        """Yield the parts of a row of output positions, of at most so many, as even as can be."""
        (_, size), place = self.columns.output, 0
        n_parts = -(-size // most)
        cut: list[tuple[int, int]] = []
        for number in range(n_parts):
            width = size // n_parts + (number < size % n_parts)
            cut.append((place, width))
            place += width
        for (width, runs), alike in groupby(cut, lambda part: (part[1], self._runs(*part))):
            first, *others = alike
            yield Part(first[0], width, 1 + len(others), runs)

    def _runs(self, first: int, size: int) -> tuple[Run, ...]:
        n_taps = self.columns.load.window.kernel[1]
        pixels = [self._pixels(first, size, tap) for tap in range(n_taps)]
        return tuple(
            Run(taps[0], len(taps), alike)
            for alike, group in groupby(range(n_taps), pixels.__getitem__)
            if alike and (taps := list(group))
        )

    def _pixels(self, first: int, size: int, tap: int) -> tuple[int, ...]:
        """Return the pixels of a part whose tap in this column of the window is on the map."""
        window, width = self.columns.load.window, self.columns.load.src.shape[2]
        start = tap * window.dilation[1] - window.padding[2]
        places = [(first + pixel) * window.stride[1] + start for pixel in range(size)]
        return tuple(pixel for pixel, place in enumerate(places) if 0 <= place < width)


def find_taps(frame: Frame, stmt: Mmad, product: Product) -> Taps | None:
    """Return the taps of a product, None where no zero is known or none may be left out."""
    pixels, is_sum = product.a, stmt.dst.buffer.name in frame.windows.sums
    if not isinstance(pixels, Pixels) or not is_sum or product.b.row:
        return None
    load, n_positions = pixels.columns.load, product.size[0]
    height, width = pixels.columns.output
    first = frame.simplified(ix.add(load.row, pixels.row))
    row = frame.simplified(ix.floor_div(first, width))
    taps = Taps(pixels, row, n_positions // width, _planes(frame, product, pixels))
    is_whole = first == ix.scale(row, width) and n_positions % width == 0
    is_inside = ix.bounds(row, frame.ranges)[1] + taps.n_rows <= height
    has_zeros = any(load.window.padding) or load.src.shape[0] % pixels.columns.slab.k0
    if not (taps.planes and is_whole and is_inside and has_zeros):
        return None
    return taps if 2 * width >= tile_of(frame.host)[0] else None  # else too few sums at a time


def _planes(frame: Frame, product: Product, pixels: Pixels) -> tuple[Planes, ...]:
    """Return the blocks of channels that a product has; none if some of them is not whole."""
    columns = pixels.columns
    n_channels, k0 = columns.load.src.shape[0], columns.slab.k0
    n_columns = k0 * prod(columns.load.window.kernel)
    column = frame.simplified(pixels.column)
    if product.size[2] % n_columns or ix.known_divisor(column) % n_columns:
        return ()
    first, count = ix.floor_div(column, n_columns), product.size[2] // n_columns
    if n_channels % k0 == 0:
        return (Planes(first, count, k0),)
    if not first.is_constant:
        return ()
    n_full = min(count, n_channels // k0 - first.constant)
    rest = Planes(ix.constant(first.constant + n_full), count - n_full, n_channels % k0)
    return tuple(part for part in (Planes(first, n_full, k0), rest) if part.count)
