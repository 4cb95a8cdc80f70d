"""What scripts hold instead of numbers: expressions, scalars and scalar arrays.

They stand for values that exist only when the instructions run, so Python's own `if`, `and` and
`range` cannot look at them.
"""

from typing import Any, Protocol, TypeAlias

import numpy as np

from tilelang.backends.tik.instructions import (
    BinaryOp,
    Expr,
    Instruction,
    UnaryOp,
    binary,
    unary,
)
from tilelang.backends.tik.recorder.places import caller
from tilelang.diagnostics import Diagnostic, TileError


class HasExpr(Protocol):
    """Anything that can be read as one number: a value, or one element of a tensor."""

    def as_expr(self) -> Expr:
        """Return the expression that reads it."""
        ...


class Sink(Protocol):
    """Where recorded instructions go."""

    def record(self, instruction: Instruction) -> None:
        """Append `instruction` to the innermost open body."""
        ...

    def require_open(self, name: str) -> None:
        """Raise E1209 if the scope that declared `name` has ended."""
        ...


Like: TypeAlias = HasExpr | int | float


def expression(value: object) -> Expr:
    """Return the expression that `value` stands for: a number, a value or a tensor element.

    Raises:
        TileError: E1201 for anything else.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, np.generic):
        return expression(_item(value))
    if isinstance(value, Operators):
        return value.as_expr()
    raise TileError(
        Diagnostic(
            "E1201",
            f"a {type(value).__name__} stands where a number, Scalar or expression was wanted",
            caller(),
        )
    )


def _item(scalar: Any) -> object:
    """Return a numpy scalar as the Python number it is."""
    return scalar.item()


class Operators:
    """Python's operators on what `as_expr` gives; each records an expression.

    The classes below are siblings: of a class and its subclass Python would ask the subclass first
    and turn `a < b` into `b > a`.
    """

    __slots__ = ()

    def as_expr(self) -> Expr:
        """Return the expression that reads the value."""
        raise NotImplementedError

    def _binary(self, op: BinaryOp, other: Like, *, mirrored: bool = False) -> "Value":
        left, right = expression(self), expression(other)
        return Value(binary(op, right, left) if mirrored else binary(op, left, right))

    def __add__(self, other: Like) -> "Value":
        """Record `self + other`."""
        return self._binary(BinaryOp.ADD, other)

    def __radd__(self, other: Like) -> "Value":
        """Record `other + self`."""
        return self._binary(BinaryOp.ADD, other, mirrored=True)

    def __sub__(self, other: Like) -> "Value":
        """Record `self - other`."""
        return self._binary(BinaryOp.SUB, other)

    def __rsub__(self, other: Like) -> "Value":
        """Record `other - self`."""
        return self._binary(BinaryOp.SUB, other, mirrored=True)

    def __mul__(self, other: Like) -> "Value":
        """Record `self * other`."""
        return self._binary(BinaryOp.MUL, other)

    def __rmul__(self, other: Like) -> "Value":
        """Record `other * self`."""
        return self._binary(BinaryOp.MUL, other, mirrored=True)

    def __floordiv__(self, other: Like) -> "Value":
        """Record `self // other`."""
        return self._binary(BinaryOp.DIV, other)

    def __rfloordiv__(self, other: Like) -> "Value":
        """Record `other // self`."""
        return self._binary(BinaryOp.DIV, other, mirrored=True)

    def __truediv__(self, other: Like) -> "Value":
        """Record `self / other`."""
        return self._binary(BinaryOp.TRUE_DIV, other)

    def __rtruediv__(self, other: Like) -> "Value":
        """Record `other / self`."""
        return self._binary(BinaryOp.TRUE_DIV, other, mirrored=True)

    def __mod__(self, other: Like) -> "Value":
        """Record `self % other`."""
        return self._binary(BinaryOp.MOD, other)

    def __rmod__(self, other: Like) -> "Value":
        """Record `other % self`."""
        return self._binary(BinaryOp.MOD, other, mirrored=True)

    def __lshift__(self, other: Like) -> "Value":
        """Record `self << other`."""
        return self._binary(BinaryOp.SHL, other)

    def __rlshift__(self, other: Like) -> "Value":
        """Record `other << self`."""
        return self._binary(BinaryOp.SHL, other, mirrored=True)

    def __rshift__(self, other: Like) -> "Value":
        """Record `self >> other`."""
        return self._binary(BinaryOp.SHR, other)

    def __rrshift__(self, other: Like) -> "Value":
        """Record `other >> self`."""
        return self._binary(BinaryOp.SHR, other, mirrored=True)

    def __and__(self, other: Like) -> "Value":
        """Record `self & other`."""
        return self._binary(BinaryOp.BIT_AND, other)

    def __rand__(self, other: Like) -> "Value":
        """Record `other & self`."""
        return self._binary(BinaryOp.BIT_AND, other, mirrored=True)

    def __or__(self, other: Like) -> "Value":
        """Record `self | other`."""
        return self._binary(BinaryOp.BIT_OR, other)

    def __ror__(self, other: Like) -> "Value":
        """Record `other | self`."""
        return self._binary(BinaryOp.BIT_OR, other, mirrored=True)

    def __xor__(self, other: Like) -> "Value":
        """Record `self ^ other`."""
        return self._binary(BinaryOp.BIT_XOR, other)

    def __rxor__(self, other: Like) -> "Value":
        """Record `other ^ self`."""
        return self._binary(BinaryOp.BIT_XOR, other, mirrored=True)

    def __lt__(self, other: Like) -> "Value":
        """Record `self < other`."""
        return self._binary(BinaryOp.LT, other)

    def __le__(self, other: Like) -> "Value":
        """Record `self <= other`."""
        return self._binary(BinaryOp.LE, other)

    def __gt__(self, other: Like) -> "Value":
        """Record `self > other`."""
        return self._binary(BinaryOp.GT, other)

    def __ge__(self, other: Like) -> "Value":
        """Record `self >= other`."""
        return self._binary(BinaryOp.GE, other)

    def __eq__(self, other: object) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride]
        """Record `self == other`."""
        return Value(binary(BinaryOp.EQ, expression(self), expression(other)))

    def __ne__(self, other: object) -> "Value":  # pyright: ignore[reportIncompatibleMethodOverride]
        """Record `self != other`."""
        return Value(binary(BinaryOp.NE, expression(self), expression(other)))

    def __hash__(self) -> int:
        """Hash by identity: `==` records a comparison."""
        return id(self)

    def __neg__(self) -> "Value":
        """Record `-self`."""
        return Value(unary(UnaryOp.NEG, expression(self)))

    def __invert__(self) -> "Value":
        """Record `~self`."""
        return Value(unary(UnaryOp.INVERT, expression(self)))

    def __bool__(self) -> bool:
        """Refuse: the value is not known while the script runs."""
        folded = self.as_expr()
        if isinstance(folded, int | float):
            return bool(folded)
        raise _refusal(
            "the truth", "write `with tik_instance.if_scope(...)`, and tik.all or tik.any"
        )

    def __index__(self) -> int:
        """Refuse unless the value is a number after all."""
        folded = self.as_expr()
        if isinstance(folded, int):
            return folded
        raise _refusal("an int", "write `with tik_instance.for_range(...)`")


class Value(Operators):
    """An expression over scalars and loop variables."""

    __slots__ = ("_expr",)

    def __init__(self, expr: Expr) -> None:
        """Wrap `expr`."""
        self._expr = expr

    def as_expr(self) -> Expr:
        """Return the expression."""
        return self._expr


def _refusal(wanted: str, hint: str) -> TileError:
    return TileError(
        Diagnostic(
            "E1215",
            f"Python asks for {wanted} of a value that is known only when the kernel runs",
            caller(),
            hint=hint,
        )
    )
