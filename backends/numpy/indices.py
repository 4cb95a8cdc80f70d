"""Indices and conditions of the program, compiled to closures over the loop variables."""

from collections.abc import Callable
from typing import Any, TypeAlias, assert_never

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

    Constants and multiples of one variable, which is nearly every index, cost one call. Numbers
    that have a name lose it: arithmetic on names takes many times as long.
    """
    constant = int(index.constant)
    match index.terms:
        case ():
            return lambda _: constant
        case ((Var(name), 1),) if constant == 0:
            return lambda variables: variables[name]
        case ((Var(name), coefficient),):
            factor = int(coefficient)
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
