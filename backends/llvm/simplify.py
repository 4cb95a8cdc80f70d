"""Simplify indices and conditions with what is known about the ranges of their variables.

`ix.floor_div` and `ix.modulo` see coefficients only; with ranges, `(16*i + j) // 16` is `i` for
`j` in 0..15. Loops over blocks become plain strides this way.
"""

from collections.abc import Mapping
from math import gcd
from typing import TypeAlias, assert_never

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var

Ranges: TypeAlias = Mapping[str, tuple[int, int]]


def simplify(index: Index, ranges: Ranges) -> Index:
    """Return an index equal to `index` while each variable stays in its range (ends included)."""
    if all(isinstance(atom, Var) and not _is_single(atom, ranges) for atom, _ in index.terms):
        return index
    parts = (ix.scale(_simplify_atom(atom, ranges), factor) for atom, factor in index.terms)
    return _recombined(ix.add(ix.constant(index.constant), *parts))


def _is_single(variable: Var, ranges: Ranges) -> bool:
    """Return whether a variable has one value only."""
    low, high = ranges.get(variable.name, (0, 1))
    return low == high


def _recombined(index: Index) -> Index:
    """Return `index` with `x` for every `d*(x // d) + x % d`, what a merged axis makes of it."""
    factors = dict(index.terms)
    for atom, factor in index.terms:
        if isinstance(atom, Mod):
            quotient = FloorDiv(atom.index, atom.divisor)
            if factors.get(quotient) == factor * atom.divisor:
                left = tuple(term for term in index.terms if term[0] not in (atom, quotient))
                whole = ix.scale(atom.index, factor)
                return _recombined(ix.add(Index(left, index.constant), whole))
    return index


def simplify_condition(condition: Condition, ranges: Ranges) -> Condition:
    """Return a condition that agrees with `condition` while the variables stay in range."""
    match condition:
        case Truth():
            return condition
        case Compare(relation, index):
            return _simplify_compare(relation, simplify(index, ranges), ranges)
        case And(args):
            return cond.conjunction(*(simplify_condition(arg, ranges) for arg in args))
        case Or(args):
            return cond.disjunction(*(simplify_condition(arg, ranges) for arg in args))
        case Not(arg):
            return cond.negate(simplify_condition(arg, ranges))
        case _:
            assert_never(condition)


def _simplify_compare(relation: Relation, index: Index, ranges: Ranges) -> Condition:
    low, high = ix.bounds(index, ranges)
    match relation:
        case Relation.LESS:
            if high < 0 or low >= 0:
                return Truth(high < 0)
            return cond.compare(relation, _without_remainder(index, ranges))
        case Relation.EQUAL | Relation.NOT_EQUAL:
            if low == high == 0 or high < 0 or low > 0:
                return Truth((low == high == 0) == (relation is Relation.EQUAL))
            return cond.compare(relation, index)
        case _:
            assert_never(relation)


def _without_remainder(index: Index, ranges: Ranges) -> Index:
    """Return `x` if `index` is `g*x + rest` with `rest` in 0..g-1: both are negative together."""
    for divisor in sorted({abs(factor) for _, factor in index.terms}, reverse=True):
        if divisor > 1 and (split := _split_rest(index, divisor, ranges)):
            return split[0]
    return index


def _simplify_atom(atom: Atom, ranges: Ranges) -> Index:
    match atom:
        case Var(name):
            is_single = _is_single(atom, ranges)
            return ix.constant(ranges[name][0]) if is_single else Index(((atom, 1),), 0)
        case FloorDiv(inner, divisor):
            return _divide(simplify(inner, ranges), divisor, ranges)
        case Mod(inner, divisor):
            return _remainder(simplify(inner, ranges), divisor, ranges)
        case Min(args) | Max(args):
            return _extreme([simplify(arg, ranges) for arg in args], ranges, isinstance(atom, Min))
        case _:
            assert_never(atom)


def _divide(index: Index, divisor: int, ranges: Ranges) -> Index:
    low, high = ix.bounds(index, ranges)
    if low // divisor == high // divisor:
        return ix.constant(low // divisor)
    for group in _groups(index, divisor):
        if split := _split_rest(index, group, ranges):
            return ix.floor_div(split[0], divisor // group)
    return ix.floor_div(index, divisor)


def _remainder(index: Index, divisor: int, ranges: Ranges) -> Index:
    low, high = ix.bounds(index, ranges)
    if low // divisor == high // divisor:
        return ix.add(index, ix.constant(-(low // divisor) * divisor))
    for group in _groups(index, divisor):
        if split := _split_rest(index, group, ranges):
            return ix.add(ix.scale(ix.modulo(split[0], divisor // group), group), split[1])
    return ix.modulo(index, divisor)


def _groups(index: Index, divisor: int) -> list[int]:
    shared = {gcd(factor, divisor) for _, factor in index.terms} | {divisor}
    return sorted((group for group in shared if group > 1), reverse=True)


def _split_rest(index: Index, group: int, ranges: Ranges) -> tuple[Index, Index] | None:
    """Return `(x, rest)` with `index == group * x + rest` and `rest` in 0..group-1, if so."""
    whole = tuple((atom, factor // group) for atom, factor in index.terms if factor % group == 0)
    rest = tuple((atom, factor) for atom, factor in index.terms if factor % group)
    remainder = Index(rest, index.constant % group)
    low, high = ix.bounds(remainder, ranges)
    if low < 0 or high >= group:
        return None
    return Index(whole, index.constant // group), remainder


def _extreme(args: list[Index], ranges: Ranges, smallest: bool) -> Index:
    """Return the extreme of `args` without those that another always beats."""
    kept: list[Index] = []
    for arg in args:
        if not any(_beats(other, arg, ranges, smallest) for other in kept):
            kept = [other for other in kept if not _beats(arg, other, ranges, smallest)] + [arg]
    return ix.minimum(*kept) if smallest else ix.maximum(*kept)


def _beats(index: Index, other: Index, ranges: Ranges, smallest: bool) -> bool:
    low, high = ix.bounds(ix.subtract(index, other), ranges)
    return high <= 0 if smallest else low >= 0
