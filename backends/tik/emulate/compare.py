"""Comparisons, which write bits, and selections, which read them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.elementwise import checked_repeat
from tilelang.backends.tik.emulate.lanes import (
    LaneView,
    combined_ids,
    lane_view,
    lanes_per_repeat,
    mark_first_reader,
    selected_lanes,
)
from tilelang.backends.tik.emulate.memory import Bytes
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.numeric import Values
from tilelang.backends.tik.emulate.state import State, number
from tilelang.backends.tik.instructions import (
    Compare,
    CompareOp,
    CompareToMask,
    Lanes,
    LoadCompareMask,
    Select,
    StoreCompareMask,
    Work,
)
from tilelang.diagnostics import Diagnostic

_COMPARE: dict[CompareOp, Callable[[Values, Values], npt.NDArray[np.bool_]]] = {
    CompareOp.LT: np.less,
    CompareOp.GT: np.greater,
    CompareOp.GE: np.greater_equal,
    CompareOp.EQ: np.equal,
    CompareOp.NE: np.not_equal,
    CompareOp.LE: np.less_equal,
}
_MASK_BYTES = 16
"""Bytes of CMPMASK."""


def plan_compare(work: Compare, state: State) -> Callable[[], None]:
    """Plan a comparison of all lanes of every repeat into contiguous bits."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    dtype = work.a.operand.dtype
    n_lanes = lanes_per_repeat([dtype])
    every = np.arange(n_lanes)
    is_tensor = isinstance(work.b, Lanes)
    sources = [
        ("src0" if is_tensor else "src", lane_view(work, state, "src0", work.a, every, n_repeats))
    ]
    if isinstance(work.b, Lanes):
        sources.append(("src1", lane_view(work, state, "src1", work.b, every, n_repeats)))
    constant = work.b if isinstance(work.b, int | float) else 0
    scalar = np.array(constant).astype(dtype.numpy)
    target, start = state.start_of(work, work.dst, "dst", 32)
    n_bytes = n_repeats * n_lanes // 8
    state.check_extent(work, "dst", target, start, start + n_bytes)
    function = _COMPARE[work.op]

    def run() -> None:
        ids = combined_ids(work, state, sources)
        values = [view.read() for _, view in sources]
        bits = function(values[0], values[1] if is_tensor else scalar)
        end = start + n_bytes
        target.data[start:end] = np.packbits(bits.reshape(-1), bitorder="little")
        target.shadow[start:end] = 0 if ids is None else ids.reshape(-1, 8).max(axis=1)

    return run


def plan_compare_to_mask(work: CompareToMask, state: State) -> Callable[[], None]:
    """Plan a comparison of one repeat into CMPMASK; the bits of lanes that are masked off stay."""
    chosen = selected_lanes(work, work.mask, lanes_per_repeat([work.a.operand.dtype]))
    a = lane_view(work, state, "src0", work.a, chosen, 1)
    b = lane_view(work, state, "src1", work.b, chosen, 1)
    function = _COMPARE[work.op]

    def run() -> None:
        _refuse_undefined(work, state, "src0", a)
        _refuse_undefined(work, state, "src1", b)
        state.compare_mask[chosen] = function(a.read(), b.read())[0]

    return run


def plan_load_mask(work: LoadCompareMask, state: State) -> Callable[[], None]:
    """Plan the load of CMPMASK from 16 bytes."""
    buffer, start = state.start_of(work, work.src, "src", _MASK_BYTES)
    state.check_extent(work, "src", buffer, start, start + _MASK_BYTES)

    def run() -> None:
        raw = buffer.data[start : start + _MASK_BYTES]
        state.compare_mask[...] = np.unpackbits(raw, bitorder="little").astype(np.bool_)

    return run


def plan_store_mask(work: StoreCompareMask, state: State) -> Callable[[], None]:
    """Plan the store of CMPMASK to 16 bytes."""
    buffer, start = state.start_of(work, work.dst, "dst", _MASK_BYTES)
    state.check_extent(work, "dst", buffer, start, start + _MASK_BYTES)

    def run() -> None:
        end = start + _MASK_BYTES
        buffer.data[start:end] = np.packbits(state.compare_mask, bitorder="little")
        buffer.shadow[start:end] = 0

    return run


def plan_select(work: Select, state: State) -> Callable[[], None]:
    """Plan a selection; modes 1 and 2 consume bits continuously, mode 0 repeats them."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    dtype = work.dst.operand.dtype
    n_lanes = lanes_per_repeat([dtype])
    chosen = selected_lanes(work, work.mask, n_lanes)
    dst = lane_view(work, state, "dst", work.dst, chosen, n_repeats)
    sources = [("src0", lane_view(work, state, "src0", work.a, chosen, n_repeats))]
    if isinstance(work.b, Lanes):
        sources.append(("src1", lane_view(work, state, "src1", work.b, chosen, n_repeats)))
    constant = work.b if isinstance(work.b, int | float) else 0
    scalar = np.array(constant).astype(dtype.numpy)
    n_rows = 1 if work.mode == 0 else n_repeats
    bits = _selection_bits(work, state, n_rows, n_lanes)

    def run() -> None:
        wanted, undefined = bits()
        ids = combined_ids(work, state, sources)
        if undefined is not None:
            spread = np.broadcast_to(undefined[:, chosen], (n_repeats, len(chosen)))
            ids = spread if ids is None else np.maximum(ids, spread)
        values = [view.read() for _, view in sources]
        other = values[1] if len(values) > 1 else scalar
        dst.write(np.where(wanted[:, chosen], values[0], other))
        dst.write_ids(ids)

    return run


_Bits = Callable[[], tuple[npt.NDArray[np.bool_], Bytes | None]]


def _selection_bits(work: Select, state: State, n_rows: int, n_lanes: int) -> _Bits:
    """Return what reads the bits [rows, lanes], and their shadow if some are undefined."""
    selection = work.selection
    if selection is None:
        return lambda: (state.compare_mask[None, :n_lanes], None)
    buffer, start = state.start_of(work, selection, "sel", 32)
    end = start + n_rows * n_lanes // 8
    state.check_extent(work, "sel", buffer, start, end)

    def read() -> tuple[npt.NDArray[np.bool_], Bytes | None]:
        raw, shadow = buffer.data[start:end], buffer.shadow[start:end]
        bits = np.unpackbits(raw, bitorder="little").astype(np.bool_).reshape(n_rows, n_lanes)
        if not shadow.any():
            return bits, None
        marked = mark_first_reader(work, state, "sel", buffer, shadow, start.__add__)
        return bits, np.repeat(marked, 8).reshape(n_rows, n_lanes)

    return read


def _refuse_undefined(work: Work, state: State, role: str, view: LaneView) -> None:
    """Report E1207: CMPMASK has no shadow, so what is undefined must not reach it."""
    if view.ids() is None:
        return
    message = f"vcmp: {role} reads undefined bytes of `{view.buffer.name}` into CMPMASK"
    state.report(Diagnostic("E1207", message, work.loc, hint="write them first"))
