"""Scalar expressions: what TIK computes on the scalar unit, and the addresses of operands.

A plain Python number is an expression too. Build expressions with `binary`, `unary` and `all_of`:
they fold constants, so that an expression is what recording its text gives back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from tilelang.backends.tik.instructions.types import TikType


class BinaryOp(Enum):
    """An operator of two operands; the value is its Python spelling."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "//"
    """Of integers, truncated towards zero, as in C."""
    TRUE_DIV = "/"
    """Of integers the same as `//`; of floats the quotient."""
    MOD = "%"
    SHL = "<<"
    SHR = ">>"
    BIT_AND = "&"
    BIT_OR = "|"
    BIT_XOR = "^"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "=="
    NE = "!="
    AND = "and"
    """`tik.all`."""
    OR = "or"
    """`tik.any`."""


class UnaryOp(Enum):
    """An operator of one operand; the value is its Python spelling."""

    NEG = "-"
    INVERT = "~"
    NOT = "not"
    """`tik.negate`."""


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a loop variable, a Scalar or an InputScalar, by its unique name."""

    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """The value of element `index` of the ScalarArray `array`."""

    array: str
    index: "Expr"


@dataclass(frozen=True, slots=True)
class Operand:
    """A start address: element `offset` of a tensor seen as a flat array of `dtype`.

    Instructions use only the start; how far they reach is in their other parameters. `dtype` is
    the tensor's own unless the text says `reinterpret_cast_to`.
    """

    tensor: str
    dtype: TikType
    offset: "Expr" = 0


@dataclass(frozen=True, slots=True)
class Load:
    """The tensor element that `operand` starts at, read by the scalar unit."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`."""

    op: BinaryOp
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Unary:
    """`op value`."""

    op: UnaryOp
    value: "Expr"


Expr: TypeAlias = int | float | Name | Item | Load | Binary | Unary

_MIRRORED = {
    BinaryOp.LT: BinaryOp.GT,
    BinaryOp.LE: BinaryOp.GE,
    BinaryOp.GT: BinaryOp.LT,
    BinaryOp.GE: BinaryOp.LE,
    BinaryOp.EQ: BinaryOp.EQ,
    BinaryOp.NE: BinaryOp.NE,
}
_NEUTRAL_RIGHT = {
    BinaryOp.ADD: 0,
    BinaryOp.SUB: 0,
    BinaryOp.MUL: 1,
    BinaryOp.DIV: 1,
    BinaryOp.SHL: 0,
    BinaryOp.SHR: 0,
}


def binary(op: BinaryOp, left: Expr, right: Expr) -> Expr:
    """Return `left op right`: constants folded, `x + 0` and `x * 1` dropped.

    A comparison with a constant on the left is mirrored, which is what Python does.
    """
    if isinstance(left, int | float) and isinstance(right, int | float):
        return calculate(op, left, right)
    if isinstance(left, int | float) and op in _MIRRORED:
        return Binary(_MIRRORED[op], right, left)
    if isinstance(right, int) and _NEUTRAL_RIGHT.get(op) == right:
        return left
    if isinstance(left, int) and (
        (op is BinaryOp.ADD and left == 0) or (op is BinaryOp.MUL and left == 1)
    ):
        return right
    if op is BinaryOp.MUL and 0 in (left, right):
        return 0
    return Binary(op, left, right)


def unary(op: UnaryOp, value: Expr) -> Expr:
    """Return `op value`, folded if `value` is a number."""
    if not isinstance(value, int | float):
        return Unary(op, value)
    match op:
        case UnaryOp.NEG:
            return -value
        case UnaryOp.INVERT:
            return ~int(value)
        case UnaryOp.NOT:
            return int(not value)


def all_of(op: BinaryOp, *conditions: Expr) -> Expr:
    """Return `conditions` joined from the left by `op`, which is AND or OR."""
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = binary(op, joined, condition)
    return joined


def add(left: Expr, right: Expr) -> Expr:
    """Return `left + right`."""
    return binary(BinaryOp.ADD, left, right)


def multiply(left: Expr, right: Expr) -> Expr:
    """Return `left * right`."""
    return binary(BinaryOp.MUL, left, right)


def calculate(op: BinaryOp, left: int | float, right: int | float) -> int | float:
    """Return the value of `left op right` for numbers; a division by zero gives 0.

    Zero is what reading a register that was never set gives, so it must not end the run.
    """
    return _CALCULATE[op](left, right)


def divide(left: int | float, right: int | float) -> int | float:
    """Return the quotient as C has it: of integers truncated towards zero."""
    if right == 0:
        return 0
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def remainder(left: int | float, right: int | float) -> int | float:
    """Return `left - right * divide(left, right)`, as C has it."""
    return left - right * divide(left, right) if right else 0


def shift(value: int, count: int) -> int:
    """Return `value` shifted left by `count` bits, right if negative; by 64 or more: 0."""
    if abs(count) >= 64:
        return 0
    return value << count if count >= 0 else value >> -count


_CALCULATE: dict[BinaryOp, Callable[[int | float, int | float], int | float]] = {
    BinaryOp.ADD: lambda left, right: left + right,
    BinaryOp.SUB: lambda left, right: left - right,
    BinaryOp.MUL: lambda left, right: left * right,
    BinaryOp.DIV: divide,
    BinaryOp.TRUE_DIV: divide,
    BinaryOp.MOD: remainder,
    BinaryOp.SHL: lambda left, right: shift(int(left), int(right)),
    BinaryOp.SHR: lambda left, right: shift(int(left), -int(right)),
    BinaryOp.BIT_AND: lambda left, right: int(left) & int(right),
    BinaryOp.BIT_OR: lambda left, right: int(left) | int(right),
    BinaryOp.BIT_XOR: lambda left, right: int(left) ^ int(right),
    BinaryOp.LT: lambda left, right: int(left < right),
    BinaryOp.LE: lambda left, right: int(left <= right),
    BinaryOp.GT: lambda left, right: int(left > right),
    BinaryOp.GE: lambda left, right: int(left >= right),
    BinaryOp.EQ: lambda left, right: int(left == right),
    BinaryOp.NE: lambda left, right: int(left != right),
    BinaryOp.AND: lambda left, right: int(bool(left) and bool(right)),
    BinaryOp.OR: lambda left, right: int(bool(left) or bool(right)),
}
