"""Conversions: chains of vconv, since no chip converts every pair of dtypes at once."""

import numpy as np

from tilelang.backends.tik.instructions import Name, Scalar, TikType, VectorOp
from tilelang.backends.tik.lower.arithmetic import target_of
from tilelang.backends.tik.lower.functions import convert
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.values import Number, Tile, Value, Workbench
from tilelang.ir.expression import Rounding

_MODES = {
    Rounding.NEAREST: "round",
    Rounding.FLOOR: "floor",
    Rounding.CEIL: "ceil",
    Rounding.TRUNCATE: "to-zero",
    Rounding.AWAY: "away-zero",
}
_HALF, _SINGLE, _WHOLE = TikType.FLOAT16, TikType.FLOAT32, TikType.INT32


def cast(
    bench: Workbench, x: Value, dtype: TikType, rounding: Rounding, into: Tile | None
) -> Value:
    """Return `x` converted to `dtype`; to integers by `rounding`, saturating."""
    if x.dtype is dtype:
        return x
    if isinstance(x, Number):
        return _cast_number(bench, x, dtype, rounding)
    if dtype.n_bytes == 1:
        return _to_byte(bench, x, dtype, rounding, into)
    if x.dtype.n_bytes == 1:
        return _from_byte(bench, x, dtype, into)
    mode = _MODES[rounding] if dtype is _WHOLE else "none"
    _check_pair(bench, x.dtype, dtype, mode)
    scale = 1.0 if (x.dtype, dtype) == (_WHOLE, _HALF) else None
    return _convert(bench, x, dtype, (mode, scale), into)


def _convert(
    bench: Workbench,
    x: Tile,
    dtype: TikType,
    how: tuple[str, float | None],
    into: Tile | None,
    *,
    plain: bool = False,
) -> Tile:
    dst = bench.scratch(dtype, x.shape, plain=True) if plain else target_of(bench, into, dtype, x)
    convert(bench, dst, x, *how)
    bench.release(x)
    return dst


def _cast_number(bench: Workbench, x: Number, dtype: TikType, rounding: Rounding) -> Value:
    if isinstance(x.value, int | float):
        if dtype.is_float or not x.dtype.is_float:
            return Number(np.asarray(x.value).astype(dtype.numpy).item(), dtype)
        return cast(bench, bench.tile(x, bench.rank), dtype, rounding, None)
    if bench.machine == "ascend310":
        raise refusal(
            "E1243",
            f"the value of an index as {dtype}, and the 310's scalar unit does not convert "
            "integers to floats",
            bench.writer.loc,
            "compute it when the kernel is traced, or use another machine",
            bench.buffer,
        )
    name = bench.writer.fresh("number")
    bench.writer.write(Scalar(name, dtype, x.value, bench.writer.loc))
    return Number(Name(name), dtype)


def _to_byte(
    bench: Workbench, x: Tile, dtype: TikType, rounding: Rounding, into: Tile | None
) -> Value:
    """Convert through float16, which holds these integers exactly; from float32 by way of int32."""
    low, high = (-128, 127) if dtype is TikType.INT8 else (0, 255)
    if x.dtype.n_bytes == 1:
        x = _from_byte(bench, x, _HALF, None)
    if x.dtype is _SINGLE:
        _check_pair(bench, _SINGLE, _WHOLE, _MODES[rounding])
        x = _convert(bench, x, _WHOLE, (_MODES[rounding], None), None)
        rounding = Rounding.NEAREST
    if x.dtype is _WHOLE:
        x = _narrowed(bench, x, low, high)
    if x.box.axes[-1].block:
        row_major = bench.scratch(_HALF, x.shape, plain=True)
        bench.copy(row_major, x)
        bench.release(x)
        x = row_major
    mode = "none" if rounding is Rounding.NEAREST else _MODES[rounding]
    return _convert(bench, x, dtype, (mode, None), into)


def _narrowed(bench: Workbench, x: Tile, low: int, high: int) -> Tile:
    """Return int32 within `low` .. `high` as float16, row-major."""
    cut = bench.scratch(_WHOLE, x.shape)
    limits = [bench.tile(Number(limit, _WHOLE), len(x.shape)) for limit in (low, high)]
    bench.apply(VectorOp.MAX, cut, x, limits[0])
    bench.apply(VectorOp.MIN, cut, cut, limits[1])
    bench.release(x)
    return _convert(bench, cut, _HALF, ("none", 1.0), None, plain=True)


def _from_byte(bench: Workbench, x: Tile, dtype: TikType, into: Tile | None) -> Tile:
    half = bench.scratch(_HALF, x.shape, plain=True)
    convert(bench, half, x, "none")
    bench.release(x)
    if dtype is _HALF:
        return half
    return _convert(bench, half, dtype, ("round" if dtype is _WHOLE else "none", None), into)


def _check_pair(bench: Workbench, source: TikType, target: TikType, mode: str) -> None:
    """Refuse conversions that the chip lacks (tik.md section 4.3)."""
    if bench.machine != "ascend310" or (_HALF in (source, target) and mode in _ON_310):
        return
    raise refusal(
        "E1243",
        f"the 310 does not convert {source} to {target}" + (f" ({mode})" if mode != "none" else ""),
        bench.writer.loc,
        "convert through float16 if its range will do, or use another machine",
        bench.buffer,
    )


_ON_310 = ("none", "round", "floor", "ceil")
