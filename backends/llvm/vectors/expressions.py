"""The value of an expression on one vector of its destination's elements.

The whole tree is evaluated on registers, so an expression is one loop however deep it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tilelang.backends.llvm.vectors import arithmetic
from tilelang.backends.llvm.vectors.casts import cast
from tilelang.backends.llvm.vectors.values import Lanes, Value, literal
from tilelang.dtypes import DType
from tilelang.ir.expression import (
    Binary,
    Cast,
    Comparison,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    Position,
    Unary,
    Where,
)
from tilelang.ir.index import Index


@dataclass(frozen=True, slots=True)
class Leaves:
    """What an expression is made of, at the place where its code is written."""

    load: Callable[[Load], Value]
    index: Callable[[Index], str]
    """The value of an index as an i64 scalar."""
    position: Callable[[int], str]
    """The position along an axis, an i32 vector."""


def evaluate(lanes: Lanes, leaves: Leaves, expr: Expr) -> Value:
    """Return the value of `expr`."""

    def of(part: Expr) -> Value:
        return evaluate(lanes, leaves, part)

    match expr:
        case Load() | Literal() | IndexValue() | Position():
            return _leaf(lanes, leaves, expr)
        case Unary(op, x):
            return arithmetic.unary(lanes, op, of(x))
        case Binary(op, left, right):
            return arithmetic.binary(lanes, op, of(left), of(right))
        case Comparison(op, left, right):
            return arithmetic.comparison(lanes, op, of(left), of(right))
        case Logic(op, left, right):
            return arithmetic.logic(lanes, op, of(left), of(right))
        case LogicNot(x):
            return arithmetic.logic_not(lanes, of(x))
        case Where(condition, then, otherwise):
            return arithmetic.where(lanes, of(condition), of(then), of(otherwise))
        case Cast(x, dtype, rounding):
            return cast(lanes, of(x), dtype, rounding)
        case _:
            assert_never(expr)


def _leaf(lanes: Lanes, leaves: Leaves, expr: Load | Literal | IndexValue | Position) -> Value:
    match expr:
        case Load():
            return leaves.load(expr)
        case Literal(value, dtype):
            return literal(lanes, value, dtype)
        case IndexValue(index):
            return Value(DType.INT32, _index_value(lanes, leaves.index(index)))
        case Position(axis):
            return Value(DType.INT32, leaves.position(axis))
        case _:
            assert_never(expr)


def _index_value(lanes: Lanes, scalar: str) -> str:
    if scalar.lstrip("-").isdigit():
        return lanes.constant("i32", int(scalar))
    return lanes.splat("i32", lanes.code.pure(f"trunc i64 {scalar} to i32", scalar))
