"""The lanes of vector operands as numpy arrays: one row a repeat, one column a lane."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.memory import NEVER_WRITTEN, Buffer, Bytes
from tilelang.backends.tik.emulate.numeric import Values, shadow_ids, spread_ids
from tilelang.backends.tik.emulate.state import (
    Runs,
    State,
    check_range,
    number,
    wrong_operand,
)
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    BLOCKS_PER_REPEAT,
    BitMask,
    Lanes,
    Mask,
    Scope,
    TikType,
    Work,
    method_name,
)
from tilelang.diagnostics import Diagnostic, TileError

REPEAT_BYTES = BLOCK_BYTES * BLOCKS_PER_REPEAT
"""Bytes that one repeat covers of the widest operand."""

Selection: TypeAlias = npt.NDArray[np.intp]
Combine: TypeAlias = Callable[[Sequence[Values]], Values]


def lanes_per_repeat(dtypes: Sequence[TikType]) -> int:
    """Return the lanes of a repeat: those that the widest of `dtypes` has room for."""
    return REPEAT_BYTES // max(max(dtype.n_bytes for dtype in dtypes), 2)


def selected_lanes(work: Work, mask: Mask, n_lanes: int) -> Selection:
    """Return the numbers of the lanes that take part, ascending.

    Raises:
        TileError: E1202 for a mask that names no lane, or more than `n_lanes`.
    """
    if not isinstance(mask, BitMask):
        count = number(mask)
        check_range(work, "mask", count, 1, n_lanes)
        return np.arange(count)
    high, low = number(mask.high) & (2**64 - 1), number(mask.low) & (2**64 - 1)
    bits = high << 64 | low
    if bits == 0 or bits >> n_lanes:
        found = f"{method_name(work)}: the mask [{high:#x}, {low:#x}] names"
        wanted = f"lanes 0 to {n_lanes - 1} are there"
        message = f"{found} lanes behind the last; {wanted}" if bits else f"{found} no lane"
        hint = f"set bits of lanes 0 to {n_lanes - 1}"
        hint += ": 64 and up in the first number" if n_lanes > 64 else " in the second number"
        raise TileError(Diagnostic("E1202", message, work.loc, hint=hint))
    return np.array([lane for lane in range(n_lanes) if bits >> lane & 1])


@dataclass(frozen=True, slots=True)
class LaneView:
    """The selected lanes of an operand, for all repeats.

    `data` and `shadow` are strided views of shape [repeats, ..] if the lanes are regular; else the
    whole memory, of which `index` [repeats, lanes] chooses elements.
    """

    buffer: Buffer
    dtype: TikType
    start: int
    strides: tuple[int, int]
    lanes: Selection
    n_repeats: int
    data: Values
    shadow: Values
    index: npt.NDArray[np.intp] | None

    def read(self) -> Values:
        """Return the values [repeats, lanes]; perhaps a copy, never to be written."""
        if self.index is not None:
            return self.data[self.index]
        return self.data.reshape(self.n_repeats, -1)

    def write(self, values: Values) -> None:
        """Set the values from [repeats, lanes]."""
        if self.index is not None:
            self.data[self.index] = values
        else:
            self.data[...] = values.reshape(self.data.shape)

    def ids(self) -> Bytes | None:
        """Return the shadow of each element [repeats, lanes]; None if all are defined."""
        words = self.shadow[self.index] if self.index is not None else self.shadow
        if not words.any():
            return None
        raw = np.ascontiguousarray(words).reshape(self.n_repeats, -1).view(np.uint8)
        return shadow_ids(raw, self.dtype.n_bytes)

    def write_ids(self, ids: Bytes | None) -> None:
        """Set the shadow of each element; None: all are defined."""
        words = 0
        if ids is not None:
            words = spread_ids(ids, self.dtype.n_bytes).view(self.shadow.dtype)
        if self.index is not None:
            self.shadow[self.index] = words
        else:
            self.shadow[...] = words if ids is None else np.reshape(words, self.data.shape)

    def addresses(self) -> npt.NDArray[np.intp]:
        """Return the byte offset of each element [repeats, lanes]."""
        repeats = np.arange(self.n_repeats)[:, None] * self.strides[0]
        return self.start + repeats + self.within_repeat()

    def address(self, position: int) -> int:
        """Return the byte offset of the element at `position` in [repeats, lanes]."""
        return int(self.addresses().flat[position])

    def within_repeat(self) -> npt.NDArray[np.intp]:
        """Return the byte offset of each lane from the start of its repeat."""
        return _lane_offsets(self.lanes, self.dtype, self.strides[1])

    def repeat(self, index: int) -> "LaneView":
        """Return the lanes of one repeat."""
        start = self.start + index * self.strides[0]
        return _view(self.buffer, self.dtype, start, self.strides, self.lanes, 1)


def lane_view(  # noqa: PLR0913 - an operand, its role, and what all operands share
    work: Work,
    state: State,
    role: str,
    operand: Lanes,
    lanes: Selection,
    n_repeats: int,
    max_repeat_stride: int = 255,
) -> LaneView:
    """Return the lanes of `operand`, checked: UB, alignment, strides, extent."""
    buffer, start = state.start_of(work, operand.operand, role, BLOCK_BYTES)
    if buffer.scope is not Scope.UB:
        raise wrong_operand(
            work,
            f"{role} `{buffer.name}` is in {buffer.scope}; vector operands are in UB",
            "move it to a tensor in tik.scope_ubuf",
        )
    repeat_stride, block_stride = number(operand.repeat_stride), number(operand.block_stride)
    check_range(work, f"{role}_rep_stride", repeat_stride, 0, max_repeat_stride)
    check_range(work, f"{role}_blk_stride", block_stride, 0, 65535)
    strides = (repeat_stride * BLOCK_BYTES, block_stride * BLOCK_BYTES)
    dtype = operand.operand.dtype
    last = int(_lane_offsets(lanes, dtype, strides[1]).max()) + dtype.n_bytes
    runs = Runs(n_repeats, last, strides[0], "repeat_times", f"{role}_rep_stride")
    state.check_runs(work, role, buffer, start, runs)
    return _view(buffer, dtype, start, strides, lanes, n_repeats)


def _lane_offsets(lanes: Selection, dtype: TikType, block_bytes: int) -> npt.NDArray[np.intp]:
    per_block = dtype.per_block
    return lanes // per_block * block_bytes + lanes % per_block * dtype.n_bytes


def _view(
    buffer: Buffer,
    dtype: TikType,
    start: int,
    strides: tuple[int, int],
    lanes: Selection,
    n_repeats: int,
) -> LaneView:
    form = _regular_form(lanes, dtype, strides)
    size = dtype.n_bytes
    if form is None:
        repeats = np.arange(n_repeats)[:, None] * strides[0]
        index = (start + repeats + _lane_offsets(lanes, dtype, strides[1])) // size
        data, shadow = buffer.typed(dtype), buffer.shadow_of(size)
        return LaneView(buffer, dtype, start, strides, lanes, n_repeats, data, shadow, index)
    counts, steps = form
    shape, byte_strides = (n_repeats, *counts), (strides[0], *steps)
    data = np.ndarray(shape, dtype.numpy, buffer.data, start, byte_strides)
    shadow = np.ndarray(shape, f"u{size}", buffer.shadow, start, byte_strides)
    return LaneView(buffer, dtype, start, strides, lanes, n_repeats, data, shadow, None)


def _regular_form(
    lanes: Selection, dtype: TikType, strides: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return (counts, byte strides) of a repeat whose lanes are the first ones, in whole steps."""
    count, per_block = len(lanes), dtype.per_block
    if int(lanes[-1]) != count - 1:
        return None
    if strides[1] == BLOCK_BYTES or count <= per_block:
        return (count,), (dtype.n_bytes,)
    if count % per_block == 0:
        return (count // per_block, per_block), (strides[1], dtype.n_bytes)
    return None


def combined_ids(work: Work, state: State, sources: Sequence[tuple[str, LaneView]]) -> Bytes | None:
    """Return the shadow of results that depend on a lane of every source; None: all defined."""
    combined: Bytes | None = None
    for role, view in sources:
        ids = view.ids()
        if ids is None:
            continue
        marked = mark_first_reader(work, state, role, view.buffer, ids, view.address)
        combined = marked if combined is None else np.maximum(combined, marked)
    return combined


def mark_first_reader(
    work: Work, state: State, role: str, buffer: Buffer, ids: Bytes, locate: Callable[[int], int]
) -> Bytes:
    """Return `ids` with "never written" replaced by the number of this instruction.

    `locate` gives the byte offset of an item of `ids`, by its position in them.
    """
    fresh = ids == NEVER_WRITTEN
    if not fresh.any():
        return ids
    offset = locate(int(np.argmax(fresh)))
    return np.where(fresh, np.uint8(state.origins.number(work, role, buffer, offset)), ids)
