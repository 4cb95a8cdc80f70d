"""The operands of statements: which tile, which region of it, and how to find it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from tilelang.backends.numpy.indices import Variables
from tilelang.backends.numpy.places import Locate, locate, locate_img2col
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col, Map, Mmad, Move, Reduce
from tilelang.ir.region import Buffer, Region
from tilelang.ir.source_index import Element, region_element, source_index

Operation: TypeAlias = Move | Img2col | Mmad | Map | Reduce
"""A statement that reads or writes tiles itself (`Matmul` was expanded before)."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A region that `stmt` reads or writes.

    `slot` is the number of its tile, `shape` counts the elements to be found (of an `Img2col`'s
    source those of its destination), and `trace` is the rule from those to the buffer's elements.
    `number` tells the statements of a stage apart, see `Shared`.
    """

    stmt: Operation
    region: Region
    slot: int
    number: int
    shape: tuple[int, ...]
    locate: Locate
    trace: Callable[[Sequence[Index]], tuple[Element, Condition]]

    @property
    def buffer(self) -> Buffer:
        """The buffer that the region is part of."""
        return self.region.buffer

    def element(self, position: Sequence[int], variables: Variables) -> tuple[int, ...]:
        """Return the buffer's element that lies at `position` of the region."""
        found, _ = self.trace([ix.constant(count) for count in position])
        return tuple(ix.evaluate(index, variables) for index in found)


def operand(stmt: Operation, region: Region, slot: int, number: int) -> Operand:
    """Return `region` as an operand of `stmt`."""
    trace = partial(region_element, region)
    return Operand(stmt, region, slot, number, region.shape, locate(region), trace)


def img2col_source(stmt: Img2col, slot: int) -> Operand:
    """Return the source of `stmt`, found element by element of its destination."""
    trace = partial(source_index, stmt)
    return Operand(stmt, stmt.src, slot, 0, stmt.dst.shape, locate_img2col(stmt), trace)
