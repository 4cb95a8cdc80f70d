"""Element-wise functions of the language, on tiles and, for min and max, on indices."""

from __future__ import annotations

from typing import overload

from tilelang.ir import index as ix
from tilelang.ir.expression import BinaryOp, UnaryOp
from tilelang.language.handles import Index, IndexLike, as_node, is_index, nested
from tilelang.language.vector import Expression, OperandLike, binary, unary


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
