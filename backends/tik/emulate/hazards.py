"""Whether repeats may be executed all at once: what an instruction writes that it also reads."""

from enum import Enum

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.lanes import LaneView
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import BLOCK_BYTES, VectorOp, Work, method_name
from tilelang.diagnostics import Diagnostic

ACCUMULATING = frozenset(
    (VectorOp.ADD, VectorOp.SUB, VectorOp.MUL, VectorOp.MAX, VectorOp.MIN, VectorOp.AND,
     VectorOp.OR)
)  # fmt: skip
"""What may run with repeat stride 0 on `dst` and an equal source (TIK reference, overlap rules)."""


class Order(Enum):
    """How the repeats of an instruction are to be executed."""

    AT_ONCE = "at once"
    ONE_BY_ONE = "one by one"


def execution_order(
    work: Work,
    state: State,
    dst: LaneView,
    sources: list[tuple[str, LaneView]],
    *,
    may_accumulate: bool,
) -> Order:
    """Return how to execute; report E1206 for overlaps that the chip leaves undefined."""
    order = Order.AT_ONCE
    if dst.n_repeats > 1 and _repeats_overlap(dst):
        order = Order.ONE_BY_ONE
    for role, src in sources:
        if not _ranges_meet(dst, src) or _is_in_place(dst, src):
            continue
        if _same_place(dst, src):
            if not may_accumulate:
                state.report(_overlap(work, role, dst, "a repeat reads what the one before wrote"))
            order = Order.ONE_BY_ONE
            continue
        problem = _overlap_problem(dst, src)
        if problem is not None:
            state.report(_overlap(work, role, dst, problem))
            order = Order.ONE_BY_ONE
    return order


def _repeats_overlap(view: LaneView) -> bool:
    within = view.within_repeat()
    if view.strides[0] > int(within.max()):
        return False
    addresses = view.addresses()
    return np.unique(addresses).size < addresses.size


def _ranges_meet(dst: LaneView, src: LaneView) -> bool:
    if dst.buffer is not src.buffer:
        return False
    return dst.start < _end(src) and src.start < _end(dst)


def _end(view: LaneView) -> int:
    last = int(view.within_repeat().max()) + view.dtype.n_bytes
    return view.start + (view.n_repeats - 1) * view.strides[0] + last


def _same_place(dst: LaneView, src: LaneView) -> bool:
    return (dst.start, dst.strides, dst.dtype.n_bytes) == (
        src.start,
        src.strides,
        src.dtype.n_bytes,
    )


def _is_in_place(dst: LaneView, src: LaneView) -> bool:
    """Whether every lane is read just before it is written, and by no other repeat."""
    return _same_place(dst, src) and (dst.n_repeats == 1 or dst.strides[0] != 0)


def _overlap_problem(dst: LaneView, src: LaneView) -> str | None:
    """Return what is wrong with two operands whose ranges meet; None if nothing is."""
    if dst.dtype.n_bytes == src.dtype.n_bytes:
        written, read = dst.addresses(), src.addresses()
    else:
        written, read = dst.addresses() // BLOCK_BYTES, src.addresses() // BLOCK_BYTES
    places = _places(written, read)
    if places is None:
        return None
    (dst_repeat, dst_lane), (src_repeat, src_lane) = places
    same_repeat = dst_repeat == src_repeat
    aligned = same_repeat & (dst_lane == src_lane) & (dst.dtype.n_bytes == src.dtype.n_bytes)
    if (same_repeat & ~aligned).any():
        return "dst and src overlap within one repeat, but are not the same"
    if (dst_repeat < src_repeat).any():
        return "a repeat reads what an earlier repeat wrote"
    return None


_Places = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


def _places(
    written: npt.NDArray[np.intp], read: npt.NDArray[np.intp]
) -> tuple[_Places, _Places] | None:
    """Return (repeat, lane) of the writer and of the reader of every address both touch."""
    flat = written.reshape(-1)
    order = np.argsort(flat, kind="stable")
    position = np.searchsorted(flat[order], read.reshape(-1)).clip(max=flat.size - 1)
    writer = order[position]
    shared = flat[writer] == read.reshape(-1)
    if not shared.any():
        return None
    reader = np.nonzero(shared)[0]
    n_written, n_read = written.shape[1], read.shape[1]
    return (writer[shared] // n_written, writer[shared] % n_written), (
        reader // n_read,
        reader % n_read,
    )


def _overlap(work: Work, role: str, dst: LaneView, problem: str) -> Diagnostic:
    return Diagnostic(
        "E1206",
        f"{method_name(work)}: dst and {role} share bytes of `{dst.buffer.name}`: {problem}",
        work.loc,
        hint="use another tensor for dst, or start both at the same element with equal strides",
    )
