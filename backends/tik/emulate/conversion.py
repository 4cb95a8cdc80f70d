"""Conversions between dtypes."""

from collections.abc import Callable, Sequence

import numpy as np

from tilelang.backends.tik.emulate.elementwise import checked_repeat, ordered
from tilelang.backends.tik.emulate.hazards import execution_order
from tilelang.backends.tik.emulate.lanes import lane_view, lanes_per_repeat, selected_lanes
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.numeric import Values, convert, narrow
from tilelang.backends.tik.emulate.state import State, number
from tilelang.backends.tik.instructions import Convert, TikType
from tilelang.diagnostics import Diagnostic, TileError


def plan_convert(work: Convert, state: State) -> Callable[[], None]:
    """Plan a conversion; int32 to float16 needs a scale."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    source, target = work.src.operand.dtype, work.dst.operand.dtype
    scale = work.deqscale if isinstance(work.deqscale, int | float) else None
    if (source, target) == (TikType.INT32, TikType.FLOAT16) and scale is None:
        message = "vconv: int32 to float16 multiplies by deqscale, which is missing"
        raise TileError(Diagnostic("E1202", message, work.loc, hint="write deqscale=1.0"))
    chosen = selected_lanes(work, work.mask, lanes_per_repeat([source, target]))
    dst = lane_view(work, state, "dst", work.dst, chosen, n_repeats)
    src = lane_view(work, state, "src", work.src, chosen, n_repeats)
    order = execution_order(work, state, dst, [("src", src)], may_accumulate=False)
    saturates = state.soc.saturates

    def combine(sources: Sequence[Values]) -> Values:
        values = sources[0]
        if scale is not None:
            scaled = values.astype(np.float64) * scale
            return narrow(scaled, target, saturates=saturates)
        if source is target:
            return _round_in_place(values, work.round_mode)
        return convert(values, target, work.round_mode, saturates=saturates)

    return ordered(work, state, order, dst, [("src", src)], combine)


def _round_in_place(values: Values, mode: str) -> Values:
    """float32 to float32: round to integral values (910B)."""
    functions = {"floor": np.floor, "ceil": np.ceil, "to-zero": np.trunc, "none": np.positive}
    if mode == "away-zero":
        return np.copysign(np.floor(np.abs(values) + 0.5), values)
    return functions.get(mode, np.rint)(values)
