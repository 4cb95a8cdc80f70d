"""Where the elements of a buffer lie: every axis as strides, in elements.

Tensors in GM have the kernel's layout. On-chip tiles have it too, with two changes that no kernel
can see: rows of row-major tiles in UB are padded to whole blocks, and a tile whose last dimension
is 1 holds each element 16 times, so that vector instructions can read it as a row of equal lanes.
"""

from dataclasses import dataclass
from math import prod

from tilelang.backends.tik.instructions import Scope, TikType
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import AsMatrix, Buffer, Memory, Region
from tilelang.layouts import ND, Layout
from tilelang.layouts.rule import Digit, Part

SCOPES = {
    Memory.GM: Scope.GM,
    Memory.L1: Scope.L1,
    Memory.L0A: Scope.L0A,
    Memory.L0B: Scope.L0B,
    Memory.L0C: Scope.L0C,
    Memory.UB: Scope.UB,
}
SPREAD_LANES = 16
"""How often a tile with a last dimension of 1 holds each element."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Positions along an axis: `inner` elements apart inside blocks of `block`, `outer` apart.

    `block` 0 stands for one endless block. Positions from `size` to `room` are padding.
    """

    size: int
    inner: int
    block: int = 0
    outer: int = 0
    room: int = 0

    def offset(self, position: Index) -> Index:
        """Return the elements from the start of the axis to `position`."""
        if not self.block:
            return ix.scale(position, self.inner)
        whole = ix.scale(ix.floor_div(position, self.block), self.outer)
        return ix.add(whole, ix.scale(ix.modulo(position, self.block), self.inner))

    def stride(self, unit: int) -> int:
        """Return the elements between positions `unit` apart, both multiples of `unit`."""
        if not self.block or unit < self.block:
            return unit * self.inner
        return unit // self.block * self.outer


@dataclass(frozen=True, slots=True)
class Form:
    """The physical form of a buffer: its tensor's name, dtype and shape, and its axes."""

    buffer: Buffer
    name: str
    dtype: TikType
    scope: Scope
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    is_spread: bool = False

    @property
    def per_block(self) -> int:
        """Elements of a block of 32 bytes."""
        return self.dtype.per_block


def form_of(buffer: Buffer, name: str, *, is_own: bool = False) -> Form:
    """Return the physical form of `buffer`, whose tensor is called `name`.

    Rows of a row-major tensor that is the kernel's own, workspace, are padded to whole blocks.
    """
    dtype, scope = TikType(buffer.dtype.value), SCOPES[buffer.memory]
    if buffer.memory is Memory.UB:
        return _ub_form(buffer, name, dtype)
    if is_own and buffer.layout == ND and buffer.shape:
        return _padded_form(buffer, name, buffer.shape)
    shape = buffer.layout.physical_shape(buffer.shape) or (1,)
    return Form(buffer, name, dtype, scope, shape, layout_axes(buffer.layout, buffer.shape))


def _ub_form(buffer: Buffer, name: str, dtype: TikType) -> Form:
    shape = buffer.shape or (1,)
    if shape[-1] == 1:
        widened = (*shape[:-1], SPREAD_LANES)
        axes = (*layout_axes(ND, widened)[:-1], Axis(1, 0, room=1))
        return Form(buffer, name, dtype, Scope.UB, widened, axes, is_spread=True)
    layout = buffer.layout
    # Blocks of 16 bytes are not addressable, so 8-bit tiles behind the cube are row-major.
    if layout == ND or dtype.n_bytes == 1:
        return _padded_form(buffer, name, shape)
    axes = layout_axes(layout, shape)
    return Form(buffer, name, dtype, Scope.UB, layout.physical_shape(shape), axes)


def _padded_form(buffer: Buffer, name: str, shape: tuple[int, ...]) -> Form:
    padded = (*shape[:-1], row_length(shape[-1], buffer.dtype))
    *lead, last = layout_axes(ND, padded)
    axes = (*lead, Axis(shape[-1], last.inner, room=padded[-1]))
    dtype, scope = TikType(buffer.dtype.value), SCOPES[buffer.memory]
    return Form(buffer, name, dtype, scope, padded, axes)


def row_length(n_columns: int, dtype: DType) -> int:
    """Return the elements of a row in UB: a multiple of 16, and of a block."""
    unit = max(16, dtype.k0)
    return -(-n_columns // unit) * unit


def layout_axes(layout: Layout, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the axes of a logical array of `shape` in `layout`."""
    rank = layout.logical_rank
    n_lead = len(shape) - rank
    own = shape[n_lead:]
    blocks = layout.block_shape
    extents = {digit: _extent(digit, own, blocks) for digit in layout.rule.digits}
    strides = _strides(layout, extents)
    total = prod(extents.values())
    lead = [
        Axis(shape[i], total * prod(shape[i + 1 : n_lead]), room=shape[i]) for i in range(n_lead)
    ]
    return (*lead, *(_axis(i, own[i], blocks[i], strides) for i in range(rank)))


def _extent(digit: Digit, own: tuple[int, ...], blocks: tuple[int, ...]) -> int:
    size, block = own[digit.axis], blocks[digit.axis]
    if digit.part is Part.WHOLE:
        return size
    return block if digit.part is Part.INSIDE else -(-size // block)


def _strides(layout: Layout, extents: dict[Digit, int]) -> dict[Digit, int]:
    strides: dict[Digit, int] = {}
    step = 1
    for digit in reversed(layout.rule.digits):
        strides[digit] = step
        step *= extents[digit]
    return strides


def _axis(axis: int, size: int, block: int, strides: dict[Digit, int]) -> Axis:
    if Digit(axis, Part.WHOLE) in strides:
        return Axis(size, strides[Digit(axis, Part.WHOLE)], room=size)
    inner, outer = strides[Digit(axis, Part.INSIDE)], strides[Digit(axis, Part.BLOCK)]
    room = -(-size // block) * block
    if outer == inner * block:
        return Axis(size, inner, room=room)
    return Axis(size, inner, block, outer, room)


def view_axes(form: Form, region: Region) -> tuple[Axis, ...] | None:
    """Return the axes of `region`'s view; None if merged dimensions are not evenly spaced."""
    match region.view:
        case AsMatrix():
            out, channel, _, last = form.axes
            size = channel.room * form.axes[2].size * last.size
            return (Axis(size, channel.inner, channel.block or channel.room, last.inner, size), out)
        case _:
            merged = [_merge([form.axes[axis] for axis in group]) for group in region.view.groups]
            return tuple(merged) if None not in merged else None  # pyright: ignore[reportReturnType]


def _merge(axes: list[Axis]) -> Axis | None:
    merged = axes[-1]
    for axis in reversed(axes[:-1]):
        gaps = axis.inner != merged.inner * merged.size
        if axis.block or merged.block or gaps:
            if axis.size != 1:
                return None
            continue
        merged = Axis(axis.size * merged.size, merged.inner, room=axis.size * merged.size)
    return merged
