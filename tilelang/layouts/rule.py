"""The rule of a layout as text, such as "M K -> K1 M1 M0 K0", and its reading.

Left stand the logical dimensions, right the physical ones. `M` is a whole index; `M1` and `M0` are
its two digits, the number of the block and the place inside it. Dimensions in brackets are one,
row-major.
"""

import re
from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """Which part of a logical index a digit is; the value is its suffix in a rule."""

    WHOLE = ""
    BLOCK = "1"
    INSIDE = "0"


@dataclass(frozen=True, slots=True)
class Digit:
    """A part of the index along one logical dimension; `axis` counts from 0."""

    axis: int
    part: Part


@dataclass(frozen=True, slots=True)
class Rule:
    """The digits that every physical dimension is made of, most significant first."""

    names: tuple[str, ...]
    """The logical dimensions, as documents call them."""
    physical: tuple[tuple[Digit, ...], ...]
    digits: tuple[Digit, ...]
    """All digits, in the order of memory."""
    logical_digits: tuple[Digit, ...]
    """All digits, in the order of the logical dimensions, a block before its inside."""

    def name(self, digit: Digit) -> str:
        """Return `digit` as the rule writes it: `K1`."""
        return self.names[digit.axis] + digit.part.value


def read_rule(text: str) -> Rule:
    """Return the rule that `text` stands for."""
    left, right = text.split("->")
    names = tuple(left.split())
    groups = [bracketed or single for bracketed, single in re.findall(r"\(([^)]*)\)|(\S+)", right)]
    physical = tuple(tuple(_digit(names, word) for word in group.split()) for group in groups)
    digits = tuple(digit for group in physical for digit in group)
    parts = list(Part)
    logical = sorted(digits, key=lambda digit: (digit.axis, parts.index(digit.part)))
    return Rule(names, physical, digits, tuple(logical))


def _digit(names: tuple[str, ...], word: str) -> Digit:
    name = word.rstrip("01")
    return Digit(names.index(name), Part(word.removeprefix(name)))
