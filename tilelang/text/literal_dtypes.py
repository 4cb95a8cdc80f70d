"""Which dtype a number has where the text form writes it without one.

The printer leaves a literal's dtype out exactly where the parser finds it again by these rules.
"""

from typing import assert_never

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


def known_dtype(expr: Expr) -> DType | None:
    """Return the dtype that `expr` has whatever its literals are; None if it depends on them."""
    match expr:
        case Literal():
            return None
        case Load(region):
            return region.buffer.dtype
        case IndexValue() | Position():
            return DType.INT32
        case Cast(_, dtype):
            return dtype
        case Unary(_, x):
            return known_dtype(x)
        case Binary(_, left, right) | Where(_, left, right):
            return known_dtype(left) or known_dtype(right)
        case Comparison() | Logic() | LogicNot():
            return DType.BOOL
        case _:
            assert_never(expr)


def operand_dtypes(expr: Expr, wanted: DType | None) -> tuple[DType | None, ...]:
    """Return what a plain number would be as each of `children(expr)`.

    `wanted` is what a plain number in the place of `expr` would be.
    """
    match expr:
        case Literal() | Load() | IndexValue() | Position():
            return ()
        case Unary():
            return (known_dtype(expr) or wanted,)
        case Binary():
            dtype = known_dtype(expr) or wanted
            return (dtype, dtype)
        case Where():
            dtype = known_dtype(expr) or wanted
            return (DType.BOOL, dtype, dtype)
        case Comparison(_, left, right):
            dtype = known_dtype(left) or known_dtype(right)
            return (dtype, dtype)
        case Logic():
            return (DType.BOOL, DType.BOOL)
        case LogicNot():
            return (DType.BOOL,)
        case Cast(x, _):
            return (known_dtype(x),)
        case _:
            assert_never(expr)
