"""Integers that remember what they are called: sizes and tile parameters, and sums of them.

A `NamedInt` is an int in every respect, and takes no part in anything but readable text: a backend
that writes source can print `K // K_TILE` where the program has 4. Arithmetic that would not read
well gives a plain int.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import SupportsIndex, TypeAlias

_MOST_NESTED = 2
"""Operators inside each other in an expression that is still easier to read than its value."""
_MOST = 4096
"""The largest number that a person would write beside a name."""


@dataclass(frozen=True, slots=True)
class Called:
    """A name, and the number that has it."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Joined:
    """`left op right`, with Python's operators `+ - * //`."""

    op: str
    left: "Part"
    right: "Part"


Part: TypeAlias = Called | Joined | int


class NamedInt(int):
    """An integer with the expression that it is the value of."""

    part: Part

    def __new__(cls, value: int, part: Part) -> "NamedInt":
        """Return `value`, which is what `part` comes to."""
        number = super().__new__(cls, value)
        number.part = part
        return number

    def __getnewargs__(self) -> tuple[int, Part]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what pickle and copy make it from."""
        return int(self), self.part

    def __add__(self, other: int) -> int:
        """Return the sum."""
        return _join("+", self, other)

    def __radd__(self, other: int) -> int:
        """Return the sum."""
        return _join("+", other, self)

    def __sub__(self, other: int) -> int:
        """Return the difference."""
        return _join("-", self, other)

    def __rsub__(self, other: int) -> int:
        """Return the difference."""
        return _join("-", other, self)

    def __mul__(self, other: int) -> int:
        """Return the product."""
        return _join("*", self, other)

    def __rmul__(self, other: int) -> int:
        """Return the product."""
        return _join("*", other, self)

    def __floordiv__(self, other: int) -> int:
        """Return the quotient, rounded down."""
        return _join("//", self, other)

    def __rfloordiv__(self, other: int) -> int:
        """Return the quotient, rounded down."""
        return _join("//", other, self)

    def __neg__(self) -> int:
        """Return the opposite, as 0 minus this: `-(-a // b)` is a quotient rounded up."""
        return _join("-", 0, self)


def called(value: int, name: str) -> NamedInt:
    """Return `value` with a name."""
    return NamedInt(value, Called(name, value))


def as_int(value: SupportsIndex) -> int:
    """Return a whole number, numpy's too, as an int; one that has a name keeps it."""
    return value if isinstance(value, NamedInt) else value.__index__()


def names_of(part: Part) -> Iterator[Called]:
    """Yield the names in `part`, from the left."""
    match part:
        case Called():
            yield part
        case Joined(_, left, right):
            yield from names_of(left)
            yield from names_of(right)
        case _:
            pass


def part_text(part: Part, name_of: Callable[[Called], str], least: int = 0) -> str:
    """Return `part` as Python text, in parentheses if its operator binds less than `least`."""

    def text_of(inner: Part, level: int) -> str:
        return part_text(inner, name_of, level)

    match part:
        case Called():
            return name_of(part)
        case Joined("ceil", left, right):
            return f"-(-{text_of(left, 3)} // {text_of(right, 3)})"
        case Joined("-", 0, right):
            text = f"-{text_of(right, 3)}"
            return text if least < 2 else f"({text})"
        case Joined(op, left, right):
            level = 1 if op in ("+", "-") else 2
            text = f"{text_of(left, level)} {op} {text_of(right, level + 1)}"
            return text if level >= least else f"({text})"
        case _:
            return str(part)


def _join(op: str, left: int, right: int) -> int:
    """Return `left op right`, named if that reads well; what is no int answers for itself."""
    if not isinstance(left, int) or not isinstance(right, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        return NotImplemented
    value = _CALCULATE[op](int(left), int(right))
    part = _simplified(op, _part(left), _part(right))
    if isinstance(part, int) or _nesting(part) > _MOST_NESTED or _largest(part) > _MOST:
        return value
    return NamedInt(value, part)


_CALCULATE: Mapping[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "//": int.__floordiv__,
}


def _part(number: int) -> Part:
    return number.part if isinstance(number, NamedInt) else int(number)


def _nesting(part: Part) -> int:
    return 1 + max(_nesting(part.left), _nesting(part.right)) if isinstance(part, Joined) else 0


def _largest(part: Part) -> int:
    """Return the largest plain number in `part`."""
    match part:
        case Joined(_, left, right):
            return max(_largest(left), _largest(right))
        case Called():
            return 0
        case _:
            return abs(part)


def _value(part: Part) -> int:
    match part:
        case Called(_, value):
            return value
        case Joined("ceil", left, right):
            return -(-_value(left) // _value(right))
        case Joined(op, left, right):
            return _CALCULATE[op](_value(left), _value(right))
        case _:
            return part


def _simplified(op: str, left: Part, right: Part) -> Part:
    """Return the shortest form of `left op right` that a few rules find."""
    match op:
        case "+" | "-":
            return _sum(op, left, right)
        case "*":
            return _product(right, left) if isinstance(left, int) else _product(left, right)
        case _:
            return _quotient(left, right)


def _sum(op: str, left: Part, right: Part) -> Part:
    match left, right:
        case _, 0:
            return left
        case 0, Joined("//", Joined("-", 0, top), bottom) if op == "-":
            is_whole = _value(top) % _value(bottom) == 0
            return _quotient(top, bottom) if is_whole else Joined("ceil", top, bottom)
        case _, Joined("-", 0, negated):
            return _sum("+" if op == "-" else "-", left, negated)
        case 0, _ if op == "+":
            return right
        case _ if op == "-" and left == right:
            return 0
        case _:
            return Joined(op, left, right)


def _product(left: Part, right: Part) -> Part:
    match left, right:
        case _, 0:
            return 0
        case _, 1:
            return left
        case Joined() | Called(), Joined() | Called() if 1 in (_value(left), _value(right)):
            return left if _value(right) == 1 else right
        case Joined("*", inner, int(factor)), int(other):
            return _product(inner, factor * other)
        case Joined("//", inner, divisor), _ if _value(inner) % _value(divisor) == 0:
            if divisor == right:
                return inner
            if isinstance(divisor, int) and isinstance(right, int):
                return _scaled(inner, right, divisor) or Joined("*", left, right)
            return Joined("*", left, right)
        case _:
            return Joined("*", left, right)


def _quotient(left: Part, right: Part) -> Part:
    match left, right:
        case _, 1:
            return left
        case Joined("//", inner, int(divisor)), int(other):
            return _quotient(inner, divisor * other)
        case Joined("*", inner, int(factor)), int(other):
            return _scaled(inner, factor, other) or Joined("//", left, right)
        case _ if left == right:
            return 1
        case _:
            return Joined("//", left, right)


def _scaled(part: Part, factor: int, divisor: int) -> Part | None:
    """Return `part * factor / divisor` if one number does it, where the division is exact."""
    if factor % divisor == 0:
        return _product(part, factor // divisor)
    if divisor % factor == 0:
        return _quotient(part, divisor // factor)
    return None
