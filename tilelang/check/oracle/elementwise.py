"""What element-wise operations make of numbers that carry a bound.

Ends go through a function by its values there, on pieces where it is monotone; never by a
derivative. At a pole, and where a function is not defined, the result is unbounded.
"""

from collections.abc import Callable
from typing import TypeAlias, assert_never

import numpy as np

from tilelang.check.oracle.formats import Ends
from tilelang.check.oracle.planes import (
    HIGH,
    LOW,
    VALUE,
    Array,
    Planes,
    assemble,
    exactly,
    limits,
    wrapped,
)
from tilelang.check.oracle.rounding import Rounding as Floats
from tilelang.dtypes import DType
from tilelang.ir.expression import BinaryOp, ComparisonOp, LogicOp, Rounding, UnaryOp

Function: TypeAlias = Callable[[Array], Array]


def literal(value: float, dtype: DType, floats: Floats) -> Planes:
    """Return the planes of a number written in the program, rounded to `dtype`."""
    planes = exactly(np.asarray(value), dtype)
    if not dtype.is_float:
        return planes
    return assemble(planes[VALUE], floats.kept((planes[LOW], planes[HIGH]), dtype))


def stored(planes: Planes, dtype: DType, floats: Floats) -> Planes:
    """Return numbers once they are in a buffer of `dtype`: a wider expression rounds here."""
    if not dtype.is_float:
        return planes
    ends = floats.passed(floats.kept((planes[LOW], planes[HIGH]), dtype), dtype)
    return assemble(planes[VALUE], ends, planes)


# Functions of one number --------------------------------------------------------------------------


def unary(op: UnaryOp, x: Planes, dtype: DType, floats: Floats) -> Planes:
    """Return the planes of `op(x)`."""
    match op:
        case UnaryOp.NEGATE:
            planes = -x[[VALUE, HIGH, LOW]]
        case UnaryOp.RELU:
            planes = np.where(x <= 0, 0, x)
        case UnaryOp.ABS:
            planes = _absolute(x)
        case (
            UnaryOp.EXP | UnaryOp.LN | UnaryOp.SQRT | UnaryOp.RSQRT | UnaryOp.TANH | UnaryOp.SIGMOID
        ):
            return _function(op, x, dtype, floats)
        case _:
            assert_never(op)
    if dtype.is_float:
        return assemble(planes[VALUE], floats.passed((planes[LOW], planes[HIGH]), dtype), x)
    return wrapped(planes[VALUE], (planes[LOW], planes[HIGH]), dtype)


def _absolute(x: Planes) -> Planes:
    sizes = np.abs(x)
    low, high = np.minimum(sizes[LOW], sizes[HIGH]), np.maximum(sizes[LOW], sizes[HIGH])
    low = np.where((x[LOW] < 0) & (x[HIGH] > 0), 0, low)
    return np.stack([sizes[VALUE], low, high])


def _sigmoid(x: Array) -> Array:
    decay = np.exp(-np.abs(x))
    return np.where(x < 0, decay, 1.0) / (1 + decay)


def _rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


_FUNCTIONS: dict[UnaryOp, Function] = {
    UnaryOp.EXP: np.exp,
    UnaryOp.LN: np.log,
    UnaryOp.SQRT: np.sqrt,
    UnaryOp.RSQRT: _rsqrt,
    UnaryOp.TANH: np.tanh,
    UnaryOp.SIGMOID: _sigmoid,
}
"""All of them monotone where they are defined; all rise but `rsqrt`."""
_NOT_NEGATIVE = (UnaryOp.EXP, UnaryOp.SQRT, UnaryOp.RSQRT, UnaryOp.SIGMOID)


def _function(op: UnaryOp, x: Planes, dtype: DType, floats: Floats) -> Planes:
    x = np.stack([x[VALUE], *floats.argument((x[LOW], x[HIGH]), op)])
    value, low, high = _FUNCTIONS[op](x)
    if op is UnaryOp.RSQRT:
        low, high = high, low
        at_pole = (x[LOW] <= 0) & (x[HIGH] >= 0)
        low, high = np.where(at_pole, -np.inf, low), np.where(at_pole, np.inf, high)
    if op is UnaryOp.LN:
        at_pole = (x[LOW] <= 0) & (x[HIGH] > 0)
        low, high = np.where(at_pole, -np.inf, low), np.where(at_pole, np.inf, high)
    low, high = floats.function((low, high), op, dtype, (x[LOW], x[HIGH]))
    if op in _NOT_NEGATIVE:
        low = np.where((low < 0) & np.isfinite(low), 0.0, low)
    return assemble(value, (low, high), x)


# Functions of two ---------------------------------------------------------------------------------


def binary(op: BinaryOp, operands: tuple[Planes, Planes], dtype: DType, floats: Floats) -> Planes:
    """Return the planes of `left op right`, the two operands."""
    left, right = operands
    value, ends = _combined(op, left, right)
    if not dtype.is_float:
        return wrapped(value, ends, dtype)
    match op:
        case BinaryOp.ADD | BinaryOp.SUBTRACT:
            ends = floats.result(ends, dtype)
        case BinaryOp.MULTIPLY:
            ends = floats.product(ends, dtype)
        case BinaryOp.DIVIDE:
            ends = floats.quotient(ends, dtype)
        case BinaryOp.MAXIMUM | BinaryOp.MINIMUM:
            ends = floats.passed(ends, dtype)
        case _:
            assert_never(op)
    return assemble(value, ends, left, right)


def _combined(op: BinaryOp, left: Planes, right: Planes) -> tuple[Array, Ends]:
    """Return the value and the ends, before rounding."""
    match op:
        case BinaryOp.ADD:
            planes = left + right
        case BinaryOp.SUBTRACT:
            planes = left - right[[VALUE, HIGH, LOW]]
        case BinaryOp.MAXIMUM:
            planes = np.maximum(left, right)
        case BinaryOp.MINIMUM:
            planes = np.minimum(left, right)
        case BinaryOp.MULTIPLY:
            return left[VALUE] * right[VALUE], _corners(np.multiply, left, right)
        case BinaryOp.DIVIDE:
            low, high = _corners(np.divide, left, right)
            at_pole = (right[LOW] <= 0) & (right[HIGH] >= 0)
            low, high = np.where(at_pole, -np.inf, low), np.where(at_pole, np.inf, high)
            return left[VALUE] / right[VALUE], (low, high)
        case _:
            assert_never(op)
    return planes[VALUE], (planes[LOW], planes[HIGH])


def _corners(function: np.ufunc, left: Planes, right: Planes) -> Ends:
    """Return the extremes of a function that is monotone in each operand.

    One corner that is NaN makes one end NaN, so that `assemble` sees it, unless all of them are.
    """
    if (left[LOW] == left[HIGH]).all() and (right[LOW] == right[HIGH]).all():
        only = function(left[LOW], right[LOW])
        return only, only
    corners = [function(left[i], right[j]) for i in (LOW, HIGH) for j in (LOW, HIGH)]
    low = np.minimum.reduce(corners)  # NaN if any corner is
    return low, np.fmax.reduce(corners)


def _chosen(condition: Array, then: Array, otherwise: Array) -> Array:
    return np.where(condition, then, otherwise)


def where(condition: Planes, then: Planes, otherwise: Planes, *, is_float: bool) -> Planes:
    """Return the planes of a choice: of both sides where either may be chosen."""
    value = _chosen(condition[VALUE], then[VALUE], otherwise[VALUE])
    certain, possible = condition[LOW], condition[HIGH]
    both = np.minimum(then[LOW], otherwise[LOW]), np.maximum(then[HIGH], otherwise[HIGH])
    if is_float:  # NaN on one side alone may be, and need not
        one_nan = np.isnan(then[LOW]) ^ np.isnan(otherwise[LOW])
        both = np.where(one_nan, -np.inf, both[0]), np.where(one_nan, np.inf, both[1])
    low = _chosen(certain, then[LOW], _chosen(possible, both[0], otherwise[LOW]))
    high = _chosen(certain, then[HIGH], _chosen(possible, both[1], otherwise[HIGH]))
    return np.stack(np.broadcast_arrays(value, low, high))


_COMPARE: dict[ComparisonOp, Callable[[Array, Array], Array]] = {
    ComparisonOp.LESS: np.less,
    ComparisonOp.LESS_EQUAL: np.less_equal,
    ComparisonOp.EQUAL: np.equal,
    ComparisonOp.NOT_EQUAL: np.not_equal,
    ComparisonOp.GREATER: np.greater,
    ComparisonOp.GREATER_EQUAL: np.greater_equal,
}


def comparison(op: ComparisonOp, left: Planes, right: Planes) -> Planes:
    """Return whether `left op right` holds, certainly and possibly."""
    value = _COMPARE[op](left[VALUE], right[VALUE])
    match op:
        case ComparisonOp.LESS | ComparisonOp.LESS_EQUAL:
            certain = _COMPARE[op](left[HIGH], right[LOW])
            possible = _COMPARE[op](left[LOW], right[HIGH])
        case ComparisonOp.GREATER | ComparisonOp.GREATER_EQUAL:
            certain = _COMPARE[op](left[LOW], right[HIGH])
            possible = _COMPARE[op](left[HIGH], right[LOW])
        case ComparisonOp.EQUAL:
            certain, possible = _equal(left, right)
        case ComparisonOp.NOT_EQUAL:
            equal, may_equal = _equal(left, right)
            certain, possible = ~may_equal, ~equal
        case _:
            assert_never(op)
    loose = _is_loose(left) | _is_loose(right)
    return np.stack(np.broadcast_arrays(value, certain & ~loose, possible | loose))


def _equal(left: Planes, right: Planes) -> Ends:
    apart = (left[HIGH] < right[LOW]) | (right[HIGH] < left[LOW])
    some_nan = np.isnan(left[LOW]) | np.isnan(right[LOW])
    known = (left[LOW] == left[HIGH]) & (right[LOW] == right[HIGH])
    return known & (left[LOW] == right[LOW]), ~(apart | some_nan)


def _is_loose(x: Planes) -> Array:
    """Return which numbers may be NaN."""
    return (x[LOW] == -np.inf) & (x[HIGH] == np.inf)


def logic(op: LogicOp, left: Planes, right: Planes) -> Planes:
    """Return `left op right`, plane by plane: neither operation ever falls."""
    return left & right if op is LogicOp.AND else left | right


def negation(x: Planes) -> Planes:
    """Return the opposite: what is not possible is certainly not."""
    return ~x[[VALUE, HIGH, LOW]]


# Conversions --------------------------------------------------------------------------------------

_WHOLE: dict[Rounding, Function] = {
    Rounding.NEAREST: np.rint,
    Rounding.FLOOR: np.floor,
    Rounding.CEIL: np.ceil,
    Rounding.TRUNCATE: np.trunc,
    Rounding.AWAY: lambda x: np.trunc(x + np.copysign(0.5, x)),
}


def cast(x: Planes, types: tuple[DType, DType], rounding: Rounding, floats: Floats) -> Planes:
    """Return `x` converted from the first of `types` to the second."""
    source, target = types
    if source is target:
        return x
    if target is DType.BOOL:
        return comparison(ComparisonOp.NOT_EQUAL, x, np.zeros_like(x))
    if target.is_float:
        wide = x.astype(np.float64)
        return assemble(wide[VALUE], floats.cast((wide[LOW], wide[HIGH]), target), wide)
    if source is DType.BOOL:
        return x.astype(np.int64)
    lowest, highest = limits(target)
    if source.is_integer:
        return np.clip(x, lowest, highest)
    # What may be NaN may be anything already, and NaN itself becomes 0.
    whole = np.clip(_WHOLE[rounding](x), lowest, highest)
    return np.nan_to_num(whole, nan=0.0).astype(np.int64)
