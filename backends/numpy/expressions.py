"""Element-wise expressions, compiled to closures over the arrays they load."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy.arithmetic import Arithmetic, BinaryFunction
from tilelang.backends.numpy.indices import Variables, compile_index
from tilelang.ir.expression import (
    Binary,
    Cast,
    Comparison,
    ComparisonOp,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    LogicOp,
    Position,
    Unary,
    Where,
    children,
    dtype_of,
)
from tilelang.ir.region import Region

Array: TypeAlias = NDArray[Any]
Compute: TypeAlias = Callable[[Sequence[Array], Variables], Array]
"""Computes an expression from the arrays it loads; the result broadcasts to the destination."""

_Operation: TypeAlias = Unary | LogicNot | Cast | Binary | Comparison | Logic | Where

_COMPARISONS: dict[ComparisonOp, BinaryFunction] = {
    ComparisonOp.LESS: np.less,
    ComparisonOp.LESS_EQUAL: np.less_equal,
    ComparisonOp.EQUAL: np.equal,
    ComparisonOp.NOT_EQUAL: np.not_equal,
    ComparisonOp.GREATER: np.greater,
    ComparisonOp.GREATER_EQUAL: np.greater_equal,
}

_LOGIC: dict[LogicOp, BinaryFunction] = {
    LogicOp.AND: np.logical_and,
    LogicOp.OR: np.logical_or,
}


def compile_expression(
    expr: Expr, shape: tuple[int, ...], loaded: Mapping[Region, int], arithmetic: Arithmetic
) -> Compute:
    """Return the function that computes `expr` for a destination of `shape`.

    `loaded[region]` is the number of the array that holds what is loaded from `region`.
    """

    def compiled(expr: Expr) -> Compute:
        match expr:
            case Load(region):
                number = loaded[region]
                return lambda arrays, _: arrays[number]
            case Literal(value, dtype):
                return _constant(arithmetic.literal(value, dtype))
            case IndexValue(index):
                at = compile_index(index)
                return lambda _, variables: np.asarray(at(variables)).astype(np.int32)
            case Position(axis):
                return _constant(_positions(axis, shape))
            case Unary() | LogicNot() | Cast() | Binary() | Comparison() | Logic() | Where():
                return _apply(_function(expr, arithmetic), *map(compiled, children(expr)))
            case _:
                assert_never(expr)

    return compiled(expr)


def _function(expr: _Operation, arithmetic: Arithmetic) -> Callable[..., Array]:
    """Return what computes `expr` from its operands."""
    match expr:
        case Unary(op, x):
            return arithmetic.unary(op, dtype_of(x))
        case LogicNot():
            return np.logical_not
        case Cast(x, dtype, rounding):
            return arithmetic.cast(dtype_of(x), dtype, rounding)
        case Binary(op, left, _):
            return arithmetic.binary(op, dtype_of(left))
        case Comparison(op):
            return _COMPARISONS[op]
        case Logic(op):
            return _LOGIC[op]
        case Where():
            return np.where
        case _:
            assert_never(expr)


def _constant(value: Array) -> Compute:
    return lambda _arrays, _variables: value


def _positions(axis: int, shape: tuple[int, ...]) -> Array:
    """Return each element's index along `axis`, in an array that broadcasts to `shape`."""
    counts = np.arange(shape[axis], dtype=np.int32)
    return counts.reshape([-1 if other == axis else 1 for other in range(len(shape))])


def _apply(function: Callable[..., Array], *operands: Compute) -> Compute:
    if len(operands) == 1:
        x = operands[0]
        return lambda arrays, variables: function(x(arrays, variables))
    if len(operands) == 2:
        left, right = operands
        return lambda arrays, variables: function(left(arrays, variables), right(arrays, variables))
    return lambda arrays, variables: function(*(part(arrays, variables) for part in operands))
