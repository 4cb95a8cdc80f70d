"""Integer expressions over loop variables: loop extents, region starts and conditions.

Every `Index` is kept as a sum `constant + coefficient * atom + ...`, so two ways to write one sum
are the same node, and alignment is read off the coefficients. Nodes are plain data: arithmetic is
done by the functions of this module.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import Any, TypeAlias, TypeVar, assert_never

import numpy as np


@dataclass(frozen=True, slots=True)
class Var:
    """The variable of an enclosing loop, by its unique name."""

    name: str


@dataclass(frozen=True, slots=True)
class FloorDiv:
    """`index // divisor`, rounded down; `divisor` is positive."""

    index: "Index"
    divisor: int


@dataclass(frozen=True, slots=True)
class Mod:
    """`index % divisor`, in `0 .. divisor - 1`; `divisor` is positive."""

    index: "Index"
    divisor: int


@dataclass(frozen=True, slots=True)
class Min:
    """The smallest of two or more indices."""

    args: tuple["Index", ...]


@dataclass(frozen=True, slots=True)
class Max:
    """The largest of two or more indices."""

    args: tuple["Index", ...]


Atom: TypeAlias = Var | FloorDiv | Mod | Min | Max


@dataclass(frozen=True, slots=True)
class Index:
    """`constant` plus the sum of `coefficient * atom` over `terms`, which are sorted and non-zero.

    Build one with the functions of this module, never directly: they keep it canonical.
    """

    terms: tuple[tuple[Atom, int], ...]
    constant: int

    @property
    def is_constant(self) -> bool:
        """Whether no loop variable occurs."""
        return not self.terms


def constant(value: int) -> Index:
    """Return the index that is always `value`."""
    return Index((), value)


def variable(name: str) -> Index:
    """Return the loop variable `name`."""
    return Index(((Var(name), 1),), 0)


ZERO = constant(0)


def add(*indices: Index) -> Index:
    """Return the sum."""
    coefficients: dict[Atom, int] = {}
    for index in indices:
        for atom, coefficient in index.terms:
            coefficients[atom] = coefficients.get(atom, 0) + coefficient
    return _canonical(coefficients, sum(index.constant for index in indices))


def scale(index: Index, factor: int) -> Index:
    """Return `factor * index`."""
    if factor == 0:
        return ZERO
    terms = tuple((atom, factor * coefficient) for atom, coefficient in index.terms)
    return Index(terms, factor * index.constant)


def subtract(left: Index, right: Index) -> Index:
    """Return `left - right`."""
    return add(left, scale(right, -1))


def floor_div(index: Index, divisor: int) -> Index:
    """Return `index // divisor` for a positive divisor.

    Whatever `divisor` divides leaves the division: `(8*i + 3) // 8 == i` since the rest is in 0..7.
    """
    whole, rest = split(index, divisor)
    if rest.is_constant:
        return add(whole, constant(rest.constant // divisor))
    return add(whole, Index(((FloorDiv(rest, divisor), 1),), 0))


def modulo(index: Index, divisor: int) -> Index:
    """Return `index % divisor` for a positive divisor."""
    _, rest = split(index, divisor)
    if rest.is_constant:
        return constant(rest.constant % divisor)
    return Index(((Mod(rest, divisor), 1),), 0)


def split(index: Index, divisor: int) -> tuple[Index, Index]:
    """Return `(whole, rest)` with `index == divisor * whole + rest`, most of it in `whole`."""
    whole = [(atom, factor // divisor) for atom, factor in index.terms if factor % divisor == 0]
    rest = tuple((atom, factor) for atom, factor in index.terms if factor % divisor)
    return (
        Index(tuple(whole), index.constant // divisor),
        Index(rest, index.constant % divisor),
    )


def minimum(*indices: Index) -> Index:
    """Return the smallest of `indices`."""
    return _extreme(Min, *indices)


def maximum(*indices: Index) -> Index:
    """Return the largest of `indices`."""
    return _extreme(Max, *indices)


def nesting(index: Index) -> int:
    """Return how many `//`, `%`, min and max stand inside each other at most."""
    return max((_atom_nesting(atom) for atom, _ in index.terms), default=0)


def _atom_nesting(atom: Atom) -> int:
    match atom:
        case Var():
            return 0
        case FloorDiv(inner) | Mod(inner):
            return 1 + nesting(inner)
        case Min(args) | Max(args):
            return 1 + max(map(nesting, args))
        case _:
            assert_never(atom)


Number = TypeVar("Number")


def evaluate(index: Index, values: Mapping[str, Number]) -> Number | int:
    """Return the value of `index` where variable `name` has the value `values[name]`.

    Values are ints, or numpy integer arrays that broadcast against each other; a missing variable
    is a `KeyError`.
    """
    total: Number | int = index.constant
    for atom, coefficient in index.terms:
        value = _evaluate_atom(atom, values)
        total = total + (value if coefficient == 1 else coefficient * value)  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
    return total  # pyright: ignore[reportUnknownVariableType]


def bounds(index: Index, ranges: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Return the least and greatest value while each variable stays in its range (ends included).

    Exact for sums of distinct variables; otherwise an enclosing interval.
    """
    low = high = index.constant
    for atom, coefficient in index.terms:
        atom_low, atom_high = _atom_bounds(atom, ranges)
        if coefficient < 0:
            atom_low, atom_high = atom_high, atom_low
        low += coefficient * atom_low
        high += coefficient * atom_high
    return low, high


def settle(index: Index, ranges: Mapping[str, tuple[int, int]]) -> Index:
    """Return `index` without what has one value while each variable stays in its range."""
    used = {name: ranges[name] for name in free_variables(index)}
    single = {name: constant(low) for name, (low, high) in used.items() if low == high}
    left = substitute(index, single)
    parts = [constant(left.constant)]
    for atom, coefficient in left.terms:
        low, high = _atom_bounds(atom, ranges)
        one = constant(low) if low == high else Index(((atom, 1),), 0)
        parts.append(scale(one, coefficient))
    return add(*parts)


def known_divisor(index: Index) -> int:
    """Return the largest number that divides every value the coefficients allow (0 for zero).

    `known_divisor(64*i + 16) == 16`: this is how alignment is proved.
    """
    return gcd(
        index.constant, *(coefficient * _atom_divisor(atom) for atom, coefficient in index.terms)
    )


def substitute(index: Index, values: Mapping[str, Index]) -> Index:
    """Return `index` with each variable in `values` replaced; others stay."""
    if not any(name in values for name in free_variables(index)):
        return index
    parts = (
        scale(_substitute_atom(atom, values), coefficient) for atom, coefficient in index.terms
    )
    return add(constant(index.constant), *parts)


def free_variables(index: Index) -> Iterator[str]:
    """Yield the names of the variables that occur, perhaps more than once."""
    for atom, _ in index.terms:
        match atom:
            case Var(name):
                yield name
            case FloorDiv(inner, _) | Mod(inner, _):
                yield from free_variables(inner)
            case Min(args) | Max(args):
                for arg in args:
                    yield from free_variables(arg)
            case _:
                assert_never(atom)


def _canonical(coefficients: Mapping[Atom, int], constant: int) -> Index:
    terms = [(atom, coefficient) for atom, coefficient in coefficients.items() if coefficient]
    if len(terms) > 1:
        terms.sort(key=lambda term: _sort_key(term[0]))
    return Index(tuple(terms), constant)


def _sort_key(atom: Atom) -> tuple[int, str]:
    return (0, atom.name) if isinstance(atom, Var) else (1, repr(atom))


def _extreme(kind: type[Min] | type[Max], *indices: Index) -> Index:
    """Return the min or max, flattened, without duplicates, and with its constants folded."""
    flat: list[Index] = []
    for index in indices:
        flat += _nested_args(kind, index)
    choose = min if kind is Min else max
    constants = [index.constant for index in flat if index.is_constant]
    variables = list(dict.fromkeys(index for index in flat if not index.is_constant))
    folded = [constant(choose(constants))] if constants else []
    args = sorted(variables, key=repr) + folded
    return args[0] if len(args) == 1 else Index(((kind(tuple(args)), 1),), 0)


def _nested_args(kind: type[Min] | type[Max], index: Index) -> tuple[Index, ...]:
    if index.constant == 0 and len(index.terms) == 1:
        atom, coefficient = index.terms[0]
        if coefficient == 1 and isinstance(atom, Min | Max) and isinstance(atom, kind):
            return atom.args
    return (index,)


def _evaluate_atom(atom: Atom, values: Mapping[str, Number]) -> Number | int:
    match atom:
        case Var(name):
            return values[name]
        case FloorDiv(inner, divisor):
            return evaluate(inner, values) // divisor  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
        case Mod(inner, divisor):
            return evaluate(inner, values) % divisor  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
        case Min(args):
            return _fold_extreme([evaluate(arg, values) for arg in args], smallest=True)
        case Max(args):
            return _fold_extreme([evaluate(arg, values) for arg in args], smallest=False)
        case _:
            assert_never(atom)


def _fold_extreme(values: list[Any], *, smallest: bool) -> Any:
    """Return the smallest or largest of ints, or element-wise of integer arrays."""
    choose = np.minimum if smallest else np.maximum
    if all(isinstance(value, int) for value in values):
        return min(values) if smallest else max(values)
    return reduce(choose, values)


def _atom_bounds(atom: Atom, ranges: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    match atom:
        case Var(name):
            return ranges[name]
        case FloorDiv(inner, divisor):
            low, high = bounds(inner, ranges)
            return low // divisor, high // divisor
        case Mod(inner, divisor):
            low, high = bounds(inner, ranges)
            same_period = low // divisor == high // divisor
            return (low % divisor, high % divisor) if same_period else (0, divisor - 1)
        case Min(args):
            limits = [bounds(arg, ranges) for arg in args]
            return min(low for low, _ in limits), min(high for _, high in limits)
        case Max(args):
            limits = [bounds(arg, ranges) for arg in args]
            return max(low for low, _ in limits), max(high for _, high in limits)
        case _:
            assert_never(atom)


def _atom_divisor(atom: Atom) -> int:
    match atom:
        case Var() | FloorDiv():
            return 1
        case Mod(inner, divisor):
            return gcd(known_divisor(inner), divisor)
        case Min(args) | Max(args):
            return gcd(*(known_divisor(arg) for arg in args))
        case _:
            assert_never(atom)


def _substitute_atom(atom: Atom, values: Mapping[str, Index]) -> Index:
    match atom:
        case Var(name):
            return values.get(name, Index(((atom, 1),), 0))
        case FloorDiv(inner, divisor):
            return floor_div(substitute(inner, values), divisor)
        case Mod(inner, divisor):
            return modulo(substitute(inner, values), divisor)
        case Min(args):
            return minimum(*(substitute(arg, values) for arg in args))
        case Max(args):
            return maximum(*(substitute(arg, values) for arg in args))
        case _:
            assert_never(atom)
