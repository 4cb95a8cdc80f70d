"""Where the elements of a buffer lie: one rule for the layouts and for the backend's own packings.

A form is a list of digits: the offset of an element is the sum of
`(index[axis] // divisor % modulus) * stride`. Every layout of the language is one, and so are the
operand panels of the micro-kernels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import assert_never

from tilelang.backends.llvm.storage import Storage, plain
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import Buffer
from tilelang.layouts import Layout, LayoutKind
from tilelang.layouts.rule import Digit as LayoutDigit
from tilelang.layouts.rule import Part


@dataclass(frozen=True, slots=True)
class Digit:
    """One physical dimension: `index[axis] // divisor % modulus`, `stride` elements apart.

    A modulus of 0 takes no remainder.
    """

    axis: int
    divisor: int
    modulus: int
    stride: int


@dataclass(frozen=True, slots=True)
class Form:
    """The stored form of a buffer: its digits, and how many elements it takes."""

    storage: Storage
    digits: tuple[Digit, ...]
    n_elements: int
    is_padded: bool = False
    """Whether there are elements that no logical index reaches."""
    origin: int = 0
    """The offset of the first logical element: so many lie unused before it."""

    @property
    def n_bytes(self) -> int:
        """Bytes of the whole buffer."""
        return self.n_elements * self.storage.n_bytes

    def offset(self, element: Sequence[Index]) -> Index:
        """Return the offset of a logical element, in elements from the start of the buffer."""
        parts = (ix.scale(_digit_value(d, element[d.axis]), d.stride) for d in self.digits)
        return ix.add(ix.constant(self.origin), *parts)

    def of_axis(self, axis: int) -> tuple[Digit, ...]:
        """Return the digits of one axis, coarsest first."""
        own = [digit for digit in self.digits if digit.axis == axis]
        return tuple(sorted(own, key=lambda digit: -digit.divisor))


def layout_form(buffer: Buffer) -> Form:
    """Return the form that is the buffer's own layout, as arrays from outside have it."""
    return packed(buffer.shape, _sources(buffer.layout, buffer.rank), plain(buffer.dtype))


def packed(
    shape: tuple[int, ...],
    order: Sequence[tuple[int, int, int]],
    storage: Storage,
    *,
    gap: tuple[int, int] = (-1, 0),
) -> Form:
    """Return the form with physical dimensions `order`: (axis, divisor, modulus) each.

    `gap` is the place of a dimension, and how many elements lie unused behind each of its steps.
    """
    sizes = [modulus or -(-shape[axis] // divisor) for axis, divisor, modulus in order]
    strides, stride = [0] * len(sizes), 1
    for place in reversed(range(len(sizes))):
        strides[place] = stride + (gap[1] if place == gap[0] else 0)
        stride = strides[place] * sizes[place]
    digits = tuple(Digit(*source, stride) for source, stride in zip(order, strides, strict=True))
    return Form(storage, digits, stride, stride != prod(shape))


def row_major_digits(shape: tuple[int, ...]) -> tuple[Digit, ...]:
    """Return the digits of a plain array."""
    return tuple(Digit(axis, 1, 0, prod(shape[axis + 1 :])) for axis in range(len(shape)))


def _digit_value(digit: Digit, index: Index) -> Index:
    whole = ix.floor_div(index, digit.divisor) if digit.divisor > 1 else index
    return ix.modulo(whole, digit.modulus) if digit.modulus else whole


def _sources(layout: Layout, rank: int) -> list[tuple[int, int, int]]:
    """Return (axis, divisor, modulus) of every digit of the layout, in the order of memory."""
    n_lead = rank - layout.logical_rank
    if layout.kind is LayoutKind.ND:
        n_lead = rank
    lead = [(axis, 1, 0) for axis in range(n_lead)]
    blocks = layout.block_shape
    return lead + [_source(digit, n_lead, blocks[digit.axis]) for digit in layout.rule.digits]


def _source(digit: LayoutDigit, n_lead: int, block: int) -> tuple[int, int, int]:
    axis = n_lead + digit.axis
    match digit.part:
        case Part.WHOLE:
            return axis, 1, 0
        case Part.BLOCK:
            return axis, block, 0
        case Part.INSIDE:
            return axis, 1, block
        case _:
            assert_never(digit.part)
