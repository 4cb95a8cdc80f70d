"""What a condition says about the range of each variable."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, assert_never

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Index, Var

Limits: TypeAlias = Mapping[str, tuple[int, int]]
"""The least and greatest value of each variable."""


def narrowed(condition: Condition, limits: Limits) -> Limits | None:
    """Return the limits where `condition` holds, or None where it never does."""
    match condition:
        case Truth(value):
            return limits if value else None
        case Compare(relation, index):
            return _narrowed_by_comparison(relation, index, limits)
        case And(args):
            return _narrowed_by_all(args, limits)
        case Or(args):
            return _hull([narrowed(arg, limits) for arg in args])
        case Not(And(args)):
            return _hull([narrowed(cond.negate(arg), limits) for arg in args])
        case Not(Or(args)):
            return _narrowed_by_all([cond.negate(arg) for arg in args], limits)
        case Not():
            return limits
        case _:
            assert_never(condition)


def _narrowed_by_all(conditions: Sequence[Condition], limits: Limits) -> Limits | None:
    for condition in conditions:
        inner = narrowed(condition, limits)
        if inner is None:
            return None
        limits = inner
    return limits


def _hull(choices: Sequence[Limits | None]) -> Limits | None:
    """Return the limits that enclose every choice; None among them is a choice that never is."""
    possible = [limits for limits in choices if limits is not None]
    if not possible:
        return None
    return {
        name: (
            min(limits[name][0] for limits in possible),
            max(limits[name][1] for limits in possible),
        )
        for name in possible[0]
    }


def _narrowed_by_comparison(relation: Relation, index: Index, limits: Limits) -> Limits | None:
    match relation:
        case Relation.LESS:
            return _below_zero(index, limits)
        case Relation.EQUAL:
            at_most = _below_zero(ix.add(index, ix.constant(-1)), limits)
            opposite = ix.add(ix.scale(index, -1), ix.constant(-1))
            return None if at_most is None else _below_zero(opposite, at_most)
        case Relation.NOT_EQUAL:
            return _not_zero(index, limits)
        case _:
            assert_never(relation)


def _below_zero(index: Index, limits: Limits) -> Limits | None:
    """Return `limits` narrowed to where `index < 0`, one variable at a time."""
    if ix.bounds(index, limits)[0] >= 0:
        return None
    inner = dict(limits)
    for atom, factor in index.terms:
        if not isinstance(atom, Var):
            continue
        rest = ix.subtract(index, ix.scale(ix.variable(atom.name), factor))
        room = -1 - ix.bounds(rest, inner)[0]  # factor * variable is at most this
        low, high = inner[atom.name]
        if factor > 0:
            high = min(high, room // factor)
        else:
            low = max(low, -(room // -factor))
        if low > high:
            return None
        inner[atom.name] = (low, high)
    return inner


def _not_zero(index: Index, limits: Limits) -> Limits | None:
    """Return `limits` without the end at which `index` is zero, if it has one variable."""
    low, high = ix.bounds(index, limits)
    if low == high == 0:
        return None
    match index.terms:
        case ((Var(name), factor),):
            low, high = limits[name]
            low += index.constant + factor * low == 0
            high -= index.constant + factor * high == 0
            return {**limits, name: (low, high)}
        case _:
            return limits
