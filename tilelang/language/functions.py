"""Element-wise functions of the language, on tiles and, for min and max, on indices."""

from __future__ import annotations

from typing import overload

from tilelang.dtypes import DType, DTypeLike
from tilelang.ir import index as ix
from tilelang.ir.expression import BinaryOp, Cast, Position, Rounding, UnaryOp, Where
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.handles import Index, IndexLike, as_node, is_index, nested
from tilelang.language.literals import is_number, plain_number, want_dtype
from tilelang.language.operands import check_mask, check_number, no_mask
from tilelang.language.vector import (
    Expression,
    OperandLike,
    as_expression,
    as_pair,
    binary,
    combine,
    unary,
)


def exp(x: OperandLike) -> Expression:
    """Return e to the power of `x`, a float.

    Example:
        t[:] = tl.exp(-u)
    """
    return unary(UnaryOp.EXP, x)


def ln(x: OperandLike) -> Expression:
    """Return the natural logarithm of `x`, a float; NaN below 0.

    Example:
        t[:] = tl.ln(u)
    """
    return unary(UnaryOp.LN, x)


def sqrt(x: OperandLike) -> Expression:
    """Return the square root of `x`, a float; NaN below 0.

    Example:
        t[:] = tl.sqrt(u)
    """
    return unary(UnaryOp.SQRT, x)


def rsqrt(x: OperandLike) -> Expression:
    """Return 1 over the square root of `x`, a float; infinity at 0, NaN below.

    Example:
        t[:] = tl.rsqrt(u)
    """
    return unary(UnaryOp.RSQRT, x)


def tanh(x: OperandLike) -> Expression:
    """Return the hyperbolic tangent of `x`, a float.

    Example:
        t[:] = tl.tanh(u)
    """
    return unary(UnaryOp.TANH, x)


def sigmoid(x: OperandLike) -> Expression:
    """Return 1 / (1 + exp(-x)) of `x`, a float; it does not overflow.

    Example:
        t[:] = tl.sigmoid(u) * u
    """
    return unary(UnaryOp.SIGMOID, x)


def relu(x: OperandLike) -> Expression:
    """Return `x` where it is positive, else 0; NaN stays NaN.

    Example:
        t[:] = tl.relu(u)
    """
    return unary(UnaryOp.RELU, x)


def abs(x: OperandLike) -> Expression:
    """Return the absolute value of `x`; Python's `abs(x)` is the same.

    Example:
        t[:] = tl.abs(u)
    """
    return unary(UnaryOp.ABS, x)


@overload
def maximum(x: int, y: int) -> int: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def maximum(x: IndexLike, y: IndexLike) -> Index: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def maximum(x: OperandLike, y: OperandLike) -> Expression: ...
def maximum(x: OperandLike, y: OperandLike) -> Expression | Index | int:
    """Return the larger of two, element by element; NaN wins. Of two indices, an index.

    Example:
        t[:] = tl.maximum(t, u)
        t[:] = tl.maximum(t, 0)
    """
    if is_index(x) and is_index(y):
        if not isinstance(x, Index) and not isinstance(y, Index):
            return max(x, y)
        return nested(ix.maximum(as_node(x), as_node(y)))
    return binary(BinaryOp.MAXIMUM, x, y)


@overload
def minimum(x: int, y: int) -> int: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def minimum(x: IndexLike, y: IndexLike) -> Index: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def minimum(x: OperandLike, y: OperandLike) -> Expression: ...
def minimum(x: OperandLike, y: OperandLike) -> Expression | Index | int:
    """Return the smaller of two, element by element; NaN wins. Of two indices, an index.

    Example:
        t[:] = tl.minimum(t, 6)
        for i in tl.for_range(5):
            tl.data_move(t, x[tl.minimum(i * 16, 48), 0])
    """
    if is_index(x) and is_index(y):
        if not isinstance(x, Index) and not isinstance(y, Index):
            return min(x, y)
        return nested(ix.minimum(as_node(x), as_node(y)))
    return binary(BinaryOp.MINIMUM, x, y)


def where(condition: object, then: object, otherwise: object) -> Expression:
    """Return `then` where `condition`, a mask, holds, else `otherwise`; both of one dtype.

    A mask is a comparison of tiles, or of indices: then it is the same for every element.

    Example:
        t[:] = tl.where((t > 0) & (u < 1), t, -u)

    Raises:
        TileError: E0115 for a condition that is no mask, E0110 for two dtypes, E0112 for two plain
            numbers.
    """
    number = plain_number(condition)
    if number is not None and not isinstance(number, bool):
        raise no_mask(f"the plain number {number!r}")
    mask = as_expression(condition, DType.BOOL)
    check_mask(mask.dtype)
    a, b = as_pair(then, otherwise)
    return combine(Where(mask.node, a.node, b.node), mask, a, b, dtype=a.dtype)


def cast(x: OperandLike, dtype: DTypeLike, round: str = "nearest") -> Expression:
    """Return `x` converted to `dtype`; a plain number becomes one of that dtype.

    `round` is for float to integer: nearest (ties to even), floor, ceil, truncate, away (ties away
    from zero); such casts saturate and turn NaN into 0. All others round to nearest even.

    Example:
        wide = tl.alloc_ub((16, 64), "float32")
        wide[:] = tl.cast(t, "float32") / 3
        t[:] = tl.cast(wide, t.dtype)

    Raises:
        TileError: E0116 for a dtype or a rounding that there is not, E0115 for a mask.
    """
    names = [rounding.value for rounding in Rounding]
    if round not in names:
        raise mistakes.error(
            "E0116", f"round={round!r} is not a rounding", f"use one of {', '.join(names)}"
        )
    target = want_dtype(dtype)
    operand = as_expression(x, target if is_number(x) else None)
    check_number("cast", operand.dtype)
    return combine(Cast(operand.node, target, Rounding(round)), operand, dtype=target)


def position(axis: int) -> Expression:
    """Return each element's own index along `axis` of the tile assigned to, from 0, as int32.

    Example:
        for i in tl.for_range(4):
            row = i * 16 + tl.position(0)
            t[:] = tl.where(row < tl.position(1), 0, t)      # a triangle of zeros

    Raises:
        TileError: E0136 for an axis that is no plain int; when verified, E0346 for one that the
            tile does not have.
    """
    trace = tracing.current("tl.position")
    if not is_index(axis) or isinstance(axis, Index):
        raise mistakes.error(
            "E0136",
            f"`tl.position` is given the axis {mistakes.shown(axis)}, wanted a plain int",
            "write the number of an axis of the tile that is assigned to: `tl.position(1)`",
        )
    node = Position(int(axis))
    return Expression(node, (), DType.INT32, trace.here(), trace.stamp, tuple(trace.scopes))
