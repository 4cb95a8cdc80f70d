"""Conditions over loop variables, as `If` and the `init` of a matrix product use them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.ir import index as ix
from tilelang.ir.index import Index

Array: TypeAlias = NDArray[Any]


class Relation(Enum):
    """How an index compares with zero; every other comparison of integers is one of these."""

    LESS = "<"
    EQUAL = "=="
    NOT_EQUAL = "!="


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition known when the kernel was traced."""

    value: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`index relation 0`, so `i <= j` is kept as `i - j - 1 < 0`."""

    relation: Relation
    index: Index


@dataclass(frozen=True, slots=True)
class And:
    """True where every one of `args` is."""

    args: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where at least one of `args` is."""

    args: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where `arg` is false; `arg` is an `And` or an `Or` (others are folded)."""

    arg: "Condition"


Condition: TypeAlias = Truth | Compare | And | Or | Not

TRUE = Truth(True)
FALSE = Truth(False)


def compare(relation: Relation, index: Index) -> Condition:
    """Return `index relation 0`, decided now if `index` is a constant."""
    if not index.is_constant:
        return Compare(relation, index)
    return Truth(_holds(relation, index.constant))


def less(left: Index, right: Index) -> Condition:
    """Return `left < right`."""
    return compare(Relation.LESS, ix.subtract(left, right))


def less_equal(left: Index, right: Index) -> Condition:
    """Return `left <= right`."""
    return compare(Relation.LESS, ix.add(left, ix.scale(right, -1), ix.constant(-1)))


def equal(left: Index, right: Index) -> Condition:
    """Return `left == right`."""
    return compare(Relation.EQUAL, ix.subtract(left, right))


def not_equal(left: Index, right: Index) -> Condition:
    """Return `left != right`."""
    return compare(Relation.NOT_EQUAL, ix.subtract(left, right))


def conjunction(*args: Condition) -> Condition:
    """Return the condition that all of `args` hold, flattened and folded."""
    flat = [part for arg in args for part in (arg.args if isinstance(arg, And) else (arg,))]
    if FALSE in flat:
        return FALSE
    parts = tuple(dict.fromkeys(part for part in flat if part != TRUE))
    if len(parts) < 2:
        return parts[0] if parts else TRUE
    return And(parts)


def disjunction(*args: Condition) -> Condition:
    """Return the condition that one of `args` holds, flattened and folded."""
    flat = [part for arg in args for part in (arg.args if isinstance(arg, Or) else (arg,))]
    if TRUE in flat:
        return TRUE
    parts = tuple(dict.fromkeys(part for part in flat if part != FALSE))
    if len(parts) < 2:
        return parts[0] if parts else FALSE
    return Or(parts)


def nesting(condition: Condition) -> int:
    """Return how many `and`, `or` and `not` stand inside each other at most."""
    match condition:
        case Truth() | Compare():
            return 0
        case And(args) | Or(args):
            return 1 + max(map(nesting, args))
        case Not(arg):
            return 1 + nesting(arg)
        case _:
            assert_never(condition)


def negate(condition: Condition) -> Condition:
    """Return the opposite condition."""
    match condition:
        case Truth(value):
            return Truth(not value)
        case Compare(relation, index):
            return _opposite(relation, index)
        case Not(arg):
            return arg
        case And() | Or():
            return Not(condition)
        case _:
            assert_never(condition)


def holds(condition: Condition, values: Mapping[str, int]) -> bool:
    """Return whether `condition` is true where variable `name` has the value `values[name]`."""
    match condition:
        case Truth(value):
            return value
        case Compare(relation, index):
            return _holds(relation, ix.evaluate(index, values))
        case And(args):
            return all(holds(arg, values) for arg in args)
        case Or(args):
            return any(holds(arg, values) for arg in args)
        case Not(arg):
            return not holds(arg, values)
        case _:
            assert_never(condition)


def holds_each(condition: Condition, values: Mapping[str, Array | int]) -> Array:
    """Return where `condition` is true, for variables that are arrays and broadcast together."""
    match condition:
        case Truth(value):
            return np.asarray(value)
        case Compare(relation, index):
            return np.asarray(_holds(relation, ix.evaluate(index, values)))
        case And(args):
            return reduce(np.logical_and, (holds_each(arg, values) for arg in args))
        case Or(args):
            return reduce(np.logical_or, (holds_each(arg, values) for arg in args))
        case Not(arg):
            return np.logical_not(holds_each(arg, values))
        case _:
            assert_never(condition)


def substitute(condition: Condition, values: Mapping[str, Index]) -> Condition:
    """Return `condition` with each variable in `values` replaced."""
    match condition:
        case Truth():
            return condition
        case Compare(relation, index):
            return compare(relation, ix.substitute(index, values))
        case And(args):
            return conjunction(*(substitute(arg, values) for arg in args))
        case Or(args):
            return disjunction(*(substitute(arg, values) for arg in args))
        case Not(arg):
            return negate(substitute(arg, values))
        case _:
            assert_never(condition)


def indices(condition: Condition) -> Iterator[Index]:
    """Yield every index that the condition compares with zero."""
    match condition:
        case Truth():
            return
        case Compare(_, index):
            yield index
        case And(args) | Or(args):
            for arg in args:
                yield from indices(arg)
        case Not(arg):
            yield from indices(arg)
        case _:
            assert_never(condition)


def _opposite(relation: Relation, index: Index) -> Condition:
    match relation:
        case Relation.LESS:  # not a < 0  is  -a - 1 < 0
            return compare(Relation.LESS, ix.add(ix.scale(index, -1), ix.constant(-1)))
        case Relation.EQUAL:
            return compare(Relation.NOT_EQUAL, index)
        case Relation.NOT_EQUAL:
            return compare(Relation.EQUAL, index)
        case _:
            assert_never(relation)


def _holds(relation: Relation, value: Any) -> Any:
    """Return whether `value`, an int or an array of them, is in `relation` to zero."""
    match relation:
        case Relation.LESS:
            return value < 0
        case Relation.EQUAL:
            return value == 0
        case Relation.NOT_EQUAL:
            return value != 0
        case _:
            assert_never(relation)
