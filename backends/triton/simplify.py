"""Indices and conditions made shorter by what the ranges of their variables prove."""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Atom, FloorDiv, Index, Max, Min, Mod, Var

Limits: TypeAlias = Mapping[str, tuple[int, int]]
"""The least and the greatest value of each variable."""


def simplify_index(index: Index, limits: Limits) -> Index:
    """Return an index of the same value wherever the variables keep to `limits`."""
    parts = (ix.scale(_atom(atom, limits), factor) for atom, factor in index.terms)
    return _join_digits(ix.add(ix.constant(index.constant), *parts))


def simplify_condition(condition: Condition, limits: Limits) -> Condition:
    """Return a condition that holds where `condition` does, as far as `limits` go."""
    match condition:
        case Truth():
            return condition
        case Compare(relation, index):
            return _compare(relation, simplify_index(index, limits), limits)
        case And(args):
            return cond.conjunction(*(simplify_condition(arg, limits) for arg in args))
        case Or(args):
            return cond.disjunction(*(simplify_condition(arg, limits) for arg in args))
        case Not(arg):
            return cond.negate(simplify_condition(arg, limits))
        case _:
            assert_never(condition)


def _compare(relation: Relation, index: Index, limits: Limits) -> Condition:
    least, most = ix.bounds(index, limits)
    match relation:
        case Relation.LESS:
            if most < 0:
                return cond.TRUE
            return cond.FALSE if least >= 0 else cond.compare(relation, index)
        case Relation.EQUAL | Relation.NOT_EQUAL:
            if most < 0 or least > 0:
                return cond.TRUE if relation is Relation.NOT_EQUAL else cond.FALSE
            return cond.compare(relation, index)
        case _:
            assert_never(relation)


def _atom(atom: Atom, limits: Limits) -> Index:
    match atom:
        case Var(name):
            least, most = limits[name]
            return ix.constant(least) if least == most else ix.variable(name)
        case FloorDiv(inner, divisor):
            return _known_quotient(simplify_index(inner, limits), divisor, limits)
        case Mod(inner, divisor):
            return _known_rest(simplify_index(inner, limits), divisor, limits)
        case Min(args):
            return _extreme([simplify_index(arg, limits) for arg in args], limits, smallest=True)
        case Max(args):
            return _extreme([simplify_index(arg, limits) for arg in args], limits, smallest=False)
        case _:
            assert_never(atom)


def _known_quotient(index: Index, divisor: int, limits: Limits) -> Index:
    """Return `index // divisor`, folded where the index stays within one multiple."""
    found = ix.constant(0)
    for atom, factor in ix.floor_div(index, divisor).terms:
        found = ix.add(found, ix.scale(_quotient_atom(atom, limits), factor))
    return ix.add(found, ix.constant(ix.floor_div(index, divisor).constant))


def _quotient_atom(atom: Atom, limits: Limits) -> Index:
    match atom:
        case FloorDiv(Index(((FloorDiv(inner, first), 1),), 0), second):
            return _quotient_atom(FloorDiv(inner, first * second), limits)
        case FloorDiv(inner, divisor):
            least, most = ix.bounds(inner, limits)
            if least // divisor == most // divisor:
                return ix.constant(least // divisor)
            return Index(((atom, 1),), 0)
        case _:
            return Index(((atom, 1),), 0)


def _known_rest(index: Index, divisor: int, limits: Limits) -> Index:
    """Return `index % divisor`, which is the index less a multiple where that is known."""
    found = ix.modulo(index, divisor)
    match found:
        case Index(((Mod(inner, size), 1),), 0):
            least, most = ix.bounds(inner, limits)
            if least // size == most // size:
                return ix.add(inner, ix.constant(-(least // size) * size))
            return found
        case _:
            return found


def _extreme(args: list[Index], limits: Limits, *, smallest: bool) -> Index:
    """Return the min or max without the arguments that are never it."""
    kept = list(dict.fromkeys(args))
    for arg in tuple(kept):
        others = [other for other in kept if other != arg]
        if any(_never(arg, other, limits, smallest=smallest) for other in others):
            kept.remove(arg)
    return ix.minimum(*kept) if smallest else ix.maximum(*kept)


def _never(arg: Index, other: Index, limits: Limits, *, smallest: bool) -> bool:
    """Return whether `other` is always as small (or large) as `arg`."""
    least, most = ix.bounds(ix.subtract(arg, other), limits)
    return least >= 0 if smallest else most <= 0


def _join_digits(index: Index) -> Index:
    """Return `index` with `d * f * (x // d) + f * (x % d)` written `f * x`."""
    for atom, factor in index.terms:
        if isinstance(atom, Mod):
            quotient = ix.floor_div(atom.index, atom.divisor)
            whole = ix.scale(quotient, factor * atom.divisor)
            rest = ix.subtract(index, ix.add(Index(((atom, factor),), 0), whole))
            if len(rest.terms) < len(index.terms) - 1 and not quotient.is_constant:
                return _join_digits(ix.add(rest, ix.scale(atom.index, factor)))
    return index
