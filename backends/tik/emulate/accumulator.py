"""Moves between L0C and UB in units of fractals, with conversions on the way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.memory import Bytes, Span
from tilelang.backends.tik.emulate.numeric import convert, shadow_ids, spread_ids
from tilelang.backends.tik.emulate.state import State, number, wrong_operand
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    DataMove,
    Operand,
    Scope,
    TensorMove,
    TikType,
)
from tilelang.diagnostics import Diagnostic, TileError

FRACTAL_ELEMENTS = 256
"""Elements of a fractal of L0C."""

Values = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Mode:
    """A ConvReluMode: what dtype becomes what, with or without ReLU (tik.md section 5)."""

    source: TikType | None
    target: TikType | None
    relu: bool = False


_MODES: dict[int, Mode] = {
    0: Mode(None, None),
    1: Mode(TikType.FLOAT32, TikType.FLOAT16),
    2: Mode(TikType.FLOAT32, TikType.FLOAT16, relu=True),
    3: Mode(TikType.INT32, TikType.FLOAT16),
    4: Mode(TikType.FLOAT16, TikType.FLOAT32),
    5: Mode(None, None, relu=True),
}


def plan_accumulator_move(move: DataMove, state: State) -> Callable[[], None]:
    """Plan a `data_move` from or to L0C."""
    mode = _MODES.get(move.mode or 0)
    if mode is None:
        message = f"data_move: ConvReluMode {move.mode} is not emulated; 0 .. 5 are"
        raise TileError(Diagnostic("E1214", message, move.loc))
    found = (move.src.dtype, move.dst.dtype)
    wanted = (mode.source or found[0], mode.target or found[0])
    if found != wanted:
        raise wrong_operand(
            move,
            f"src is {found[0]} and dst {found[1]}; mode {move.mode or 0} takes {wanted[0]} to "
            f"{wanted[1]}",
            "append 1 for float32 to float16, 3 for int32 to float16",
        )
    relu = mode.relu
    return plan_fractals(move, state, lambda values: np.maximum(values, 0) if relu else values)


def plan_fractals(
    move: DataMove | TensorMove, state: State, finish: Callable[[Values], Values]
) -> Callable[[], None]:
    """Plan bursts of 16 x 16 fractals between L0C and UB; `finish` runs after the conversion."""
    src = _fractals(move, state, move.src, "src", number(move.src_gap))
    dst = _fractals(move, state, move.dst, "dst", number(move.dst_gap))
    source, target = move.src.dtype, move.dst.dtype
    saturates = state.soc.saturates

    def run() -> None:
        values = convert(src.values(source), target, "none", saturates=saturates)
        dst.data[...] = np.ascontiguousarray(finish(values)).view(np.uint8)
        dst.shadow[...] = _converted_shadow(src, source.n_bytes, target.n_bytes)

    return run


def _converted_shadow(src: Span, source_bytes: int, target_bytes: int) -> Bytes:
    shadow = src.shadow
    if source_bytes == target_bytes:
        return shadow
    return spread_ids(shadow_ids(shadow, source_bytes), target_bytes)


def _fractals(
    move: DataMove | TensorMove, state: State, operand: Operand, role: str, gap: int
) -> Span:
    """Return the bursts of one side: fractals in L0C, as many elements in UB."""
    scope = state.buffers[operand.tensor].scope
    fractal = FRACTAL_ELEMENTS * operand.dtype.n_bytes
    buffer, start = state.start_of(move, operand, role, alignment_of(scope, operand.dtype))
    n_burst, n_bytes = number(move.n_burst), number(move.burst) * fractal
    pitch = n_bytes + gap * (fractal if scope.is_accumulator else BLOCK_BYTES)
    state.check_extent(move, role, buffer, start, start + (n_burst - 1) * pitch + n_bytes)
    return Span(buffer, start, (n_burst, n_bytes), (pitch, 1))


def alignment_of(scope: Scope, dtype: TikType) -> int:
    """Return the bytes that the start of an operand must be a multiple of (TIK reference)."""
    if scope.is_accumulator:
        return 1024 if dtype.n_bytes == 4 else 512
    if scope in (Scope.L0A, Scope.L0B):
        return 512
    return 1 if scope is Scope.GM else BLOCK_BYTES
