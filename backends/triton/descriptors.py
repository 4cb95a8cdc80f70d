"""Which blocks of global memory a tensor descriptor can move, and which need pointers and masks.

A descriptor moves a box whose rows are contiguous, fills what hangs over with zeros and drops it on
a store, all in the copy engine. It wants rows a multiple of 16 bytes apart, and at least 16 bytes
of each (CUDA driver API, cuTensorMapEncodeTiled; Triton checks the former itself). Triton wants a
box to start at a multiple of 16 bytes in its row as well (its interpreter checks that).
"""

from dataclasses import dataclass
from math import prod

from tilelang.backends.triton.blocks import Place, lane
from tilelang.backends.triton.names import has_lanes
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index, known_divisor
from tilelang.ir.region import Buffer
from tilelang.layouts import LayoutKind

PITCH_BYTES = 16
"""What row pitches and starts must be a multiple of, and the least bytes of a row of a box."""
MAX_RANK = 5
"""Dimensions of a box."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A tensor seen in boxes of `block`; the parameter of a kernel that stands for it.

    `pitch` is how many elements lie between rows: more than there are where the launcher copies the
    tensor first, because its own rows do not start at multiples of 16 bytes.
    """

    tensor: Buffer
    block: tuple[int, ...]
    pitch: int

    @property
    def is_copied(self) -> bool:
        """Whether the launcher copies the tensor."""
        return self.pitch != self.tensor.shape[-1]


@dataclass(frozen=True, slots=True)
class Box:
    """A block as a descriptor moves it: `start` of each axis, and the lanes of the axes in `order`.

    Lane `order[n]` is the `n`-th axis of the box that is not one element.
    """

    descriptor: Descriptor
    start: tuple[Index, ...]
    order: tuple[int, ...]


def find_box(place: Place, pad: int | float, *, may_copy: bool = False) -> Box | None:
    """Return the box that `place` is, or None if it is none or a descriptor cannot move it.

    With `may_copy` rows that start at any byte will do: the launcher copies the tensor.
    """
    tensor = place.tensor
    if tensor.layout.kind is not LayoutKind.ND or not 2 <= tensor.rank <= MAX_RANK or pad != 0:
        return None
    found = [_axis(index, len(place.shape)) for index in place.element]
    axes = [axis for axis in found if axis is not None]
    if len(axes) != len(found):
        return None
    order = tuple(axis for axis, _ in axes if axis >= 0)
    sizes = [axis for axis, size in enumerate(place.shape) if size > 1]
    if sorted(order) != sizes:
        return None
    block = tuple(place.shape[axis] if axis >= 0 else 1 for axis, _ in axes)
    start = tuple(start for _, start in axes)
    if known_divisor(start[-1]) * tensor.dtype.n_bytes % PITCH_BYTES:
        return None
    pitch = tensor.shape[-1] if not may_copy else _wide_pitch(tensor)
    if not _is_movable(tensor, block, pitch) or not _clips_only(place):
        return None
    return Box(Descriptor(tensor, block, pitch), start, order)


def _axis(index: Index, rank: int) -> tuple[int, Index] | None:
    """Return the lane that `index` counts (-1 for none) and where it starts; None for others."""
    for axis in range(rank):
        rest = ix.subtract(index, lane(axis))
        if has_lanes(index) and not has_lanes(rest):
            return axis, rest
    return None if has_lanes(index) else (-1, index)


def _wide_pitch(tensor: Buffer) -> int:
    unit = PITCH_BYTES // tensor.dtype.n_bytes
    return -(-tensor.shape[-1] // unit) * unit


def _is_movable(tensor: Buffer, block: tuple[int, ...], pitch: int) -> bool:
    n_bytes = tensor.dtype.n_bytes
    pitches = pitch * n_bytes % PITCH_BYTES == 0
    return pitches and block[-1] * n_bytes >= PITCH_BYTES and prod(tensor.shape) > 0


def _clips_only(place: Place) -> bool:
    """Return whether exactly what lies outside the tensor is not valid."""
    parts = place.valid.args if isinstance(place.valid, cond.And) else (place.valid,)
    clips: set[Condition] = {cond.TRUE}
    for index, size in zip(place.element, place.tensor.shape, strict=True):
        clips |= {cond.less_equal(ix.ZERO, index), cond.less(index, ix.constant(size))}
    return set(parts) <= clips
