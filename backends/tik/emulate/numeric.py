"""Arithmetic as the chip does it: rounding, saturation, conversion; and shadows of elements."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.memory import Bytes
from tilelang.backends.tik.instructions import TikType

Values = npt.NDArray[Any]

FLOAT16_MAX = 65504.0
"""The largest float16, which first-generation chips give instead of infinity (tik.md, 4)."""


def _away(values: Values) -> Values:
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


_ROUND: dict[str, Callable[[Values], Values]] = {
    "none": np.rint,
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "away-zero": _away,
    "to-zero": np.trunc,
}


def convert(values: Values, target: TikType, mode: str, *, saturates: bool) -> Values:
    """Return `values` as `target`.

    Floats become integers by `mode`, saturating, NaN as 0; integers saturate; everything that
    becomes a float is rounded to nearest even unless `mode` says otherwise.
    """
    if values.dtype == target.numpy:
        return values
    if not target.is_float:
        return _to_integer(values, target, mode)
    if values.dtype.kind in "iu":
        values = values.astype(np.float64)
    if values.dtype.itemsize <= target.n_bytes and target is not TikType.BFLOAT16:
        return values.astype(target.numpy)
    return narrow(_directed(values, target, mode), target, saturates=saturates)


def narrow(values: Values, target: TikType, *, saturates: bool) -> Values:
    """Return floats rounded to nearest even; float16 saturates if the chip does."""
    if saturates and target is TikType.FLOAT16:
        values = np.clip(values, -FLOAT16_MAX, FLOAT16_MAX)
    return values.astype(target.numpy)


def _to_integer(values: Values, target: TikType, mode: str) -> Values:
    limits = np.iinfo(target.value)
    if values.dtype.kind in "iu":
        return np.clip(values.astype(np.int64), limits.min, limits.max).astype(target.numpy)
    exact = values.astype(np.float64)
    rounded = np.nan_to_num(_ROUND[mode](exact), nan=0.0, posinf=limits.max, neginf=limits.min)
    if target.n_bytes == 8:
        return rounded.astype(target.numpy)
    return np.clip(rounded, limits.min, limits.max).astype(target.numpy)


def _directed(values: Values, target: TikType, mode: str) -> Values:
    """Return `values` moved onto numbers of `target` where `mode` is not nearest even."""
    if mode in ("none", "round", "away-zero"):
        return values
    nearest = values.astype(target.numpy).astype(values.dtype)
    if mode == "odd":
        return _to_odd(values, nearest, target)
    toward = {
        "floor": nearest > values,
        "ceil": nearest < values,
        "to-zero": np.abs(nearest) > np.abs(values),
    }[mode]
    direction = {"floor": -np.inf, "ceil": np.inf, "to-zero": 0.0}[mode]
    stepped = np.nextafter(nearest.astype(target.numpy), target.numpy.type(direction))
    return np.where(toward, stepped.astype(values.dtype), nearest)


def _to_odd(values: Values, nearest: Values, target: TikType) -> Values:
    """Von Neumann rounding: what is inexact goes to the neighbour with an odd last bit."""
    low = _directed(values, target, "floor").astype(target.numpy)
    high = _directed(values, target, "ceil").astype(target.numpy)
    low_is_odd = (low.view(np.uint16) & 1).astype(np.bool_)
    inexact = np.where(low_is_odd, low, high).astype(values.dtype)
    return np.where(nearest == values, nearest, inexact)


def shadow_ids(shadow: Bytes, n_bytes: int) -> Bytes:
    """Return one shadow for each element of `n_bytes`: the largest of its bytes."""
    return np.ascontiguousarray(shadow).reshape(*shadow.shape[:-1], -1, n_bytes).max(axis=-1)


def spread_ids(ids: Bytes, n_bytes: int) -> Bytes:
    """Return the shadow of every byte from that of each element."""
    return np.repeat(ids, n_bytes, axis=-1)
