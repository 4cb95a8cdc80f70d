import operator
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition

VALUES = st.fixed_dictionaries({name: st.integers(-3, 3) for name in "ij"})
COMPARISONS = [
    (cond.less, operator.lt),
    (cond.less_equal, operator.le),
    (cond.equal, operator.eq),
    (cond.not_equal, operator.ne),
]


@dataclass
class Case:
    """A condition, and the same logic on Python bools."""

    node: Condition
    meaning: Callable[[dict[str, int]], bool]


def leaf() -> st.SearchStrategy[Case]:
    def make(args: tuple[tuple[Callable[..., Condition], Callable[..., bool]], int, int]) -> Case:
        (build, mean), a, b = args
        left = ix.add(ix.scale(ix.variable("i"), a), ix.constant(b))
        return Case(build(left, ix.variable("j")), lambda v: mean(a * v["i"] + b, v["j"]))

    sides = st.tuples(st.sampled_from(COMPARISONS), st.integers(-2, 2), st.integers(-2, 2))
    truths = st.booleans().map(lambda t: Case(cond.Truth(t), lambda _: t))
    return st.one_of(sides.map(make), truths)


def combined(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    def both(cases: list[Case]) -> Case:
        node = cond.conjunction(*(case.node for case in cases))
        return Case(node, lambda v: all(case.meaning(v) for case in cases))

    def either(cases: list[Case]) -> Case:
        node = cond.disjunction(*(case.node for case in cases))
        return Case(node, lambda v: any(case.meaning(v) for case in cases))

    several = st.lists(inner, max_size=3)
    opposite = inner.map(lambda c: Case(cond.negate(c.node), lambda v: not c.meaning(v)))
    return st.one_of(several.map(both), several.map(either), opposite)


CASES = st.recursive(leaf(), combined, max_leaves=8)


@given(CASES, VALUES)
def test_a_condition_holds_as_the_same_logic_on_bools(case: Case, values: dict[str, int]):
    assert cond.holds(case.node, values) == case.meaning(values)


@given(CASES, VALUES, st.integers(-2, 2))
def test_substitution_is_evaluation_of_the_replaced_variable(
    case: Case, values: dict[str, int], shift: int
):
    moved = ix.add(ix.variable("j"), ix.constant(shift))
    replaced = cond.substitute(case.node, {"i": moved})
    assert cond.holds(replaced, values) == case.meaning({**values, "i": values["j"] + shift})


@pytest.mark.parametrize(("build", "mean"), COMPARISONS)
def test_a_comparison_of_constants_is_decided_at_once(
    build: Callable[..., Condition], mean: Callable[[int, int], bool]
):
    assert build(ix.constant(2), ix.constant(3)) == cond.Truth(mean(2, 3))


def test_not_of_less_is_one_comparison():
    i = ix.variable("i")
    assert cond.negate(cond.less(i, ix.constant(4))) == cond.less_equal(ix.constant(4), i)
