"""fixpipe, tensor_mov and broadcast_ub_to_l0c: around the accumulator."""

from collections.abc import Callable

import numpy as np

from tilelang.backends.tik.emulate.accumulator import alignment_of, plan_fractals
from tilelang.backends.tik.emulate.memory import Span
from tilelang.backends.tik.emulate.moves import nothing, plan_data_move
from tilelang.backends.tik.emulate.numeric import Values, convert, narrow, shadow_ids, spread_ids
from tilelang.backends.tik.emulate.state import (
    State,
    check_range,
    check_ranges,
    number,
    wrong_operand,
)
from tilelang.backends.tik.emulate.store import writer
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    BroadcastToL0c,
    DataMove,
    Fixpipe,
    Operand,
    Scope,
    TensorMove,
    TikType,
)
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.region import Memory


def plan_tensor_move(work: TensorMove, state: State) -> Callable[[], None]:
    """Plan a `tensor_mov`: as a data_move of blocks, or of fractals with a scale and ReLU."""
    if work.block_mode == "":
        move = DataMove(
            work.dst, work.src, work.n_burst, work.burst, work.src_gap, work.dst_gap, loc=work.loc
        )
        return plan_data_move(move, state)
    scopes = {state.buffers[end.tensor].scope.is_accumulator for end in (work.dst, work.src)}
    if scopes != {True, False}:
        raise wrong_operand(work, 'block_mode "m" moves between L0C and UB')
    check_ranges(work, (("nburst", work.n_burst, 0, 4095), ("burst_len", work.burst, 0, 65535)))
    if not number(work.n_burst) or not number(work.burst):
        return nothing
    pair = (work.src.dtype, work.dst.dtype)
    if pair == (TikType.INT32, TikType.FLOAT16) and work.deqscale is None:
        message = "tensor_mov: int32 to float16 multiplies by deqscale, which is missing"
        raise TileError(Diagnostic("E1202", message, work.loc, hint="write deqscale=1.0"))
    if isinstance(work.deqscale, Operand):
        message = "tensor_mov: a deqscale for each column is not emulated; one number is"
        raise TileError(Diagnostic("E1214", message, work.loc))
    scale = work.deqscale if isinstance(work.deqscale, int | float) else None
    target, saturates = work.dst.dtype, state.soc.saturates

    def finish(values: Values) -> Values:
        if scale is not None:
            values = narrow(values.astype(np.float64) * scale, target, saturates=saturates)
        return np.maximum(values, 0) if work.relu else values

    return plan_fractals(work, state, finish)


def plan_broadcast(work: BroadcastToL0c, state: State) -> Callable[[], None]:
    """Plan the repetition of 16-element segments over the rows of fractals."""
    source, target = (state.buffers[end.tensor].scope for end in (work.src, work.dst))
    if source is not Scope.UB or not target.is_accumulator:
        raise wrong_operand(work, f"it moves UB to L0C, not {source} to {target}")
    if state.soc.machine.is_split:
        message = f"broadcast_ub_to_l0c: {state.soc.name} has no path from UB to L0C"
        raise TileError(Diagnostic("E1213", message, work.loc))
    n_burst, burst = number(work.n_burst), number(work.burst)
    check_range(work, "nburst", n_burst, 1, 255)
    check_range(work, "burst_len", burst, 1, 255)
    segment = 16 * work.src.dtype.n_bytes
    src, start = state.start_of(work, work.src, "src", BLOCK_BYTES)
    pitch = burst * segment + number(work.src_gap) * BLOCK_BYTES
    state.check_extent(work, "src", src, start, start + (n_burst - 1) * pitch + burst * segment)
    source_span = Span(src, start, (n_burst, burst, 1, segment), (pitch, segment, 0, 1))
    fractal = 16 * segment
    dst, first = state.start_of(work, work.dst, "dst", alignment_of(target, work.dst.dtype))
    pitch = (burst + number(work.dst_gap)) * fractal
    state.check_extent(work, "dst", dst, first, first + (n_burst - 1) * pitch + burst * fractal)
    target_span = Span(dst, first, (n_burst, burst, 16, segment), (pitch, fractal, segment, 1))

    def run() -> None:
        target_span.data[...] = source_span.data
        target_span.shadow[...] = source_span.shadow

    return run


_QUANTIZE = {
    (TikType.FLOAT32, TikType.FLOAT32): None,
    (TikType.INT32, TikType.INT32): None,
    (TikType.FLOAT32, TikType.FLOAT16): "fp322fp16",
    (TikType.INT32, TikType.FLOAT16): "int322fp16",
}
"""The quantize mode that each pair of dtypes needs (TIK reference, fixpipe)."""


def plan_fixpipe(work: Fixpipe, state: State) -> Callable[[], None]:
    """Plan the way of column groups from L1OUT to GM, padding rows dropped."""
    _check_fixpipe(work, state)
    n_burst, burst = number(work.n_burst), number(work.burst)
    size, out_size = work.src.dtype.n_bytes, work.dst.dtype.n_bytes
    m = burst * BLOCK_BYTES // (16 * size)
    src, start = state.start_of(work, work.src, "src", _result_alignment(work, state))
    pitch = (-(-m // 16) * 16 + 16 * number(work.src_gap)) * 16 * size
    state.check_extent(work, "src", src, start, start + (n_burst - 1) * pitch + m * 16 * size)
    source = Span(src, start, (n_burst, m * 16 * size), (pitch, 1))
    dst, first = state.start_of(work, work.dst, "dst", 1)
    pitch = m * 16 * out_size + number(work.dst_gap) * BLOCK_BYTES
    state.check_extent(work, "dst", dst, first, first + (n_burst - 1) * pitch + m * 16 * out_size)
    target = Span(dst, first, (n_burst, m * 16 * out_size), (pitch, 1))
    write = writer(work, state, target, source, work.dst.dtype)
    finish = _fixpipe_steps(work, state, n_burst, m)

    def run() -> None:
        values = source.values(work.src.dtype).reshape(n_burst, m, 16)
        data = np.ascontiguousarray(finish(values)).view(np.uint8).reshape(n_burst, -1)
        ids = shadow_ids(source.shadow, size)
        write(data, spread_ids(ids, out_size))

    return run


def _result_alignment(work: Fixpipe, state: State) -> int:
    """Return the bytes that a start in L0C is a multiple of: less where fixpipe is a unit."""
    if state.soc.machine.is_split:
        return state.soc.machine.alignment[Memory.L0C]
    return alignment_of(state.buffers[work.src.tensor].scope, work.src.dtype)


def _fixpipe_steps(work: Fixpipe, state: State, n_burst: int, m: int) -> Callable[[Values], Values]:
    """Return bias, element-wise addition, conversion and ReLU, in this order."""
    bias = _l1_values(work, state, work.bias, "bias", (n_burst, 1, 16))
    added = _l1_values(work, state, work.element_wise_add, "element-wise-add", (n_burst, m, 16))
    scale = work.scale
    column_scale = _l1_values(
        work, state, scale if isinstance(scale, Operand) else None, "mode_param", (n_burst, 1, 16)
    )
    target, saturates = work.dst.dtype, state.soc.saturates

    def finish(values: Values) -> Values:
        values = values if bias is None else values + bias
        values = values if added is None else values + added
        if column_scale is not None:
            values = values.astype(np.float64) * column_scale
        elif isinstance(scale, int | float):
            values = values.astype(np.float64) * scale
        if values.dtype.kind == "f" and values.dtype != target.numpy:
            values = narrow(values, target, saturates=saturates)
        values = convert(values, target, "none", saturates=saturates)
        return np.maximum(values, 0) if work.relu else values

    return finish


def _l1_values(
    work: Fixpipe, state: State, operand: Operand | None, role: str, shape: tuple[int, ...]
) -> Values | None:
    if operand is None:
        return None
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    n_bytes = int(np.prod(shape)) * operand.dtype.n_bytes
    state.check_extent(work, role, buffer, start, start + n_bytes)
    return np.ndarray(shape, operand.dtype.numpy, buffer.data, start)


def _check_fixpipe(work: Fixpipe, state: State) -> None:
    source, target = (state.buffers[end.tensor].scope for end in (work.src, work.dst))
    if not source.is_accumulator or target is not Scope.GM:
        raise wrong_operand(work, f"it moves L1OUT to GM, not {source} to {target}")
    check_ranges(work, (("cburst_num", work.n_burst, 1, 4095), ("burst_len", work.burst, 1, 65535)))
    pair = (work.src.dtype, work.dst.dtype)
    if pair not in _QUANTIZE:
        raise wrong_operand(work, f"it does not convert {pair[0]} to {pair[1]}")
    if _QUANTIZE[pair] != work.quantize:
        raise wrong_operand(
            work,
            f"{pair[0]} to {pair[1]} needs the quantize mode {_QUANTIZE[pair]!r}, not "
            f"{work.quantize!r}",
        )
