"""What every operation computes: dtypes, rounding, saturation, wrapping.

All numbers of the executor pass through one `Arithmetic`, so a program can be run under another
one. `ROUNDED` is the meaning of the language. In it every operation rounds to its own dtype:
float16 and bfloat16 operations are computed in float32, functions (exp, tanh, ...) of float32 in
float64. Integers wrap. Of two zeros of different sign, `maximum` and `minimum` may return either.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, assert_never

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tilelang.dtypes import DType
from tilelang.ir.expression import BinaryOp, Rounding, UnaryOp
from tilelang.ir.nodes import ReduceOp

Array: TypeAlias = NDArray[Any]
UnaryFunction: TypeAlias = Callable[[Array], Array]
BinaryFunction: TypeAlias = Callable[[Array, Array], Array]
Reduction: TypeAlias = Callable[[Array, int], Array]
"""Reduces along an axis, which keeps size 1."""


class Arithmetic(Protocol):
    """How numbers are kept and what operations make of them."""

    def storage(self, dtype: DType) -> np.dtype[Any]:
        """Return the numpy type that holds elements of `dtype` while a program runs."""
        ...

    def literal(self, value: float, dtype: DType) -> Array:
        """Return `value` rounded to `dtype`, an array without dimensions."""
        ...

    def unary(self, op: UnaryOp, dtype: DType) -> UnaryFunction:
        """Return `op` on elements of `dtype`."""
        ...

    def binary(self, op: BinaryOp, dtype: DType) -> BinaryFunction:
        """Return `op` on pairs of elements of `dtype`."""
        ...

    def cast(self, source: DType, target: DType, rounding: Rounding) -> UnaryFunction:
        """Return the conversion from `source` to `target`."""
        ...

    def reduction(self, op: ReduceOp, dtype: DType) -> Reduction:
        """Return `op` along an axis of elements of `dtype`."""
        ...

    def product(self, a: DType, b: DType) -> BinaryFunction:
        """Return the matrix product of operands of dtypes `a` and `b`, in a fresh array."""
        ...


class _Rounded:
    """Numbers as the language defines them."""

    def storage(self, dtype: DType) -> np.dtype[Any]:
        return dtype.numpy

    def literal(self, value: float, dtype: DType) -> Array:
        if dtype is DType.BFLOAT16:
            return _to_bfloat16(np.asarray(value, np.float64))
        return np.asarray(value).astype(dtype.numpy)

    def unary(self, op: UnaryOp, dtype: DType) -> UnaryFunction:
        function = _FUNCTIONS.get(op)
        if function is None:
            return _SIMPLE[op]
        wide = np.dtype(np.float64 if dtype is DType.FLOAT32 else np.float32)
        narrow = dtype.numpy
        return lambda x: function(x.astype(wide)).astype(narrow)

    def binary(self, op: BinaryOp, dtype: DType) -> BinaryFunction:
        return _BINARY[op]

    def cast(self, source: DType, target: DType, rounding: Rounding) -> UnaryFunction:
        if source is target:
            return _unchanged
        if target is DType.BOOL:
            return lambda x: x != 0
        if target.is_integer and source is not DType.BOOL:
            return _saturating(source, target, rounding)
        if (source, target) == (DType.INT32, DType.BFLOAT16):
            return _to_bfloat16
        narrow = target.numpy
        return lambda x: x.astype(narrow)

    def reduction(self, op: ReduceOp, dtype: DType) -> Reduction:
        match op:
            case ReduceOp.SUM:
                return _sum(np.dtype(np.float32 if dtype.is_float else np.int32))
            case ReduceOp.MAX:
                return _extreme(np.maximum, dtype, lowest_value(dtype))
            case ReduceOp.MIN:
                return _extreme(np.minimum, dtype, highest_value(dtype))
            case _:
                assert_never(op)

    def product(self, a: DType, b: DType) -> BinaryFunction:
        return _integer_product if a.is_integer else _float_product


ROUNDED: Arithmetic = _Rounded()


def limits(dtype: DType) -> tuple[int, int]:
    """Return the lowest and the highest integer of `dtype`."""
    found = ml_dtypes.iinfo(dtype.numpy)
    return int(found.min), int(found.max)


def lowest_value(dtype: DType) -> float:
    """Return what a maximum of no elements is: the lowest integer, or minus infinity."""
    return -np.inf if dtype.is_float else limits(dtype)[0]


def highest_value(dtype: DType) -> float:
    """Return what a minimum of no elements is: the highest integer, or infinity."""
    return np.inf if dtype.is_float else limits(dtype)[1]


def neutral_values(op: ReduceOp, dtype: DType) -> tuple[float, ...]:
    """Return the values that leave a reduction as it is, whatever else is reduced.

    To a maximum of floats that is minus infinity, and by courtesy the lowest finite number, which
    hardware without infinities pads with.
    """
    match op:
        case ReduceOp.SUM:
            return (0,)
        case ReduceOp.MAX if dtype.is_float:
            return (lowest_value(dtype), -_LARGEST_FINITE[dtype])
        case ReduceOp.MAX:
            return (lowest_value(dtype),)
        case ReduceOp.MIN if dtype.is_float:
            return (highest_value(dtype), _LARGEST_FINITE[dtype])
        case ReduceOp.MIN:
            return (highest_value(dtype),)
        case _:
            assert_never(op)


_LARGEST_FINITE: dict[DType, float] = {
    DType.FLOAT16: 65504.0,
    DType.BFLOAT16: float.fromhex("0x1.fep127"),
    DType.FLOAT32: float.fromhex("0x1.fffffep127"),
}


def _unchanged(x: Array) -> Array:
    return x


def _sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow for large negative `x`."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), decay) / (1 + decay)


def _rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


def _relu(x: Array) -> Array:
    """Return `x` where it is positive or NaN, else +0 (also of -0)."""
    return np.where(x <= 0, x.dtype.type(0), x)


_FUNCTIONS: dict[UnaryOp, UnaryFunction] = {
    UnaryOp.EXP: np.exp,
    UnaryOp.LN: np.log,
    UnaryOp.SQRT: np.sqrt,
    UnaryOp.RSQRT: _rsqrt,
    UnaryOp.TANH: np.tanh,
    UnaryOp.SIGMOID: _sigmoid,
}
"""Computed in the next wider type and rounded once."""

_SIMPLE: dict[UnaryOp, UnaryFunction] = {
    UnaryOp.NEGATE: np.negative,
    UnaryOp.RELU: _relu,
    UnaryOp.ABS: np.abs,
}
"""Exact in any type."""

_BINARY: dict[BinaryOp, BinaryFunction] = {
    BinaryOp.ADD: np.add,
    BinaryOp.SUBTRACT: np.subtract,
    BinaryOp.MULTIPLY: np.multiply,
    BinaryOp.DIVIDE: np.divide,
    BinaryOp.MAXIMUM: np.maximum,
    BinaryOp.MINIMUM: np.minimum,
}
"""numpy computes narrow floats in float32 and rounds: once is enough, 24 >= 2 * 11 + 2 bits."""

_ROUND: dict[Rounding, UnaryFunction] = {
    Rounding.NEAREST: np.rint,
    Rounding.FLOOR: np.floor,
    Rounding.CEIL: np.ceil,
    Rounding.TRUNCATE: np.trunc,
    Rounding.AWAY: lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
}
"""Of float64, in which adding a half to any float32 is exact as far as it matters."""


def _saturating(source: DType, target: DType, rounding: Rounding) -> UnaryFunction:
    narrow = target.numpy
    low, high = limits(target)
    if source.is_integer:
        least, most = limits(source)
        low, high = max(low, least), min(high, most)
        return lambda x: np.clip(x, low, high).astype(narrow)
    to_whole = _ROUND[rounding]

    def convert(x: Array) -> Array:
        whole = np.clip(to_whole(x.astype(np.float64)), low, high)
        return np.where(np.isnan(whole), 0, whole).astype(narrow)

    return convert


def _to_bfloat16(x: Array) -> Array:
    """Return float64 or int32 numbers as bfloat16, rounded once.

    `ml_dtypes` goes by way of float32, which rounds twice. Rounding to odd on the way (towards
    zero, with the last bit set where anything was lost) keeps what the second rounding needs.
    """
    exact = x.astype(np.float64)
    single = np.atleast_1d(exact).astype(np.float32)
    back = single.astype(np.float64)
    bits = single.view(np.uint32)
    bits -= np.abs(back) > np.abs(np.atleast_1d(exact))
    bits |= (back != np.atleast_1d(exact)) & ~np.isnan(back)
    return single.astype(ml_dtypes.bfloat16).reshape(exact.shape)


def _sum(wide: np.dtype[Any]) -> Reduction:
    def add_up(x: Array, axis: int) -> Array:
        wider = x.astype(wide, copy=False)
        return np.add.reduce(wider, axis=axis, dtype=wide, keepdims=True)

    return add_up


def _extreme(function: np.ufunc, dtype: DType, of_none: float) -> Reduction:
    narrow = dtype.numpy
    wide = np.dtype(np.float32) if dtype.is_float else narrow

    def choose(x: Array, axis: int) -> Array:
        wider = x.astype(wide, copy=False)
        found = function.reduce(wider, axis=axis, keepdims=True, initial=of_none)
        return found.astype(narrow, copy=False)

    return choose


def _float_product(a: Array, b: Array) -> Array:
    wide_a, wide_b = a.astype(np.float32, copy=False), b.astype(np.float32, copy=False)
    return np.matmul(wide_a, wide_b)


_EXACT_TERMS = 512
"""Products of two 8-bit integers are at most 2**15 in size, and float32 is exact to 2**24."""


def _integer_product(a: Array, b: Array) -> Array:
    """Return the product modulo 2**32, by float32 products short enough to be exact."""
    total = np.zeros((a.shape[0], b.shape[1]), np.int32)
    for first in range(0, a.shape[1], _EXACT_TERMS):
        terms = slice(first, first + _EXACT_TERMS)
        total += _float_product(a[:, terms], b[terms]).astype(np.int32)
    return total
