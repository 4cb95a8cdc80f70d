"""Rules of an element-wise expression: one dtype on both sides, and operations that it has."""

from collections.abc import Iterator
from typing import assert_never

from tilelang.diagnostics import Diagnostic, Location
from tilelang.dtypes import DType
from tilelang.ir.expression import (
    FLOAT_ONLY,
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
    Position,
    Unary,
    UnaryOp,
    Where,
    dtype_of,
    walk_expr,
)
from tilelang.verify.numbers import number_fault
from tilelang.verify.wording import expr_text


def expression_faults(expr: Expr, rank: int, loc: Location) -> Iterator[Diagnostic]:
    """Yield what is wrong with `expr`, whose destination has `rank` dimensions."""
    for part in walk_expr(expr):
        yield from _part_faults(part, rank, loc)


def _part_faults(part: Expr, rank: int, loc: Location) -> Iterator[Diagnostic]:
    """Yield what is wrong with one operation, whatever its operands are made of."""
    match part:
        case Load() | IndexValue():
            return
        case Literal(value, dtype):
            yield from _literal_faults(value, dtype, loc)
        case Position(axis):
            yield from _position_faults(axis, rank, loc)
        case Unary() | Binary() | Comparison():
            yield from _arithmetic_faults(part, loc)
        case Logic() | LogicNot() | Where():
            yield from _choice_faults(part, loc)
        case Cast(x, dtype):
            yield from _cast_faults(x, dtype, loc)
        case _:
            assert_never(part)


def _arithmetic_faults(part: Unary | Binary | Comparison, loc: Location) -> Iterator[Diagnostic]:
    match part:
        case Unary(op, x):
            wants = _wants_float if op in FLOAT_ONLY else _wants_number
            yield from wants("-" if op is UnaryOp.NEGATE else f"tl.{op.value}", x, loc)
        case Binary(op, left, right):
            yield from _wants_one_dtype(op.value, left, right, loc)
            wants = _wants_float if op is BinaryOp.DIVIDE else _wants_number
            yield from wants(op.value, left, loc)
        case Comparison(op, left, right):
            yield from _wants_one_dtype(op.value, left, right, loc)
            yield from _wants_number(op.value, left, loc)
        case _:
            assert_never(part)


def _choice_faults(part: Logic | LogicNot | Where, loc: Location) -> Iterator[Diagnostic]:
    match part:
        case Logic(op, left, right):
            yield from _wants_bool(op.value, left, loc)
            yield from _wants_bool(op.value, right, loc)
        case LogicNot(x):
            yield from _wants_bool("~", x, loc)
        case Where(condition, then, otherwise):
            yield from _wants_bool("tl.where", condition, loc)
            yield from _wants_one_dtype("tl.where", then, otherwise, loc)
        case _:
            assert_never(part)


def _wants_one_dtype(op: str, left: Expr, right: Expr, loc: Location) -> Iterator[Diagnostic]:
    one, other = dtype_of(left), dtype_of(right)
    if one is not other:
        yield Diagnostic(
            "E0341",
            f"{one} `{expr_text(left)}` meets {other} `{expr_text(right)}` in `{op}`, and nothing "
            "is converted by itself",
            loc,
            _conversion(left, right),
        )


def _conversion(left: Expr, right: Expr) -> str:
    """Return the hint that converts the narrower operand to the other's dtype."""
    one, other = dtype_of(left), dtype_of(right)
    if DType.BOOL in (one, other):
        return "write `tl.where(condition, 1, 0)` to make a number of a condition"
    narrow, wide = (left, other) if _width(one) < _width(other) else (right, one)
    return f'write `tl.cast({expr_text(narrow)}, "{wide}")`'


def _width(dtype: DType) -> tuple[bool, int]:
    return dtype.is_float, dtype.n_bytes


def _wants_float(op: str, x: Expr, loc: Location) -> Iterator[Diagnostic]:
    if not dtype_of(x).is_float:
        yield Diagnostic(
            "E0342",
            f"`{op}` is for floats, and {_told(x)}",
            loc,
            f'write `tl.cast({expr_text(x)}, "float32")` first',
        )


def _wants_number(op: str, x: Expr, loc: Location) -> Iterator[Diagnostic]:
    if dtype_of(x) is DType.BOOL:
        yield Diagnostic(
            "E0342",
            f"`{op}` is for numbers, and {_told(x)}",
            loc,
            "combine conditions with `&`, `|` and `~`, or choose a number with `tl.where`",
        )


def _wants_bool(op: str, x: Expr, loc: Location) -> Iterator[Diagnostic]:
    if dtype_of(x) is not DType.BOOL:
        yield Diagnostic(
            "E0342",
            f"`{op}` is for conditions, and {_told(x)}",
            loc,
            f"compare it: `{expr_text(x)} != 0`",
        )


def _cast_faults(x: Expr, dtype: DType, loc: Location) -> Iterator[Diagnostic]:
    if DType.BOOL in (dtype, dtype_of(x)):
        yield Diagnostic(
            "E0342",
            f"`tl.cast` converts between numbers, and {_told(x)} that would become {dtype}",
            loc,
            "write `tl.where(condition, 1, 0)` for a number, or `x != 0` for a condition",
        )


def _literal_faults(value: float, dtype: DType, loc: Location) -> Iterator[Diagnostic]:
    fault = number_fault(value, dtype)
    if fault:
        yield Diagnostic(
            "E0348",
            f"{value} takes the dtype {dtype} of its neighbour, and {fault[0]}",
            loc,
            f"write {fault[1]}, or `tl.cast` the array to a wider dtype first",
        )


def _position_faults(axis: int, rank: int, loc: Location) -> Iterator[Diagnostic]:
    if not 0 <= axis < rank:
        yield Diagnostic(
            "E0346",
            f"`tl.position({axis})` names an axis that the destination, of {rank} dimensions, "
            "does not have",
            loc,
            f"write an axis from 0 to {rank - 1}",
        )


def _told(expr: Expr) -> str:
    """Return what `expr` is, for the middle of a sentence."""
    return f"`{expr_text(expr)}` is {dtype_of(expr)}"
