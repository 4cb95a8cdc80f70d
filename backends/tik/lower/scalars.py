"""Indices and conditions of the tile program as TIK's scalar expressions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import TypeAlias, assert_never

from tilelang.backends.tik.instructions import (
    BinaryOp,
    Expr,
    Name,
    UnaryOp,
    add,
    all_of,
    binary,
    multiply,
    unary,
)
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition, Relation
from tilelang.ir.index import Atom, Index

Ranges: TypeAlias = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Functions:
    """What an expression alone cannot say: other names, and the least or greatest of several."""

    renamed: Mapping[str, str]
    extreme: Callable[[tuple[Expr, ...], bool], Expr]


def index_expr(index: Index, ranges: Ranges, functions: Functions) -> Expr:
    """Return `index` as an expression: positive terms first, in the order of the index."""
    total: Expr = 0
    constant = index.constant
    for atom, factor in sorted(index.terms, key=lambda term: term[1] < 0):
        term = _atom_expr(atom, ranges, functions)
        if isinstance(term, int):
            constant += term * factor
        elif factor < 0 and total != 0:
            total = binary(BinaryOp.SUB, total, multiply(term, -factor))
        else:
            total = add(total, multiply(term, factor))
    if constant < 0 and total != 0:
        return binary(BinaryOp.SUB, total, -constant)
    return add(total, constant)


def _atom_expr(atom: Atom, ranges: Ranges, functions: Functions) -> Expr:
    match atom:
        case ix.Var(name):
            low, high = ranges[name]
            return low if low == high else Name(functions.renamed.get(name, name))
        case ix.FloorDiv(inner, divisor):
            shift = _periods_below_zero(inner, divisor, ranges)
            lifted = index_expr(_shifted(inner, shift * divisor), ranges, functions)
            quotient = binary(BinaryOp.DIV, lifted, divisor)
            return binary(BinaryOp.SUB, quotient, shift)
        case ix.Mod(inner, divisor):
            shift = _periods_below_zero(inner, divisor, ranges)
            lifted = index_expr(_shifted(inner, shift * divisor), ranges, functions)
            return binary(BinaryOp.MOD, lifted, divisor)
        case ix.Min(args) | ix.Max(args):
            parts = tuple(index_expr(arg, ranges, functions) for arg in args)
            return functions.extreme(parts, isinstance(atom, ix.Min))
        case _:
            assert_never(atom)


def _periods_below_zero(index: Index, divisor: int, ranges: Ranges) -> int:
    """Return how many times `divisor` must be added: TIK's division truncates, ours rounds down."""
    low, _ = ix.bounds(index, ranges)
    return -(low // divisor) if low < 0 else 0


def _shifted(index: Index, amount: int) -> Index:
    return ix.add(index, ix.constant(amount))


_RELATIONS = {
    Relation.LESS: BinaryOp.LT,
    Relation.EQUAL: BinaryOp.EQ,
    Relation.NOT_EQUAL: BinaryOp.NE,
}


def condition_expr(condition: Condition, ranges: Ranges, functions: Functions) -> Expr:
    """Return `condition` as an expression, without negative terms: `i < 3`, not `i - 3 < 0`."""
    match condition:
        case cond.Truth(value):
            return int(value)
        case cond.Compare(relation, index):
            return _comparison(relation, index, ranges, functions)
        case cond.And(args) | cond.Or(args):
            op = BinaryOp.AND if isinstance(condition, cond.And) else BinaryOp.OR
            return all_of(op, *(condition_expr(arg, ranges, functions) for arg in args))
        case cond.Not(arg):
            return unary(UnaryOp.NOT, condition_expr(arg, ranges, functions))
        case _:
            assert_never(condition)


def _comparison(relation: Relation, index: Index, ranges: Ranges, functions: Functions) -> Expr:
    index = _reduced(relation, index)
    left = Index(tuple(term for term in index.terms if term[1] > 0), max(index.constant, 0))
    right = ix.subtract(left, index)
    sides = (index_expr(side, ranges, functions) for side in (left, right))
    return binary(_RELATIONS[relation], *sides)


def _reduced(relation: Relation, index: Index) -> Index:
    """Return the index of an equal comparison without common factors: `32 * i < 9` is `i < 1`."""
    factor = gcd(*(coefficient for _, coefficient in index.terms))
    if factor < 2 or (relation is not Relation.LESS and index.constant % factor):
        return index
    terms = tuple((atom, coefficient // factor) for atom, coefficient in index.terms)
    return Index(terms, index.constant // factor)
