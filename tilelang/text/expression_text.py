"""Element-wise expressions as the text form writes them."""

from typing import assert_never

from tilelang.dtypes import DType
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    LogicOp,
    Position,
    Rounding,
    Unary,
    UnaryOp,
    Where,
    children,
)
from tilelang.text.index_text import print_index
from tilelang.text.literal_dtypes import operand_dtypes
from tilelang.text.precedence import Level, bracketed
from tilelang.text.region_text import print_region

_SYMBOLS = {
    BinaryOp.ADD: Level.SUM,
    BinaryOp.SUBTRACT: Level.SUM,
    BinaryOp.MULTIPLY: Level.PRODUCT,
    BinaryOp.DIVIDE: Level.PRODUCT,
}
"""The level of each operation that is a symbol; the others are functions."""

_LOGIC = {LogicOp.AND: Level.AND, LogicOp.OR: Level.OR}


def print_expression(expr: Expr, wanted: DType, place: Level = Level.COMPARISON) -> str:
    """Return `expr` as text; a plain number in its place is read as `wanted`."""
    return _print(expr, wanted, place)


def number_text(value: float) -> str:
    """Return a number so that reading it gives the same value and kind: `1`, `1.0`, `-inf`."""
    return repr(float(value)) if isinstance(value, float) else repr(int(value))


def _print(expr: Expr, wanted: DType | None, place: Level = Level.COMPARISON) -> str:
    text, level = _text(expr, wanted)
    return bracketed(text, level, place)


def _text(expr: Expr, wanted: DType | None) -> tuple[str, Level]:
    """Return the text and how tightly its loosest operator binds."""
    match expr:
        case Load(region):
            return print_region(region), Level.ATOM
        case Literal():
            return _literal(expr, wanted)
        case IndexValue(index):
            return f"index({print_index(index)})", Level.ATOM
        case Position(axis):
            return f"position({axis})", Level.ATOM
        case Unary():
            return _unary(expr, wanted)
        case Binary() | Comparison() | Logic():
            return _infix(expr, wanted)
        case LogicNot(x):
            return f"~{_print(x, DType.BOOL, Level.UNARY)}", Level.UNARY
        case Where():
            return _call("where", expr, wanted), Level.ATOM
        case Cast():
            return _cast(expr), Level.ATOM
        case _:
            assert_never(expr)


def _literal(literal: Literal, wanted: DType | None) -> tuple[str, Level]:
    if literal.dtype is DType.BOOL:
        return str(bool(literal.value)), Level.ATOM
    text = number_text(literal.value)
    if literal.dtype is not wanted:
        return f"{literal.dtype}({text})", Level.ATOM
    return text, Level.UNARY if text.startswith("-") else Level.ATOM


def _unary(expr: Unary, wanted: DType | None) -> tuple[str, Level]:
    # `-1.0` is a literal, so the negative of a literal is written as a function.
    if expr.op is not UnaryOp.NEGATE or isinstance(expr.x, Literal):
        return _call(expr.op.value, expr, wanted), Level.ATOM
    (dtype,) = operand_dtypes(expr, wanted)
    return f"-{_print(expr.x, dtype, Level.UNARY)}", Level.UNARY


def _infix(expr: Binary | Comparison | Logic, wanted: DType | None) -> tuple[str, Level]:
    level, right_level = _levels(expr)
    if level is Level.ATOM:
        return _call(expr.op.value, expr, wanted), level
    left_dtype, right_dtype = operand_dtypes(expr, wanted)
    left_level = right_level if level is Level.COMPARISON else level
    left = _print(expr.left, left_dtype, left_level)
    right = _print(expr.right, right_dtype, right_level)
    space = "" if level is Level.PRODUCT else " "
    return f"{left}{space}{expr.op.value}{space}{right}", level


def _levels(expr: Binary | Comparison | Logic) -> tuple[Level, Level]:
    """Return the level of the operation and of its right operand."""
    match expr:
        case Comparison():
            level = Level.COMPARISON
        case Logic(op, _, _):
            level = _LOGIC[op]
        case Binary(op, _, _):
            level = _SYMBOLS.get(op, Level.ATOM)
        case _:
            assert_never(expr)
    return level, level if level is Level.ATOM else level.tighter


def _call(function: str, expr: Expr, wanted: DType | None) -> str:
    dtypes = operand_dtypes(expr, wanted)
    operands = zip(children(expr), dtypes, strict=True)
    return f"{function}({', '.join(_print(child, dtype) for child, dtype in operands)})"


def _cast(expr: Cast) -> str:
    (dtype,) = operand_dtypes(expr, None)
    rounding = "" if expr.rounding is Rounding.NEAREST else f", round={expr.rounding.value}"
    return f"cast({_print(expr.x, dtype)}, {expr.dtype}{rounding})"
