"""Element-wise vector instructions."""

from collections.abc import Callable, Sequence

import numpy as np

from tilelang.backends.tik.emulate.functions import vector_function
from tilelang.backends.tik.emulate.hazards import ACCUMULATING, Order, execution_order
from tilelang.backends.tik.emulate.lanes import (
    Combine,
    LaneView,
    combined_ids,
    lane_view,
    lanes_per_repeat,
    selected_lanes,
)
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.state import State, check_range, number, wrong_operand
from tilelang.backends.tik.instructions import (
    FORMS,
    Elementwise,
    HighPrecision,
    Lanes,
    VectorOp,
    Work,
)
from tilelang.diagnostics import Diagnostic, TileError


def plan_elementwise(work: Elementwise, state: State) -> Callable[[], None]:
    """Plan an element-wise instruction."""
    _check_scalar(work)
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    operands = [work.dst, *work.srcs]
    _check_dtypes(work)
    n_lanes = lanes_per_repeat([lanes.operand.dtype for lanes in operands])
    chosen = selected_lanes(work, work.mask, n_lanes)
    names = source_names(len(work.srcs))
    dst = lane_view(work, state, "dst", work.dst, chosen, n_repeats)
    sources = [
        (name, lane_view(work, state, name, lanes, chosen, n_repeats))
        for name, lanes in zip(names, work.srcs, strict=True)
    ]
    order = execution_order(
        work, state, dst, sources, may_accumulate=work.op in ACCUMULATING or FORMS[work.op].updates
    )
    if FORMS[work.op].updates:
        sources.append(("dst", dst))
    scalar = work.scalar if isinstance(work.scalar, int | float) else None
    combine = vector_function(work.op, scalar, dst.dtype, saturates=state.soc.saturates)
    return ordered(work, state, order, dst, sources, combine)


def plan_high_precision(work: HighPrecision, state: State) -> Callable[[], None]:
    """Plan an accurate function; its work tensor becomes undefined."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    n_lanes = lanes_per_repeat([work.dst.operand.dtype, work.src.operand.dtype])
    chosen = selected_lanes(work, work.mask, n_lanes)
    dst = lane_view(work, state, "dst", work.dst, chosen, n_repeats)
    src = lane_view(work, state, "src", work.src, chosen, n_repeats)
    scratch, start = state.start_of(work, work.work, "work_tensor", 32)
    end = start + _work_bytes(work, n_repeats, len(chosen))
    state.check_extent(work, "work_tensor", scratch, start, end)
    combine = vector_function(work.op, None, dst.dtype, saturates=state.soc.saturates)
    run = ordered(work, state, Order.AT_ONCE, dst, [("src", src)], combine)

    def run_and_spoil() -> None:
        run()
        scratch.shadow[start:end] = 1

    return run_and_spoil


def _work_bytes(work: HighPrecision, n_repeats: int, n_lanes: int) -> int:
    """Return the bytes of the work tensor (TIK reference; see tik.md section 4.2)."""
    dtype = work.src.operand.dtype
    elements = (n_repeats - 1) * number(work.src.repeat_stride) * dtype.per_block + n_lanes
    unit = -(-elements // dtype.per_block) * dtype.per_block
    if work.op in (VectorOp.REC, VectorOp.RSQRT):
        return unit * 4 * (2 if dtype.n_bytes == 4 else 4)
    return unit * 2 * 10


def ordered(
    work: Work,
    state: State,
    order: Order,
    dst: LaneView,
    sources: Sequence[tuple[str, LaneView]],
    combine: Combine,
) -> Callable[[], None]:
    """Return what computes `dst` from `sources`, for all repeats at once or one by one."""
    if order is Order.AT_ONCE:
        return _runner(work, state, dst, sources, combine)
    parts = [
        _runner(
            work,
            state,
            dst.repeat(index),
            [(role, view.repeat(index)) for role, view in sources],
            combine,
        )
        for index in range(dst.n_repeats)
    ]

    def run() -> None:
        for part in parts:
            part()

    return run


def _runner(
    work: Work,
    state: State,
    dst: LaneView,
    sources: Sequence[tuple[str, LaneView]],
    combine: Combine,
) -> Callable[[], None]:
    views = [view for _, view in sources]

    def run() -> None:
        ids = combined_ids(work, state, sources)
        dst.write(combine([view.read() for view in views]))
        dst.write_ids(ids)

    if views:
        return run
    filling = np.broadcast_to(combine([]), (dst.n_repeats, len(dst.lanes)))

    def fill() -> None:
        dst.write(filling)
        dst.write_ids(None)

    return fill


def checked_repeat(work: Work, repeat: int, limit: int = 255) -> int:
    """Return the number of repeats; E1202 outside 0 .. `limit` (0, when computed, does nothing)."""
    check_range(work, "repeat_times", repeat, 0, limit)
    return repeat


def source_names(n_sources: int) -> list[str]:
    """Return the names of the sources of an instruction, as TIK's parameters have them."""
    return ["src"] if n_sources == 1 else [f"src{index}" for index in range(n_sources)]


def _check_scalar(work: Elementwise) -> None:
    dtype = work.dst.operand.dtype
    if isinstance(work.scalar, float) and not dtype.is_float:
        raise TileError(
            Diagnostic(
                "E1217",
                f"{work.op.value}: the scalar {work.scalar!r} is a float; dst is {dtype}",
                work.loc,
                hint="write an int",
            )
        )


_MIXED = (VectorOp.MLA, VectorOp.AXPY)
"""What may add float16 sources to a float32 destination."""


def _check_dtypes(work: Elementwise) -> None:
    dst = work.dst.operand.dtype
    sources = {lanes.operand.dtype for lanes in work.srcs}
    is_mixed = work.op in _MIXED and {dtype.value for dtype in sources} == {"float16"}
    if sources <= {dst} or (is_mixed and dst.value == "float32"):
        return
    found = ", ".join(_typed(name, lanes) for name, lanes in _named(work))
    raise wrong_operand(work, f"its operands have different dtypes: {found}", "convert with vconv")


def _named(work: Elementwise) -> list[tuple[str, Lanes]]:
    return [("dst", work.dst), *zip(source_names(len(work.srcs)), work.srcs, strict=True)]


def _typed(name: str, lanes: Lanes) -> str:
    return f"{name} `{lanes.operand.tensor}` {lanes.operand.dtype}"
