"""What the drawings of a layout show: a matrix cut into blocks, each one piece of memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import assert_never

from tilelang.dtypes import DType
from tilelang.layouts.layout import Layout, LayoutKind


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the matrix: `name` says what its index counts, in elements."""

    name: str
    size: int
    block: int

    @property
    def n_blocks(self) -> int:
        """Blocks along this side, the last of them perhaps not full."""
        return -(-self.size // self.block)


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its place in the matrix, and where it lies in memory."""

    row: int
    column: int
    number: int
    """Blocks that lie before it."""
    offset_bytes: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One array in a layout: `shape` is what the layout reorders, `lead` the dimensions before.

    Matrix layouts are drawn as they are, and ND as one block. NC1HWC0 is drawn as pixels by
    channels, FRACTAL_Z as output channels by the columns of `load3d`, (c1, r, s, c0).
    """

    layout: Layout
    lead: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: DType

    @property
    def sides(self) -> tuple[Side, Side]:
        """The side that counts rows and the one that counts columns."""
        kind, c0 = self.layout.kind, self.layout.c0
        match kind:
            case LayoutKind.ND:
                n_rows, n_columns = self.shape
                return Side("row", n_rows, max(n_rows, 1)), Side(
                    "column", n_columns, max(n_columns, 1)
                )
            case LayoutKind.NZ | LayoutKind.ZZ | LayoutKind.ZN | LayoutKind.NN:
                names = [name.lower() for name in self.layout.rule.names]
                first, second = map(Side, names, self.shape, self.layout.block)
                return first, second
            case LayoutKind.NC1HWC0:
                channels, height, width = self.shape
                n_pixels = height * width
                return Side("h, w", n_pixels, max(n_pixels, 1)), Side("c", channels, c0)
            case LayoutKind.FRACTAL_Z:
                n_out, channels, *kernel = self.shape
                n_columns = -(-channels // c0) * prod(kernel) * c0
                return Side("o", n_out, self.layout.block[0]), Side("c1, r, s", n_columns, c0)
            case _:
                assert_never(kind)

    def element(self, row: int, column: int) -> tuple[int, ...]:
        """Return the logical index that the matrix shows at (row, column), perhaps past the end."""
        kind = self.layout.kind
        match kind:
            case LayoutKind.ND | LayoutKind.NZ | LayoutKind.ZZ | LayoutKind.ZN | LayoutKind.NN:
                return row, column
            case LayoutKind.NC1HWC0:
                return column, *divmod(row, self.shape[2])
            case LayoutKind.FRACTAL_Z:
                c1, r, s = self.tap(column)
                return row, c1 * self.layout.c0 + column % self.layout.c0, r, s
            case _:
                assert_never(kind)

    def block_size(self, row: int, column: int) -> tuple[int, int]:
        """Return how many rows and columns of a block hold elements."""
        rows, columns = self.sides
        left = column * columns.block
        n_rows = min(rows.size - row * rows.block, rows.block)
        n_columns = sum(not self.is_padding(0, left + x) for x in range(columns.block))
        return n_rows, n_columns

    def tap(self, column: int) -> tuple[int, int, int]:
        """Return (c1, r, s) of a column of FRACTAL_Z."""
        _, _, height, width = self.shape
        tap, s = divmod(column // self.layout.c0, width)
        c1, r = divmod(tap, height)
        return c1, r, s

    def is_padding(self, row: int, column: int) -> bool:
        """Return whether the matrix has no element at (row, column)."""
        rows, _ = self.sides
        if row >= rows.size:
            return True
        element = self.element(row, column)
        return any(index >= size for index, size in zip(element, self.shape, strict=True))

    def offset_bytes(self, row: int, column: int) -> int:
        """Return how many bytes lie before what the matrix shows at (row, column)."""
        return self.layout.offset(self.shape, self.element(row, column)) * self.dtype.n_bytes

    def block(self, row: int, column: int) -> Block:
        """Return the block in block row `row` and block column `column`."""
        rows, columns = self.sides
        offset = self.offset_bytes(row * rows.block, column * columns.block)
        n_bytes = rows.block * columns.block * self.dtype.n_bytes
        return Block(row, column, offset // n_bytes, offset)

    def blocks(self) -> Iterator[Block]:
        """Yield every block, by rows."""
        rows, columns = self.sides
        for row in range(rows.n_blocks):
            for column in range(columns.n_blocks):
                yield self.block(row, column)

    @property
    def block_runs_down(self) -> bool:
        """Whether memory runs down the columns of a block, rather than along its rows."""
        return self.layout.kind in (LayoutKind.ZN, LayoutKind.NN)

    @property
    def blocks_run_down(self) -> bool:
        """Whether memory runs down the columns of blocks, rather than along their rows."""
        return self.layout.kind not in (LayoutKind.ND, LayoutKind.ZZ, LayoutKind.ZN)

    @property
    def n_bytes(self) -> int:
        """Bytes of one array, padding included."""
        return prod(self.layout.physical_shape(self.shape)) * self.dtype.n_bytes

    @property
    def n_padding_bytes(self) -> int:
        """Bytes of one array that hold no element."""
        return self.n_bytes - prod(self.shape) * self.dtype.n_bytes

    @property
    def is_empty(self) -> bool:
        """Whether there is no element at all."""
        return prod((*self.lead, *self.shape)) == 0

    def row_label(self, row: int) -> str:
        """Return what stands beside a block row: the index of its first row."""
        return str(row * self.sides[0].block)

    def column_label(self, column: int) -> str:
        """Return what stands above a block column: the index of its first column."""
        start = column * self.sides[1].block
        if self.layout.kind is LayoutKind.FRACTAL_Z:
            return ",".join(map(str, self.tap(start)))
        return str(start)


def picture(layout: Layout, shape: tuple[int, ...], dtype: DType) -> Picture:
    """Return the picture of an array of `shape`; ND is shown by its last two dimensions.

    Raises:
        TileError: E0615 if `shape` has too few dimensions for `layout`.
    """
    layout.physical_shape(shape)
    rank = layout.logical_rank
    if layout.kind is LayoutKind.ND:
        shape, rank = (*(1,) * (2 - len(shape)), *shape), 2
    n_lead = len(shape) - rank
    return Picture(layout, shape[:n_lead], shape[n_lead:], dtype)


def visible(n_places: int, most: int) -> list[int | None]:
    """Return the places to draw of `n_places`: all, or the first ones, None, and the last."""
    if n_places <= most:
        return list(range(n_places))
    return [*range(most - 2), None, n_places - 1]
