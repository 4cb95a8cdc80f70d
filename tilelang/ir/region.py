"""Buffers, and the regions of them that statements read and write."""

from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import TypeAlias, assert_never

from tilelang.diagnostics import UNKNOWN, Location
from tilelang.dtypes import DType
from tilelang.ir.index import ZERO, Index
from tilelang.layouts import Layout


class Memory(Enum):
    """A level of memory; the value is its name in messages and in the text form."""

    GM = "gm"
    L1 = "l1"
    L0A = "l0a"
    L0B = "l0b"
    L0C = "l0c"
    UB = "ub"

    def __str__(self) -> str:
        """Return the name as the vendor's documents print it."""
        return self.value.upper()


@dataclass(frozen=True, slots=True)
class Buffer:
    """A tensor in global memory or a tile in an on-chip memory, known by its unique `name`.

    `shape` is logical, in elements; `layout` says where each element lies. Of an on-chip buffer the
    dimensions before the layout's own form an array of tiles.
    """

    name: str
    memory: Memory
    dtype: DType
    shape: tuple[int, ...]
    layout: Layout
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def rank(self) -> int:
        """Number of logical dimensions."""
        return len(self.shape)

    @property
    def n_bytes(self) -> int:
        """Bytes of the physical form, padding included."""
        return prod(self.layout.physical_shape(self.shape)) * self.dtype.n_bytes

    def __str__(self) -> str:
        """Return what the buffer is, as messages say it: `float16[128, 64]`."""
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Permute:
    """A view with permuted and merged dimensions: axis `a` runs over `groups[a]`, row-major.

    The dimensions of a group are adjacent and ascending; every dimension occurs once.
    """

    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class AsMatrix:
    """Weights of shape [O, C, R, S] seen as the matrix [C1 * R * S * C0, O] of `Img2col`'s columns.

    Row `((c1 * R + r) * S + s) * C0 + c0` is channel `c1 * C0 + c0`, which may lie past the end.
    `C0` is the buffer's `dtype.k0`.
    """


View: TypeAlias = Permute | AsMatrix


def identity(rank: int) -> Permute:
    """Return the view that changes nothing."""
    return Permute(tuple((axis,) for axis in range(rank)))


def view_shape(buffer: Buffer, view: View) -> tuple[int, ...]:
    """Return the shape of `buffer` seen through `view`."""
    match view:
        case Permute(groups):
            return tuple(prod(buffer.shape[axis] for axis in group) for group in groups)
        case AsMatrix():
            n_out, n_channels, *kernel = buffer.shape
            k0 = buffer.dtype.k0
            return (-(-n_channels // k0) * prod(kernel) * k0, n_out)
        case _:
            assert_never(view)


@dataclass(frozen=True, slots=True)
class Region:
    """A box of `buffer` seen through `view`: along axis `a`, `extent[a]` elements `step[a]` apart.

    `start` may be negative or past the end: of a tensor in GM, what lies outside is overhang.
    An axis of extent None is a single element at `start` and no dimension of the region's shape.
    """

    buffer: Buffer
    view: View
    start: tuple[Index, ...]
    step: tuple[int, ...]
    extent: tuple[int | None, ...]
    loc: Location = field(default=UNKNOWN, compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the axes that are not single elements."""
        return tuple(extent for extent in self.extent if extent is not None)

    @property
    def spanned(self) -> tuple[int, ...]:
        """The axes that are not single elements, in order."""
        return tuple(axis for axis, extent in enumerate(self.extent) if extent is not None)

    @property
    def is_whole(self) -> bool:
        """Whether the region is all of the buffer, in its own order."""
        return (
            self.extent == self.buffer.shape
            and self.view == identity(self.buffer.rank)
            and all(start == ZERO for start in self.start)
            and all(step == 1 for step in self.step)
        )


def whole(buffer: Buffer, loc: Location = UNKNOWN) -> Region:
    """Return the region that is all of `buffer`."""
    rank = buffer.rank
    return Region(buffer, identity(rank), (ZERO,) * rank, (1,) * rank, buffer.shape, loc)
