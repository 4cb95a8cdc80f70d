"""Indices and conditions of the program, compiled to closures over the loop variables."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.index import Index, Var

Array: TypeAlias = NDArray[Any]
Variables: TypeAlias = dict[str, int]
"""The value of every loop variable in scope, outermost first."""


def compile_index(index: Index) -> Callable[[Variables], int]:
    """Return a function that gives the value of `index`.

    Constants and multiples of one variable, which is nearly every index, cost one call.
    """
    constant = index.constant
    match index.terms:
        case ():
            return lambda _: constant
        case ((Var(name), 1),) if constant == 0:
            return lambda variables: variables[name]
        case ((Var(name), factor),):
            return lambda variables: factor * variables[name] + constant
        case _:
            return lambda variables: ix.evaluate(index, variables)


def compile_condition(condition: Condition) -> Callable[[Variables], bool]:
    """Return a function that says whether `condition` holds."""
    match condition:
        case Truth(value):
            return lambda _: value
        case Compare(Relation.EQUAL, index):
            at = compile_index(index)
            return lambda variables: at(variables) == 0
        case Compare() | And() | Or() | Not():
            return lambda variables: cond.holds(condition, variables)
        case _:
            assert_never(condition)


def holds_each(condition: Condition, values: Mapping[str, Array | int]) -> Array:
    """Return where `condition` holds, for variables that are arrays and broadcast together."""
    match condition:
        case Truth(value):
            return np.asarray(value)
        case Compare(relation, index):
            return _compare(relation, np.asarray(ix.evaluate(index, values)))
        case And(args):
            return reduce(np.logical_and, (holds_each(arg, values) for arg in args))
        case Or(args):
            return reduce(np.logical_or, (holds_each(arg, values) for arg in args))
        case Not(arg):
            return np.logical_not(holds_each(arg, values))
        case _:
            assert_never(condition)


def _compare(relation: Relation, values: Array) -> Array:
    match relation:
        case Relation.LESS:
            return values < 0
        case Relation.EQUAL:
            return values == 0
        case Relation.NOT_EQUAL:
            return values != 0
        case _:
            assert_never(relation)
