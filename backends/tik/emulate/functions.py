"""What each vector operation computes, on arrays [repeats, lanes]."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.lanes import Combine
from tilelang.backends.tik.emulate.numeric import Values, narrow
from tilelang.backends.tik.instructions import TikType, VectorOp


def vector_function(
    op: VectorOp, scalar: int | float | None, dtype: TikType, *, saturates: bool
) -> Combine:
    """Return what computes the lanes of `dtype` from those of the sources (then of `dst`)."""
    if op is VectorOp.DUP:
        value = np.array([0 if scalar is None else scalar]).astype(dtype.numpy)
        return lambda sources: value
    if not dtype.is_float:
        return _integer_function(op, scalar, dtype)
    wide = np.dtype(np.float32) if dtype.n_bytes == 2 else dtype.numpy
    constant = _constant(scalar, dtype, wide)

    def finish(values: Values) -> Values:
        return narrow(values, dtype, saturates=saturates)

    if op in _EXACT_STEPS:
        steps = _EXACT_STEPS[op]
        return lambda sources: steps(
            [source.astype(wide) for source in sources], constant, lambda x: finish(x).astype(wide)
        ).astype(dtype.numpy)
    if op in _FUNCTIONS:
        function = _FUNCTIONS[op]
        high = np.dtype(np.float64) if dtype.n_bytes == 4 else wide
        return lambda sources: finish(function(sources[0].astype(high)))
    simple = _BINARY[op]
    return lambda sources: finish(simple([source.astype(wide) for source in sources], constant))


def _constant(scalar: int | float | None, dtype: TikType, wide: np.dtype[Any]) -> Any:
    return None if scalar is None else np.array(scalar).astype(dtype.numpy).astype(wide)


_Simple = Callable[[Sequence[Values], Any], Values]

_BINARY: dict[VectorOp, _Simple] = {
    VectorOp.ADD: lambda s, _: s[0] + s[1],
    VectorOp.SUB: lambda s, _: s[0] - s[1],
    VectorOp.MUL: lambda s, _: s[0] * s[1],
    VectorOp.DIV: lambda s, _: s[0] / s[1],
    VectorOp.MAX: lambda s, _: np.maximum(s[0], s[1]),
    VectorOp.MIN: lambda s, _: np.minimum(s[0], s[1]),
    VectorOp.ADDS: lambda s, c: s[0] + c,
    VectorOp.MULS: lambda s, c: s[0] * c,
    VectorOp.MAXS: lambda s, c: np.maximum(s[0], c),
    VectorOp.MINS: lambda s, c: np.minimum(s[0], c),
    VectorOp.LEAKY_RELU: lambda s, c: np.where(s[0] > 0, s[0], s[0] * c),
    VectorOp.RELU: lambda s, _: np.maximum(s[0], 0),
    VectorOp.ABS: lambda s, _: np.abs(s[0]),
}
"""One operation, rounded once."""

_FUNCTIONS: dict[VectorOp, Callable[[Values], Values]] = {
    VectorOp.LN: np.log,
    VectorOp.EXP: np.exp,
    VectorOp.REC: lambda x: 1 / x,
    VectorOp.RSQRT: lambda x: 1 / np.sqrt(x),
    VectorOp.SQRT: np.sqrt,
    VectorOp.EXPM1: np.expm1,
}
"""Computed in a wider type, rounded once: the chip's own approximations are not public."""

_Rounded = Callable[[Values], Values]
_EXACT_STEPS: dict[VectorOp, Callable[[Sequence[Values], Any, _Rounded], Values]] = {
    VectorOp.MLA: lambda s, _, r: r(r(s[0] * s[1]) + s[2]),
    VectorOp.MADD: lambda s, _, r: r(r(s[0] * s[2]) + s[1]),
    VectorOp.MADD_RELU: lambda s, _, r: np.maximum(r(r(s[0] * s[2]) + s[1]), 0),
    VectorOp.ADD_RELU: lambda s, _, r: np.maximum(r(s[0] + s[1]), 0),
    VectorOp.SUB_RELU: lambda s, _, r: np.maximum(r(s[0] - s[1]), 0),
    VectorOp.AXPY: lambda s, c, r: r(r(s[0] * c) + s[1]),
}
"""Two operations, each rounded."""


def _integer_function(op: VectorOp, scalar: int | float | None, dtype: TikType) -> Combine:
    constant = None if scalar is None else np.array(int(scalar)).astype(dtype.numpy)
    if op in _BITWISE:
        bitwise = _BITWISE[op]
        return lambda sources: bitwise(sources, scalar)
    if op in _EXACT_STEPS:
        steps = _EXACT_STEPS[op]
        return lambda sources: steps(sources, constant, _same)
    simple = _BINARY[op]
    return lambda sources: simple(sources, constant)


def _same(values: Values) -> Values:
    return values


def _shift_right(source: Values, count: int | float | None) -> npt.NDArray[Any]:
    return np.right_shift(source, int(count or 0))


_BITWISE: dict[VectorOp, Callable[[Sequence[Values], int | float | None], Values]] = {
    VectorOp.AND: lambda s, _: np.bitwise_and(s[0], s[1]),
    VectorOp.OR: lambda s, _: np.bitwise_or(s[0], s[1]),
    VectorOp.NOT: lambda s, _: np.bitwise_not(s[0]),
    VectorOp.SHL: lambda s, c: np.left_shift(s[0], int(c or 0)),
    VectorOp.SHR: lambda s, c: _shift_right(s[0], c),
}
"""On the bits of integers."""
