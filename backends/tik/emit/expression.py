"""Scalar expressions, operands and masks as Python text."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, assert_never

from tilelang.backends.tik.instructions import (
    Binary,
    BinaryOp,
    BitMask,
    Expr,
    InstructionProgram,
    Item,
    Load,
    Mask,
    Name,
    Operand,
    Tensor,
    TikType,
    Unary,
    UnaryOp,
    walk,
)
from tilelang.ir.named import Called, Joined, NamedInt, Part, names_of, part_text

View: TypeAlias = tuple[str, TikType]
"""A tensor, by name, seen as a dtype."""

_NONE: Mapping[Any, Any] = MappingProxyType({})

_ATOM = 100
_UNARY = 90
_PRECEDENCE = {
    **dict.fromkeys((BinaryOp.MUL, BinaryOp.DIV, BinaryOp.TRUE_DIV, BinaryOp.MOD), 80),
    **dict.fromkeys((BinaryOp.ADD, BinaryOp.SUB), 70),
    **dict.fromkeys((BinaryOp.SHL, BinaryOp.SHR), 60),
    BinaryOp.BIT_AND: 50,
    BinaryOp.BIT_XOR: 40,
    BinaryOp.BIT_OR: 30,
    **dict.fromkeys(
        (BinaryOp.LT, BinaryOp.LE, BinaryOp.GT, BinaryOp.GE, BinaryOp.EQ, BinaryOp.NE), 20
    ),
    BinaryOp.AND: _ATOM,
    BinaryOp.OR: _ATOM,
}
"""How tightly each operator binds in Python; AND and OR are calls."""
_LEAST_HEX = 1 << 16


class Texts:
    """Writes expressions and operands of one program."""

    def __init__(
        self,
        program: InstructionProgram,
        constants: Mapping[str, int] = _NONE,
        views: Mapping[View, str] = _NONE,
    ) -> None:
        """Write for `program`, where `constants` have names, and `views` of tensors."""
        tensors = [item for item in walk(program.body) if isinstance(item, Tensor)]
        self._names = _Names({item.name: item.dtype for item in tensors}, constants, views)

    def value(self, expr: Expr) -> str:
        """Return an expression; elements of tensors as `ub[0]`."""
        return self._names.write(expr)[0]

    def summand(self, expr: Expr) -> str:
        """Return an expression that `+` may follow."""
        text, level = self._names.write(expr)
        return text if level >= _PRECEDENCE[BinaryOp.ADD] else f"({text})"

    def operand(self, operand: Operand) -> str:
        """Return a start address."""
        offset = operand.offset
        base = self.base(operand)
        return base if isinstance(offset, int) and offset == 0 else f"{base}[{self.value(offset)}]"

    def base(self, operand: Operand) -> str:
        """Return the tensor, seen as the operand's dtype."""
        return self._names.tensor(operand)

    def views(self, tensor: str) -> Iterator[str]:
        """Yield the lines that name views of `tensor`."""
        for (name, dtype), view in self._names.views.items():
            if name == tensor:
                yield f'{view} = {tensor}.reinterpret_cast_to("{dtype}")'

    def element(self, operand: Operand) -> str:
        """Return one element, always with its index."""
        return f"{self.base(operand)}[{self.value(operand.offset)}]"

    def mask(self, mask: Mask) -> str:
        """Return a count of lanes, or the list of both halves in hexadecimal."""
        if isinstance(mask, BitMask):
            return f"[{self._half(mask.high)}, {self._half(mask.low)}]"
        return self.value(mask)

    def _half(self, half: Expr) -> str:
        return hex(half) if isinstance(half, int) and half >= _LEAST_HEX else self.value(half)


@dataclass(frozen=True, slots=True)
class _Names:
    """Writes expressions with what has a name: dtypes of tensors, numbers, views."""

    types: Mapping[str, TikType]
    constants: Mapping[str, int]
    views: Mapping[View, str]

    def tensor(self, operand: Operand) -> str:
        """Return the tensor of an operand, seen as its dtype."""
        if self.types[operand.tensor] is operand.dtype:
            return operand.tensor
        view = self.views.get((operand.tensor, operand.dtype))
        return view or f'{operand.tensor}.reinterpret_cast_to("{operand.dtype}")'

    def write(self, expr: Expr) -> tuple[str, int]:
        """Return the text of `expr`, and how tightly its outermost operator binds."""
        match expr:
            case NamedInt() if self._knows(expr):
                return _named(expr.part)
            case int() | float():
                return _number(expr), _UNARY if expr < 0 else _ATOM
            case Name(name):
                return name, _ATOM
            case Item(array, index):
                return f"{array}[{self.write(index)[0]}]", _ATOM
            case Load(operand):
                base = self.tensor(operand)
                return f"{base}[{self.write(operand.offset)[0]}]", _ATOM
            case Binary():
                return self._binary(expr)
            case Unary(op, value):
                return self._unary(op, value)
            case _:
                assert_never(expr)

    def _knows(self, number: NamedInt) -> bool:
        """Whether the script defines every name in the expression behind `number`."""
        names = self.constants
        return all(names.get(name_of(leaf)) == leaf.value for leaf in names_of(number.part))

    def _binary(self, expr: Binary) -> tuple[str, int]:
        if expr.op in (BinaryOp.AND, BinaryOp.OR):
            name = "tik.all" if expr.op is BinaryOp.AND else "tik.any"
            parts = ", ".join(self.write(part)[0] for part in _spine(expr))
            return f"{name}({parts})", _ATOM
        level = _PRECEDENCE[expr.op]
        is_comparison = level == _PRECEDENCE[BinaryOp.EQ]
        left = self._nested(expr.left, level + is_comparison)
        right = self._nested(expr.right, level + 1)
        return f"{left} {expr.op.value} {right}", level

    def _unary(self, op: UnaryOp, value: Expr) -> tuple[str, int]:
        if op is UnaryOp.NOT:
            return f"tik.negate({self.write(value)[0]})", _ATOM
        return f"{op.value}{self._nested(value, _UNARY)}", _UNARY

    def _nested(self, expr: Expr, least: int) -> str:
        text, level = self.write(expr)
        return text if level >= least else f"({text})"


def _spine(expr: Binary) -> list[Expr]:
    """Return the operands of `a and b and c`, which is nested to the left."""
    left = expr.left
    first = _spine(left) if isinstance(left, Binary) and left.op is expr.op else [left]
    return [*first, expr.right]


def name_of(leaf: Called) -> str:
    """Return what the script calls a size or tile parameter."""
    return leaf.name.upper()


def _named(part: Part) -> tuple[str, int]:
    """Return the text of a named number, and how tightly its operator binds."""
    text = part_text(part, name_of)
    match part:
        case Joined("+" | "-"):
            return text, _PRECEDENCE[BinaryOp.ADD]
        case Joined("*" | "//"):
            return text, _PRECEDENCE[BinaryOp.MUL]
        case _:
            return text, _ATOM


def _number(value: int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)
