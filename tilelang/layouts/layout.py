"""A layout: the rule from logical to physical indices, its inverse, and both applied to arrays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.layouts.rule import Digit, Part, Rule, read_rule

FRACTAL_ROWS = 16
"""Rows of a fractal, whatever the dtype (TIK reference, "fractal")."""

Item = TypeVar("Item")


class LayoutKind(Enum):
    """The rule of a layout; the value is its name in signatures and in the text form."""

    ND = "ND"
    NZ = "NZ"
    ZZ = "ZZ"
    ZN = "ZN"
    NN = "NN"
    NC1HWC0 = "NC1HWC0"
    FRACTAL_Z = "FRACTAL_Z"


# The last physical dimension is one row of a block, so it has c0 elements; the other digit with a 0
# has 16 (TIK reference, mmad: L0A is zZ, L0B nZ, L0C zN, the inside first).
RULES: Mapping[LayoutKind, Rule] = {
    LayoutKind.ND: read_rule("->"),
    LayoutKind.NZ: read_rule("M K -> K1 M1 M0 K0"),
    LayoutKind.ZZ: read_rule("M K -> M1 K1 M0 K0"),
    LayoutKind.ZN: read_rule("K N -> K1 N1 N0 K0"),
    LayoutKind.NN: read_rule("K N -> N1 K1 N0 K0"),
    LayoutKind.NC1HWC0: read_rule("C H W -> C1 H W C0"),
    LayoutKind.FRACTAL_Z: read_rule("O C R S -> (C1 R S) O1 O0 C0"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A rule from logical to physical indices; `c0` is the innermost block width, 0 for ND.

    A rule reorders the last `logical_rank` dimensions and leaves those before as they are. Where a
    block is not full, the rest of it is padding. Methods that take a `shape` raise TileError E0615
    if it has too few dimensions.
    """

    kind: LayoutKind
    c0: int = 0

    def __str__(self) -> str:
        """Return the kind's name."""
        return self.kind.value

    @property
    def rule(self) -> Rule:
        """The rule, as names and digits."""
        return RULES[self.kind]

    @property
    def logical_rank(self) -> int:
        """How many trailing logical dimensions the rule reorders (0 for ND)."""
        return len(self.rule.names)

    @property
    def block_shape(self) -> tuple[int, ...]:
        """What each reordered dimension is padded to a multiple of, 1 where it is not split."""
        return tuple(self._block_size(axis) for axis in range(self.logical_rank))

    @property
    def block(self) -> tuple[int, int]:
        """What the last two (NC1HWC0, FRACTAL_Z: first two) reordered dimensions are padded to."""
        first, second, *_ = (*self.block_shape, 1, 1)
        return first, second

    def physical_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the array that holds a logical array of `shape`, padding included."""
        lead, own = self._split(shape, shape)
        extents = self._extents(own)
        return (*lead, *(prod(extents[d] for d in group) for group in self.rule.physical))

    def physical_index(self, shape: tuple[int, ...], element: Sequence[Index]) -> tuple[Index, ...]:
        """Return where `element` of a logical array of `shape` lies in the physical array."""
        lead, own = self._split(shape, tuple(element))
        _, sizes = self._split(shape, shape)
        digits = {digit: self._digit(own[digit.axis], digit) for digit in self.rule.digits}
        extents = self._extents(sizes)
        groups = self.rule.physical
        return (*lead, *(_ravel([digits[d] for d in g], [extents[d] for d in g]) for g in groups))

    def logical_index(
        self, shape: tuple[int, ...], physical: Sequence[Index]
    ) -> tuple[tuple[Index, ...], Condition]:
        """Return the element that lies at `physical`, and the condition that it is not padding.

        `physical` is in range. Of padding the element is past the end of `shape`.
        """
        _, sizes = self._split(shape, shape)
        n_lead = len(shape) - self.logical_rank
        extents = self._extents(sizes)
        digits: dict[Digit, Index] = {}
        for group, index in zip(self.rule.physical, physical[n_lead:], strict=True):
            digits.update(zip(group, _unravel(index, [extents[d] for d in group]), strict=True))
        own = [self._index(axis, digits) for axis in range(self.logical_rank)]
        exists = cond.conjunction(
            *(
                cond.less(index, ix.constant(size))
                for index, size, block in zip(own, sizes, self.block_shape, strict=True)
                if size % block
            )
        )
        return (*physical[:n_lead], *own), exists

    def offset(self, shape: tuple[int, ...], element: Sequence[int]) -> int:
        """Return how many elements lie in memory before `element`, padding included."""
        indices = self.physical_index(shape, [ix.constant(i) for i in element])
        return _ravel(indices, self.physical_shape(shape)).constant

    def element_at(self, shape: tuple[int, ...], offset: int) -> tuple[int, ...] | None:
        """Return the element that lies `offset` elements into memory, None for padding."""
        physical = _unravel(ix.constant(offset), self.physical_shape(shape))
        element, exists = self.logical_index(shape, physical)
        return tuple(index.constant for index in element) if exists == cond.TRUE else None

    def pack(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the physical array of a logical one, in C order; padding is zero.

        ND returns `array` itself.
        """
        if self.kind is LayoutKind.ND:
            return array
        lead, own = self._split(array.shape, array.shape)
        padded = np.zeros((*lead, *self._padded(own)), array.dtype)
        padded[(..., *(slice(size) for size in own))] = array
        extents = self._extents(own)
        memory, logical = self.rule.digits, self.rule.logical_digits
        split = padded.reshape(*lead, *(extents[digit] for digit in logical))
        moved = split.transpose(_moved(len(lead), logical, memory))
        return np.ascontiguousarray(moved).reshape(self.physical_shape(array.shape))

    def unpack(self, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the logical array of `shape` that the physical `array` holds.

        ND returns `array` itself.

        Raises:
            TileError: E0615 if `array` has not the shape `physical_shape(shape)`.
        """
        lead, own = self._split(shape, shape)
        if array.shape != self.physical_shape(shape):
            raise TileError(self._mismatch(array.shape, shape))
        if self.kind is LayoutKind.ND:
            return array
        extents = self._extents(own)
        memory, logical = self.rule.digits, self.rule.logical_digits
        split = array.reshape(*lead, *(extents[digit] for digit in memory))
        moved = split.transpose(_moved(len(lead), memory, logical))
        padded = moved.reshape(*lead, *self._padded(own))
        return padded[(..., *(slice(size) for size in own))]

    def _split(
        self, shape: tuple[int, ...], items: tuple[Item, ...]
    ) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
        """Return `items`, one a dimension of `shape`, as (those left alone, those reordered)."""
        n_lead = len(shape) - self.logical_rank
        if n_lead < 0:
            raise TileError(self._too_few(shape))
        return items[:n_lead], items[n_lead:]

    def _block_size(self, axis: int) -> int:
        inside = Digit(axis, Part.INSIDE)
        if inside not in self.rule.digits:
            return 1
        return self.c0 if inside == self.rule.digits[-1] else FRACTAL_ROWS

    def _padded(self, own: Sequence[int]) -> list[int]:
        return [-(-n // block) * block for n, block in zip(own, self.block_shape, strict=True)]

    def _extents(self, own: Sequence[int]) -> dict[Digit, int]:
        """Return how many values each digit takes, of reordered dimensions of sizes `own`."""
        return {digit: self._extent(own[digit.axis], digit) for digit in self.rule.digits}

    def _extent(self, size: int, digit: Digit) -> int:
        block = self._block_size(digit.axis)
        match digit.part:
            case Part.WHOLE:
                return size
            case Part.BLOCK:
                return -(-size // block)
            case Part.INSIDE:
                return block
            case _:
                assert_never(digit.part)

    def _index(self, axis: int, digits: Mapping[Digit, Index]) -> Index:
        """Return the index along dimension `axis` that has `digits`."""
        block = self._block_size(axis)
        return ix.add(
            *(
                ix.scale(value, block if digit.part is Part.BLOCK else 1)
                for digit, value in digits.items()
                if digit.axis == axis
            )
        )

    def _digit(self, index: Index, digit: Digit) -> Index:
        """Return `digit` of the index along its dimension."""
        block = self._block_size(digit.axis)
        match digit.part:
            case Part.WHOLE:
                return index
            case Part.BLOCK:
                return ix.floor_div(index, block)
            case Part.INSIDE:
                return ix.modulo(index, block)
            case _:
                assert_never(digit.part)

    def _mismatch(self, found: tuple[int, ...], shape: tuple[int, ...]) -> Diagnostic:
        wanted = self.physical_shape(shape)
        return Diagnostic(
            "E0615",
            f"the array has shape {list(found)}, but {list(shape)} in layout {self} is an array of "
            f"shape {list(wanted)}",
            hint="give the physical array, with its padding; `pack` makes one",
        )

    def _too_few(self, shape: tuple[int, ...]) -> Diagnostic:
        names = ", ".join(self.rule.names)
        return Diagnostic(
            "E0615",
            f"layout {self} reorders {self.logical_rank} dimensions [{names}], but the shape "
            f"{list(shape)} has {len(shape)}",
            hint=f"give a shape that ends in [{names}], or use layout ND",
        )


ND = Layout(LayoutKind.ND)


def layout_for(kind: LayoutKind, dtype: DType) -> Layout:
    """Return the layout of `kind` for `dtype`: blocks of 32 bytes a row."""
    return ND if kind is LayoutKind.ND else Layout(kind, dtype.k0)


def _ravel(indices: Iterable[Index], extents: Sequence[int]) -> Index:
    """Return the row-major number of a place in an array of `extents`."""
    total = ix.ZERO
    for index, extent in zip(indices, extents, strict=True):
        total = ix.add(ix.scale(total, extent), index)
    return total


def _unravel(index: Index, extents: Sequence[int]) -> list[Index]:
    """Return the place in an array of `extents` of the row-major number `index`."""
    place: list[Index] = []
    for extent in reversed(extents[1:]):
        place.append(ix.modulo(index, max(extent, 1)))
        index = ix.floor_div(index, max(extent, 1))
    return [index, *reversed(place)]


def _moved(n_lead: int, digits: Sequence[Digit], order: Sequence[Digit]) -> list[int]:
    """Return the axes for a transpose from `digits` to `order`, behind `n_lead` left alone."""
    return [*range(n_lead), *(n_lead + digits.index(digit) for digit in order)]
