"""Slabs: feature maps as the cube reads them in place, and where a window's columns lie in them.

With NC1HWC0 the channels of a pixel lie side by side, so an element of the matrix of windows is a
pixel of the map, moved by a tap of the window, and a channel. A slab is the map as the cube
multiplies it, with zeros around it where windows hang over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from tilelang.backends.llvm.form import Digit, Form
from tilelang.backends.llvm.storage import Storage
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col
from tilelang.ir.source_index import unravel


@dataclass(frozen=True, slots=True)
class Slab:
    """How a map of shape [..., C, H, W] is stored: planes of `k0` channels, rows of pixels.

    Before its first pixel a plane has `top` rows and `left` pixels of zeros, behind every row `gap`
    pixels, which are also what lies left of the next row, and behind its last row `below` rows.
    """

    shape: tuple[int, ...]
    k0: int
    storage: Storage
    top: int
    left: int
    gap: int
    below: int
    takes_blocks: bool = False
    """Whether every move into it sets whole blocks of channels, those that do not exist to zero."""

    @property
    def pitch(self) -> int:
        """Pixels from row to row."""
        return self.shape[-1] + self.gap

    @property
    def plane(self) -> int:
        """Pixels of a plane."""
        return self.left + (self.top + self.shape[-2] + self.below) * self.pitch

    @property
    def origin(self) -> int:
        """Pixels before the first one of the map."""
        return self.left + self.top * self.pitch

    @property
    def n_planes(self) -> int:
        """Planes of all maps in the buffer."""
        *lead, channels, _, _ = self.shape
        return prod(lead) * -(-channels // self.k0)

    @property
    def form(self) -> Form:
        """The form of the buffer, in elements."""
        *lead, channels, _, _ = self.shape
        rank, k0, stride = len(self.shape), self.k0, self.plane * self.k0
        strides = [stride * -(-channels // k0) * prod(lead[axis + 1 :]) for axis in range(rank - 3)]
        digits = (
            *(Digit(axis, 1, 0, far) for axis, far in enumerate(strides)),
            Digit(rank - 3, k0, 0, stride),
            Digit(rank - 2, 1, 0, self.pitch * k0),
            Digit(rank - 1, 1, 0, k0),
            Digit(rank - 3, 1, k0, 1),
        )
        return Form(self.storage, digits, self.n_planes * stride, True, self.origin * k0)

    def zeros(self) -> Iterator["Run"]:
        """Yield the pixels of a plane of which no move sets all channels."""
        *_, channels, height, width = self.shape
        if channels % self.k0 and not self.takes_blocks:
            yield Run(0, self.plane)
            return
        yield Run(0, self.origin)
        yield Run(self.origin + width, self.gap, height, self.pitch)
        end = self.origin + height * self.pitch
        yield Run(end, self.plane - end)


@dataclass(frozen=True, slots=True)
class Run:
    """So many pixels side by side, `count` times, `step` pixels apart."""

    first: int
    size: int
    count: int = 1
    step: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """An operand of the cube that is read from its map: the `load3d` that would fill it."""

    load: Img2col
    slab: Slab

    @property
    def n_columns(self) -> int:
        """Columns of all windows of the map."""
        return n_columns(self.load)

    @property
    def output(self) -> tuple[int, int]:
        """The (height, width) of the output map."""
        return self.load.window.output(*self.load.src.shape[1:])

    def offset(self, row: Index, column: Index) -> Index:
        """Return the offset of an element of the operand in the slab."""
        return ix.add(self.pixel(row), self.column(ix.add(self.load.column, column)))

    def pixel(self, row: Index) -> Index:
        """Return the offset of the first tap and channel of the operand's row, in elements.

        A row past the last output position reads the zeros below the map.
        """
        n_rows, n_columns = self.output
        position = ix.minimum(ix.add(self.load.row, row), ix.constant(n_rows * n_columns))
        oh, ow = unravel(position, (n_rows, n_columns))
        top, height, down = self.load.window.padding[0], self.load.src.shape[1], self._down
        below = ix.scale(ix.floor_div(oh, n_rows), height + top - n_rows * down)
        return ix.add(self.window(oh, ow), ix.scale(below, self.slab.pitch * self.slab.k0))

    def window(self, oh: Index, ow: Index) -> Index:
        """Return the offset of the first tap and channel of an output position, in elements."""
        top, _, left, _ = self.load.window.padding
        y = ix.add(ix.scale(oh, self._down), ix.constant(-top))
        x = ix.add(ix.scale(ow, self.load.window.stride[1]), ix.constant(-left))
        pixel = ix.add(ix.scale(y, self.slab.pitch), x)
        start = self.slab.form.offset(self.load.src.start)
        return ix.add(start, ix.scale(pixel, self.slab.k0))

    @property
    def pixel_stride(self) -> int:
        """Elements from an output position to the next in its row."""
        return self.load.window.stride[1] * self.slab.k0

    def column(self, number: Index) -> Index:
        """Return how far a column of the windows lies behind a row's first tap, in elements."""
        n_planes = -(-self.load.src.shape[0] // self.slab.k0)
        shape = (n_planes, *self.load.window.kernel, self.slab.k0)
        plane, kh, kw, channel = unravel(number, shape)
        return ix.add(self.tap(plane, kh, kw), channel)

    def number(self, plane: Index, kh: Index, kw: Index) -> Index:
        """Return the number of the first column of a tap."""
        height, width = self.load.window.kernel
        row = ix.add(ix.scale(plane, height), kh)
        return ix.scale(ix.add(ix.scale(row, width), kw), self.slab.k0)

    def tap(self, plane: Index, kh: Index, kw: Index) -> Index:
        """Return how far a tap lies behind a row's first tap, in elements."""
        down, right = self.load.window.dilation
        pixel = ix.add(
            ix.scale(plane, self.slab.plane),
            ix.scale(kh, down * self.slab.pitch),
            ix.scale(kw, right),
        )
        return ix.scale(pixel, self.slab.k0)

    @property
    def _down(self) -> int:
        return self.load.window.stride[0]


def n_columns(load: Img2col) -> int:
    """Return the columns of all windows of a map."""
    channels, k0 = load.src.shape[0], load.src.buffer.dtype.k0
    return -(-channels // k0) * k0 * prod(load.window.kernel)
