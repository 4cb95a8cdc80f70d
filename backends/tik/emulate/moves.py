"""data_move and data_move_pad: strided bursts between GM, L1, UB and L0C."""

from collections.abc import Callable

import numpy as np

from tilelang.backends.tik.emulate.accumulator import plan_accumulator_move
from tilelang.backends.tik.emulate.lanes import mark_first_reader
from tilelang.backends.tik.emulate.memory import Buffer, Span
from tilelang.backends.tik.emulate.state import (
    Runs,
    State,
    check_range,
    check_ranges,
    number,
    wrong_operand,
)
from tilelang.backends.tik.emulate.store import writer
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    DataMove,
    DataMovePad,
    Scope,
    Work,
    method_name,
)
from tilelang.backends.tik.soc import MEMORIES
from tilelang.diagnostics import Diagnostic, TileError

_BY_DATA_MOVE = (Scope.GM, Scope.L1, Scope.UB)
"""The memories whose moves count blocks."""


def nothing() -> None:
    """Do nothing: some count is 0."""


def plan_data_move(move: DataMove, state: State) -> Callable[[], None]:
    """Plan a `data_move`; E1205 for a path that the chip has not."""
    check_ranges(
        move,
        (
            ("nburst", move.n_burst, 0, 4095),
            ("burst", move.burst, 0, 65535),
            ("src_stride", move.src_gap, 0, 65535),
            ("dst_stride", move.dst_gap, 0, 65535),
        ),
    )
    source, target = (state.buffers[end.tensor].scope for end in (move.src, move.dst))
    _check_path(move, state, source, target)
    n_burst, burst = number(move.n_burst), number(move.burst)
    if not n_burst or not burst:
        return nothing
    if source.is_accumulator or target.is_accumulator:
        return plan_accumulator_move(move, state)
    if move.src.dtype.n_bytes != move.dst.dtype.n_bytes:
        raise wrong_operand(
            move,
            f"src is {move.src.dtype} and dst {move.dst.dtype}; elements must have one size",
            "convert with vconv, or reinterpret_cast_to the other dtype",
        )
    n_bytes = burst * BLOCK_BYTES
    src = _bursts(move, state, "src", n_burst, n_bytes)
    dst = _bursts(move, state, "dst", n_burst, n_bytes)
    check_no_overlap(move, state, dst, src)
    return _copier(move, state, dst, src)


def _copier(move: DataMove, state: State, dst: Span, src: Span) -> Callable[[], None]:
    source, shadow = src.data, src.shadow
    if dst.buffer.scope is Scope.GM:
        write = writer(move, state, dst, src, move.dst.dtype)
        return lambda: write(source, shadow)
    target, target_shadow = dst.data, dst.shadow

    def copy() -> None:
        target[...] = source
        if shadow.any():
            marked = mark_first_reader(move, state, "src", src.buffer, shadow, src.address)
            target_shadow[...] = marked
        else:
            target_shadow[...] = 0

    return copy


def _bursts(move: DataMove, state: State, role: str, n_burst: int, n_bytes: int) -> Span:
    operand = move.src if role == "src" else move.dst
    gap = number(move.src_gap if role == "src" else move.dst_gap) * BLOCK_BYTES
    buffer, start = state.start_of(move, operand, role, BLOCK_BYTES)
    return burst_span(move, state, role, buffer, start, n_burst, n_bytes, n_bytes + gap)


def burst_span(  # noqa: PLR0913 - the place of the bursts is that many numbers
    work: Work,
    state: State,
    role: str,
    buffer: Buffer,
    start: int,
    n_burst: int,
    n_bytes: int,
    pitch: int,
) -> Span:
    """Return `n_burst` runs of `n_bytes`, start to start `pitch`, checked to lie in `buffer`."""
    is_padded = isinstance(work, DataMovePad)
    unit = 1 if is_padded and buffer.scope is Scope.GM else BLOCK_BYTES
    name = f"{role}_gap" if is_padded else f"{role}_stride"
    length = None if is_padded else "burst"
    runs = Runs(n_burst, n_bytes, pitch, "nburst", name, True, unit, length)
    state.check_runs(work, role, buffer, start, runs)
    return Span(buffer, start, (n_burst, n_bytes), (pitch, 1))


def check_no_overlap(work: Work, state: State, dst: Span, src: Span) -> None:
    """Report E1206 if a move inside one tensor writes bytes that it reads."""
    if dst.buffer is not src.buffer or dst.end <= src.start or src.end <= dst.start:
        return
    touched = np.zeros(dst.buffer.data.size, np.bool_)
    np.ndarray(dst.counts, np.bool_, touched, dst.start, dst.strides)[...] = True
    shared = np.ndarray(src.counts, np.bool_, touched, src.start, src.strides)
    if shared.any():
        message = f"{method_name(work)}: dst and src overlap in `{dst.buffer.name}`"
        hint = "move through another tensor, or in pieces that do not overlap"
        state.report(Diagnostic("E1206", message, work.loc, hint=hint))


def _check_path(move: DataMove, state: State, source: Scope, target: Scope) -> None:
    machine = state.soc.machine
    known = all(end in _BY_DATA_MOVE or end.is_accumulator for end in (source, target))
    if known and machine.path(MEMORIES[source], MEMORIES[target]) is not None:
        return
    raise wrong_operand(
        move,
        f"{state.soc.name} has no data_move from {source} (`{move.src.tensor}`) to {target} "
        f"(`{move.dst.tensor}`)",
        _path_hint(source, target),
    )


def _path_hint(source: Scope, target: Scope) -> str:
    if target in (Scope.L0A, Scope.L0B):
        return "use load2dv1 or load3dv1"
    if source.is_accumulator or target is Scope.GM:
        return "move it to UB, and from there"
    return "move it in two steps"


def plan_data_move_pad(move: DataMovePad, state: State) -> Callable[[], None]:
    """Plan a `data_move_pad`: bursts of bytes, each at a block in UB."""
    source, target = (state.buffers[end.tensor].scope for end in (move.src, move.dst))
    if {source, target} != {Scope.GM, Scope.UB}:
        raise wrong_operand(move, f"it moves between GM and UB, not from {source} to {target}")
    check_ranges(
        move,
        (
            ("nburst", move.n_burst, 0, 4095),
            ("burst", move.burst, 0, 2097151),
            ("dst_gap", move.dst_gap, 0, 4294967295),
            ("src_gap", move.src_gap, 0, 4294967295),
        ),
    )
    if not number(move.n_burst) or not number(move.burst):
        return nothing
    return _pad_in(move, state) if source is Scope.GM else _pad_out(move, state)


def _pad_in(move: DataMovePad, state: State) -> Callable[[], None]:
    n_burst, burst, size = number(move.n_burst), number(move.burst), move.dst.dtype.n_bytes
    left, right = (number(pad) * size for pad in (move.left_padding, move.right_padding))
    check_range(move, "left_padding in bytes", left, 0, BLOCK_BYTES)
    check_range(move, "right_padding in bytes", right, 0, BLOCK_BYTES)
    total = left + burst + right
    gm, start = state.start_of(move, move.src, "src", 1)
    src = burst_span(move, state, "src", gm, start, n_burst, burst, burst + number(move.src_gap))
    ub, start = state.start_of(move, move.dst, "dst", BLOCK_BYTES)
    pitch = (-(-total // BLOCK_BYTES) + number(move.dst_gap)) * BLOCK_BYTES
    dst = burst_span(move, state, "dst", ub, start, n_burst, total, pitch)
    value = move.padding_value if isinstance(move.padding_value, int | float) else 0
    pad = np.array([value]).astype(move.dst.dtype.numpy).view(np.uint8)

    def copy() -> None:
        target, shadow = dst.data, dst.shadow
        target[:, :left] = np.tile(pad, left // size)
        target[:, left : left + burst] = src.data
        target[:, left + burst :] = np.tile(pad, right // size)
        shadow[...] = 0
        shadow[:, left : left + burst] = src.shadow

    return copy


def _pad_out(move: DataMovePad, state: State) -> Callable[[], None]:
    n_burst, burst = number(move.n_burst), number(move.burst)
    if number(move.left_padding) or number(move.right_padding):
        message = "data_move_pad: paddings are for moves from GM to UB only"
        raise TileError(Diagnostic("E1202", message, move.loc))
    ub, start = state.start_of(move, move.src, "src", BLOCK_BYTES)
    pitch = (-(-burst // BLOCK_BYTES) + number(move.src_gap)) * BLOCK_BYTES
    src = burst_span(move, state, "src", ub, start, n_burst, burst, pitch)
    gm, start = state.start_of(move, move.dst, "dst", 1)
    dst = burst_span(move, state, "dst", gm, start, n_burst, burst, burst + number(move.dst_gap))
    write = writer(move, state, dst, src, move.dst.dtype)
    return lambda: write(src.data, src.shadow)
