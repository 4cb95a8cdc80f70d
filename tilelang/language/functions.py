"""Element-wise functions of the language, on tiles and, for min and max, on indices."""

from __future__ import annotations

from typing import overload

from tilelang.ir import index as ix
from tilelang.ir.expression import BinaryOp, UnaryOp
from tilelang.language.handles import Index, IndexLike, as_node, is_index, nested
from tilelang.language.vector import Expression, OperandLike, binary, unary


def exp(x: OperandLike) -> Expression:
    """Return e to the power of `x`."""
    return unary(UnaryOp.EXP, x)


def ln(x: OperandLike) -> Expression:
    """Return the natural logarithm; NaN below 0."""
    return unary(UnaryOp.LN, x)


def sqrt(x: OperandLike) -> Expression:
    """Return the square root; NaN below 0."""
    return unary(UnaryOp.SQRT, x)


def rsqrt(x: OperandLike) -> Expression:
    """Return 1 over the square root."""
    return unary(UnaryOp.RSQRT, x)


def tanh(x: OperandLike) -> Expression:
    """Return the hyperbolic tangent."""
    return unary(UnaryOp.TANH, x)


def sigmoid(x: OperandLike) -> Expression:
    """Return 1 / (1 + exp(-x))."""
    return unary(UnaryOp.SIGMOID, x)


def relu(x: OperandLike) -> Expression:
    """Return `x` where it is positive, else 0; NaN stays NaN."""
    return unary(UnaryOp.RELU, x)


def abs(x: OperandLike) -> Expression:
    """Return the absolute value."""
    return unary(UnaryOp.ABS, x)


@overload
def maximum(x: int, y: int) -> int: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def maximum(x: IndexLike, y: IndexLike) -> Index: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def maximum(x: OperandLike, y: OperandLike) -> Expression: ...
def maximum(x: OperandLike, y: OperandLike) -> Expression | Index | int:
    """Return the larger of two, element by element; NaN wins. Of two indices, an index."""
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
    """Return the smaller of two, element by element; NaN wins. Of two indices, an index."""
    if is_index(x) and is_index(y):
        if not isinstance(x, Index) and not isinstance(y, Index):
            return min(x, y)
        return nested(ix.minimum(as_node(x), as_node(y)))
    return binary(BinaryOp.MINIMUM, x, y)
