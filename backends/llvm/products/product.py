"""A product as the micro-kernel sees it: where its operands lie, and one tile of its sums."""

from dataclasses import dataclass

from tilelang.backends.llvm.convolution.pixels import Pixels
from tilelang.backends.llvm.products.epilogue import Epilogue
from tilelang.backends.llvm.products.panels import LANES, Method
from tilelang.backends.llvm.storage import Storage
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index


@dataclass(frozen=True, slots=True)
class Strides:
    """Where an operand starts, and how far apart its parts are, in elements."""

    pointer: str
    start: Index
    outer: int
    """From one block of 8 rows, or one panel of 16 columns, to the next."""
    k: int
    """From one block of k, or one unit of `b`, to the next."""
    row: int = 0
    """From one row of `a`, or of sums, to the next; of `b` in place, from one k to the next."""
    k_block: int = 0
    """Elements of k in a block of `a`; 0 if all of them lie side by side."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product whose operands lie in panels."""

    method: Method
    a: Strides | Pixels
    b: Strides
    c: Strides
    size: tuple[int, int, int]
    """Rows, columns, and units of k."""
    init: Condition
    rows: Index
    """Rows that exist: the accumulator may hang over its tensor's end."""
    columns: int
    """Columns that exist."""
    epilogue: Epilogue | None = None
    """What is done to the sums, which then have no memory once all of k is added."""

    @property
    def is_biased(self) -> bool:
        """Whether the stored bytes of `a` are 128 too large."""
        return self.method.a is Storage.I8_BIASED

    @property
    def is_interleaved(self) -> bool:
        """Whether units of `b` are put together from a plain array as they are loaded."""
        return self.b.row > 0 and self.method.unit > 1


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of sums: its first row and panel, its size, and the units of k to add."""

    row: Index
    panel: Index
    n_rows: int
    n_panels: int
    first: Index
    last: Index
    last_columns: int = LANES
    """Columns of the last panel that exist; behind them the sums have no memory."""

    def places(self) -> list[tuple[Index, Index]]:
        """Return the (row, column) where each vector of sums begins, row by row."""
        return [
            (
                ix.add(self.row, ix.constant(row)),
                ix.scale(ix.add(self.panel, ix.constant(panel)), LANES),
            )
            for row in range(self.n_rows)
            for panel in range(self.n_panels)
        ]

    def columns(self, number: int) -> int:
        """Return how many columns the vector of sums with this number has in memory."""
        return LANES if (number + 1) % self.n_panels else self.last_columns
