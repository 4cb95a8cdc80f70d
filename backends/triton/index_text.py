"""Indices and conditions as Triton expressions of int32.

Triton divides as C does, towards zero; an index that may be negative is shifted by a multiple of
the divisor first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from tilelang.backends.triton.simplify import Limits
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var


@dataclass(frozen=True, slots=True)
class IndexText:
    """How indices are written where a step stands.

    `names` maps variables to text, `limits` to their ranges; `known` are indices that have a name
    already. `is_wide` counts in int64.
    """

    names: Mapping[str, str]
    limits: Limits
    known: Mapping[Index, str] = field(default_factory=dict[Index, str])
    is_wide: bool = False

    def index(self, index: Index) -> str:
        """Return the text of `index`, as a sum without parentheses."""
        if index in self.known:
            return self.known[index]
        text = ""
        # What is the same for every lane comes first.
        for atom, factor in sorted(index.terms, key=lambda term: "@" in repr(term[0])):
            text = _added(text, self._term(atom, abs(factor)), factor < 0)
        if index.constant or not text:
            text = _added(text, str(abs(index.constant)), index.constant < 0)
        return text

    def factor(self, index: Index) -> str:
        """Return the text of `index` as it may stand in a product."""
        text = self.index(index)
        single = index in self.known or _is_atomic(index)
        return text if single else f"({text})"

    def _term(self, atom: Atom, factor: int) -> str:
        text = self._atom(atom)
        return text if factor == 1 else f"{text} * {factor}"

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Var(name):
                text = self.names[name]
                return f"tl.cast({text}, tl.int64)" if self.is_wide else text
            case FloorDiv(inner, divisor):
                shift = self._shift(inner, divisor)
                text = f"({self.factor(ix.add(inner, ix.constant(shift * divisor)))} // {divisor})"
                return f"({text} - {shift})" if shift else text
            case Mod(inner, divisor):
                shift = self._shift(inner, divisor)
                return f"({self.factor(ix.add(inner, ix.constant(shift * divisor)))} % {divisor})"
            case Min(args):
                return self._nested("tl.minimum", args)
            case Max(args):
                return self._nested("tl.maximum", args)
            case _:
                assert_never(atom)

    def _shift(self, index: Index, divisor: int) -> int:
        """Return how many divisors to add so that `index` is not negative."""
        least, _ = ix.bounds(index, self.limits)
        return max(-(least // divisor), 0)

    def _nested(self, function: str, args: tuple[Index, ...]) -> str:
        text = self.index(args[-1])
        for arg in reversed(args[:-1]):
            text = f"{function}({self.index(arg)}, {text})"
        return text

    def condition(self, condition: Condition) -> str:
        """Return the text of `condition`, which is not known before the kernel runs."""
        match condition:
            case Truth():
                raise AssertionError("a condition that is known has no text")
            case Compare(relation, index):
                return self._comparison(relation, index)
            case And(args):
                return " & ".join(f"({self.condition(arg)})" for arg in args)
            case Or(args):
                return " | ".join(f"({self.condition(arg)})" for arg in args)
            case Not(And(args)):
                return self.condition(cond.disjunction(*map(cond.negate, args)))
            case Not(Or(args)):
                return self.condition(cond.conjunction(*map(cond.negate, args)))
            case Not():
                raise AssertionError("other negations are folded")
            case _:
                assert_never(condition)

    def _comparison(self, relation: Relation, index: Index) -> str:
        """Return `index relation 0` with what has a name on the left and numbers on the right."""
        for known, name in self.known.items():
            difference = ix.subtract(index, known)
            if difference.is_constant:
                return f"{name} {relation.value} {-difference.constant}"
            total = ix.add(index, known)
            if total.is_constant:  # c - x < 0
                return f"{name} {_MIRRORED[relation]} {total.constant}"
        if index.terms[0][1] < 0:
            flipped = ix.scale(ix.subtract(index, ix.constant(index.constant)), -1)
            return f"{self.index(flipped)} {_MIRRORED[relation]} {index.constant}"
        terms = ix.subtract(index, ix.constant(index.constant))
        return f"{self.index(terms)} {relation.value} {-index.constant}"


_MIRRORED = {Relation.LESS: ">", Relation.EQUAL: "==", Relation.NOT_EQUAL: "!="}


def _added(text: str, term: str, negative: bool) -> str:
    if not text:
        return f"-{term}" if negative else term
    return f"{text} - {term}" if negative else f"{text} + {term}"


def _is_atomic(index: Index) -> bool:
    if not index.terms:
        return index.constant >= 0
    return len(index.terms) == 1 and index.terms[0][1] == 1 and index.constant == 0
