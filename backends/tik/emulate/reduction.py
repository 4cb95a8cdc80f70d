"""Reductions of repeats, blocks and pairs, of whole tensors, and the compaction of lanes."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.elementwise import checked_repeat
from tilelang.backends.tik.emulate.lanes import (
    LaneView,
    combined_ids,
    lane_view,
    lanes_per_repeat,
    selected_lanes,
)
from tilelang.backends.tik.emulate.memory import Buffer, Bytes
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.numeric import Values
from tilelang.backends.tik.emulate.state import State, check_range, number
from tilelang.backends.tik.instructions import (
    Compact,
    Operand,
    Reduce,
    ReduceOp,
    TikType,
    WholeReduce,
    WholeReduceOp,
    Work,
)

_INDEX_TYPES = {2: np.dtype(np.uint16), 4: np.dtype(np.uint32)}
"""How an index is stored beside a value: in as many bytes (TIK reference, vcmax)."""


def plan_reduce(work: Reduce, state: State) -> Callable[[], None]:
    """Plan a reduction of each repeat to one, eight or half as many results."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    dtype = work.src.operand.dtype
    n_lanes = lanes_per_repeat([dtype])
    chosen = selected_lanes(work, work.mask, n_lanes)
    src = lane_view(work, state, "src", work.src, chosen, n_repeats, 65535)
    reduce = _REDUCERS[work.op]
    result_bytes, alignment = _result_bytes(work.op, n_lanes, dtype)
    store = _result_writer(work, state, n_repeats, result_bytes, alignment)
    neutral = _neutral(work.op, dtype)

    def run() -> None:
        ids = combined_ids(work, state, [("src", src)])
        values = np.full((n_repeats, n_lanes), neutral, dtype.numpy)
        values[:, chosen] = src.read()
        results = reduce(values, dtype, work.index_low)
        store(results, _result_ids(ids, chosen, n_lanes, results, dtype))

    return run


def _result_bytes(op: ReduceOp, n_lanes: int, dtype: TikType) -> tuple[int, int]:
    """Return the bytes that one repeat's results take, and the alignment of `dst`."""
    size = dtype.n_bytes
    if op is ReduceOp.SUM:
        return size, size
    if op in (ReduceOp.MAX, ReduceOp.MIN):
        return 2 * size, 2 * size
    if op is ReduceOp.PAIR_SUM:
        return n_lanes // 2 * size, 32
    return 8 * size, 8 * size


def _result_writer(
    work: Reduce, state: State, n_repeats: int, result_bytes: int, alignment: int
) -> Callable[[Values, Bytes | None], None]:
    buffer, start = state.start_of(work, work.dst, "dst", alignment)
    stride = number(work.dst_stride)
    check_range(work, "dst_rep_stride", stride, 0, 65535)
    pitch = stride * result_bytes
    end = start + (n_repeats - 1) * pitch + result_bytes
    state.check_extent(work, "dst", buffer, start, end)
    shape, strides = (n_repeats, result_bytes), (pitch, 1)
    data = np.ndarray(shape, np.uint8, buffer.data, start, strides)
    shadow = np.ndarray(shape, np.uint8, buffer.shadow, start, strides)

    def store(results: Values, ids: Bytes | None) -> None:
        data[...] = np.ascontiguousarray(results).view(np.uint8).reshape(shape)
        shadow[...] = 0 if ids is None else ids

    return store


def _result_ids(
    ids: Bytes | None, chosen: npt.NDArray[np.intp], n_lanes: int, results: Values, dtype: TikType
) -> Bytes | None:
    """Return the shadow of the result bytes [repeats, bytes]: that of the lanes behind each."""
    if ids is None:
        return None
    lanes = np.zeros((ids.shape[0], n_lanes), np.uint8)
    lanes[:, chosen] = ids
    n_results = results.shape[1]
    whole = n_results <= 2
    groups = lanes.reshape(ids.shape[0], 1 if whole else n_results, -1).max(axis=2)
    return np.repeat(groups, results.shape[1] * dtype.n_bytes if whole else dtype.n_bytes, axis=1)


def pairwise_sum(values: Values, dtype: TikType) -> Values:
    """Return the sum along the last axis as a tree of neighbours, each step rounded."""
    while values.shape[-1] > 1:
        if values.shape[-1] % 2:
            values = np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1)
        values = _add_pairs(values, dtype)
    return values


def _add_pairs(values: Values, dtype: TikType) -> Values:
    wide = values.astype(np.float32) if dtype.n_bytes == 2 else values
    return (wide[..., 0::2] + wide[..., 1::2]).astype(dtype.numpy)


def _extreme(
    pick: Callable[..., npt.NDArray[np.intp]],
) -> Callable[[Values, TikType, bool], Values]:
    def reduce(values: Values, dtype: TikType, index_low: bool) -> Values:
        index = pick(values, axis=1)
        best = values[np.arange(len(values)), index]
        raw = index.astype(_INDEX_TYPES[dtype.n_bytes]).view(dtype.numpy)
        return np.stack([raw, best] if index_low else [best, raw], axis=1)

    return reduce


def _blocks(values: Values) -> Values:
    return values.reshape(len(values), 8, -1)


_REDUCERS: dict[ReduceOp, Callable[[Values, TikType, bool], Values]] = {
    ReduceOp.SUM: lambda values, dtype, _: pairwise_sum(values, dtype),
    ReduceOp.MAX: _extreme(np.argmax),
    ReduceOp.MIN: _extreme(np.argmin),
    ReduceOp.BLOCK_SUM: lambda values, dtype, _: pairwise_sum(_blocks(values), dtype)[..., 0],
    ReduceOp.BLOCK_MAX: lambda values, dtype, _: _blocks(values).max(axis=2),
    ReduceOp.BLOCK_MIN: lambda values, dtype, _: _blocks(values).min(axis=2),
    ReduceOp.PAIR_SUM: lambda values, dtype, _: _add_pairs(values, dtype),
}


def _neutral(op: ReduceOp | WholeReduceOp, dtype: TikType) -> float | int:
    """Return the value of lanes that are masked off."""
    if op in (ReduceOp.SUM, ReduceOp.BLOCK_SUM, ReduceOp.PAIR_SUM, WholeReduceOp.SUM):
        return 0
    is_max = op in (ReduceOp.MAX, ReduceOp.BLOCK_MAX, WholeReduceOp.MAX)
    if dtype.is_float:
        return -np.inf if is_max else np.inf
    limits = np.iinfo(dtype.value)
    return limits.min if is_max else limits.max


def plan_whole_reduce(work: WholeReduce, state: State) -> Callable[[], None]:
    """Plan a reduction over all repeats; the work tensor becomes undefined."""
    n_repeats = checked_repeat(work, number(work.repeat), 4095)
    if not n_repeats:
        return nothing
    dtype = work.src.operand.dtype
    n_lanes = lanes_per_repeat([dtype])
    chosen = selected_lanes(work, work.mask, n_lanes)
    src = lane_view(work, state, "src", work.src, chosen, n_repeats, 65535)
    n_results = 2 if work.with_index or work.op is not WholeReduceOp.SUM else 1
    scratch_bytes = n_repeats * n_results * dtype.n_bytes
    scratch, scratch_start = _region(work, state, work.work, "work_tensor", scratch_bytes)
    n_bytes = (2 if work.with_index else 1) * dtype.n_bytes
    dst, start = _region(work, state, work.dst, "dst", n_bytes)

    def run() -> None:
        ids = combined_ids(work, state, [("src", src)])
        result = _whole_result(work, src, chosen, n_lanes, dtype)
        scratch.shadow[scratch_start : scratch_start + scratch_bytes] = 1
        dst.data[start : start + n_bytes] = np.ascontiguousarray(result).view(np.uint8)
        dst.shadow[start : start + n_bytes] = 0 if ids is None else ids.max()

    return run


def _region(
    work: Work, state: State, operand: Operand, role: str, n_bytes: int
) -> tuple[Buffer, int]:
    buffer, start = state.start_of(work, operand, role, 32)
    state.check_extent(work, role, buffer, start, start + n_bytes)
    return buffer, start


def _whole_result(
    work: WholeReduce,
    src: LaneView,
    chosen: npt.NDArray[np.intp],
    n_lanes: int,
    dtype: TikType,
) -> Values:
    values = np.full((src.n_repeats, n_lanes), _neutral(work.op, dtype), dtype.numpy)
    values[:, chosen] = src.read()
    if work.op is WholeReduceOp.SUM:
        return pairwise_sum(pairwise_sum(values, dtype)[:, 0], dtype)
    flat = values.reshape(-1)
    index = int(np.argmax(flat) if work.op is WholeReduceOp.MAX else np.argmin(flat))
    if not work.with_index:
        return flat[index : index + 1]
    raw = np.array([index]).astype(_INDEX_TYPES[dtype.n_bytes]).view(dtype.numpy)
    return np.concatenate([flat[index : index + 1], raw])


_PATTERN_LANES: dict[int, tuple[int, int]] = {
    1: (0, 2),
    2: (1, 2),
    3: (0, 4),
    4: (1, 4),
    5: (2, 4),
    6: (3, 4),
    7: (0, 1),
}
"""The lanes of a numbered pattern: first, step (TIK reference, vreduce)."""


def plan_compact(work: Compact, state: State) -> Callable[[], None]:
    """Plan the storing of chosen lanes, one after another."""
    n_repeats = checked_repeat(work, number(work.repeat))
    dtype = work.src.operand.dtype
    n_lanes = lanes_per_repeat([dtype])
    chosen = selected_lanes(work, work.mask, n_lanes)
    if not n_repeats:
        return nothing
    src = lane_view(work, state, "src0", work.src, chosen, n_repeats, 65535)
    dst, start = state.start_of(work, work.dst, "dst", 32)
    bits = _pattern_bits(work, state, n_repeats, n_lanes)

    def run() -> None:
        ids = combined_ids(work, state, [("src0", src)])
        wanted = bits()[:, chosen]
        kept = src.read()[wanted]
        end = start + kept.size * dtype.n_bytes
        state.check_extent(work, "dst", dst, start, end)
        dst.data[start:end] = np.ascontiguousarray(kept).view(np.uint8)
        dst.shadow[start:end] = 0 if ids is None else np.repeat(ids[wanted], dtype.n_bytes)
        if work.count is not None:
            state.variables[work.count] = int(kept.size)

    return run


def _pattern_bits(
    work: Compact, state: State, n_repeats: int, n_lanes: int
) -> Callable[[], npt.NDArray[np.bool_]]:
    if not isinstance(work.pattern, Operand):
        pattern = number(work.pattern)
        check_range(work, "src1_pattern", pattern, 1, 7)
        first, step = _PATTERN_LANES[pattern]
        fixed = np.broadcast_to(np.arange(n_lanes) % step == first, (n_repeats, n_lanes))
        return lambda: fixed
    buffer, start = state.start_of(work, work.pattern, "src1_pattern", 32)
    n_bytes = n_lanes // 8
    pitch = number(work.pattern_stride) * 32
    state.check_extent(
        work, "src1_pattern", buffer, start, start + (n_repeats - 1) * pitch + n_bytes
    )
    raw = np.ndarray((n_repeats, n_bytes), np.uint8, buffer.data, start, (pitch, 1))
    return lambda: np.unpackbits(raw, axis=1, bitorder="little").astype(np.bool_)
