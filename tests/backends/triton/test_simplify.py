"""Shorter indices and conditions, and their text, have the values that they had."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tilelang.backends.triton.index_text import IndexText
from tilelang.backends.triton.simplify import simplify_condition, simplify_index
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition, Relation
from tilelang.ir.index import Index

LIMITS = {"i": (0, 6), "j": (-5, 3), "k": (2, 2), "@0": (0, 15)}
NAMES = {"i": "i", "j": "j", "k": "k", "@0": "lane"}

indices = st.recursive(
    st.one_of(
        st.integers(-40, 40).map(ix.constant), st.sampled_from(list(LIMITS)).map(ix.variable)
    ),
    lambda inner: st.one_of(
        st.builds(ix.add, inner, inner),
        st.builds(ix.scale, inner, st.integers(-4, 16)),
        st.builds(ix.floor_div, inner, st.sampled_from([1, 2, 3, 8, 16])),
        st.builds(ix.modulo, inner, st.sampled_from([1, 2, 3, 8, 16])),
        st.builds(ix.minimum, inner, inner),
        st.builds(ix.maximum, inner, inner),
    ),
    max_leaves=8,
)
conditions = st.recursive(
    st.builds(cond.compare, st.sampled_from(Relation), indices),
    lambda inner: st.one_of(
        st.builds(cond.conjunction, inner, inner),
        st.builds(cond.disjunction, inner, inner),
        st.builds(cond.negate, inner),
    ),
    max_leaves=4,
)
points = st.fixed_dictionaries({name: st.integers(*ends) for name, ends in LIMITS.items()})


class Int32(int):
    """An integer that divides as C does, so a negative one must not be divided."""

    def __floordiv__(self, other: int) -> "Int32":
        assert self >= 0
        return Int32(int(self) // int(other))

    def __mod__(self, other: int) -> "Int32":
        assert self >= 0
        return Int32(int(self) % int(other))

    def __add__(self, other: int) -> "Int32":
        return Int32(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> "Int32":
        return Int32(int(self) - int(other))

    def __mul__(self, other: int) -> "Int32":
        return Int32(int(self) * int(other))

    def __neg__(self) -> "Int32":
        return Int32(-int(self))


class Triton:
    """What generated indices call."""

    @staticmethod
    def minimum(x: int, y: int) -> Int32:
        return Int32(min(x, y))

    @staticmethod
    def maximum(x: int, y: int) -> Int32:
        return Int32(max(x, y))


def run(text: str, point: dict[str, int]) -> Any:
    names = {NAMES[name]: Int32(value) for name, value in point.items()}
    return eval(text, {"tl": Triton, **names})


@given(indices, points)
def test_a_shorter_index_has_the_same_value(index: Index, point: dict[str, int]):
    assert ix.evaluate(simplify_index(index, LIMITS), point) == ix.evaluate(index, point)


@given(conditions, points)
def test_a_shorter_condition_holds_where_it_did(condition: Condition, point: dict[str, int]):
    shorter = simplify_condition(condition, LIMITS)
    assert cond.holds(shorter, point) == cond.holds(condition, point)


@given(indices, points)
def test_the_text_of_an_index_has_its_value(index: Index, point: dict[str, int]):
    shorter = simplify_index(index, LIMITS)
    text = IndexText(NAMES, LIMITS)
    assert run(text.index(shorter), point) == ix.evaluate(index, point)
    assert run(f"3 - {text.factor(shorter)}", point) == 3 - ix.evaluate(index, point)


@given(conditions, points)
def test_the_text_of_a_condition_holds_where_it_does(condition: Condition, point: dict[str, int]):
    shorter = simplify_condition(condition, LIMITS)
    if not isinstance(shorter, cond.Truth):
        found = run(IndexText(NAMES, LIMITS).condition(shorter), point)
        assert bool(found) == cond.holds(condition, point)


@given(indices, indices, points)
def test_an_index_with_a_name_is_written_by_it(index: Index, known: Index, point: dict[str, int]):
    text = IndexText({**NAMES, "known": "known"}, LIMITS, {known: "known"})
    names = {NAMES[name]: Int32(value) for name, value in point.items()}
    names["known"] = Int32(ix.evaluate(known, point))
    relation = cond.less(index, ix.constant(4))
    if not isinstance(relation, cond.Truth):
        found = eval(text.condition(relation), {"tl": Triton, **names})
        assert bool(found) == (ix.evaluate(index, point) < 4)


def test_digits_of_a_number_become_the_number():
    x = ix.variable("i")
    digits = ix.add(ix.scale(ix.floor_div(x, 4), 64), ix.scale(ix.modulo(x, 4), 16))
    assert simplify_index(digits, LIMITS) == ix.scale(x, 16)


def test_what_the_ranges_decide_is_decided():
    assert simplify_index(ix.floor_div(ix.variable("i"), 8), LIMITS) == ix.ZERO
    assert simplify_index(ix.modulo(ix.variable("i"), 8), LIMITS) == ix.variable("i")
    assert simplify_condition(cond.less(ix.variable("i"), ix.constant(7)), LIMITS) == cond.TRUE
    assert simplify_index(ix.minimum(ix.variable("i"), ix.constant(6)), LIMITS) == ix.variable("i")
