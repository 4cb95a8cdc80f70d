"""Simplification keeps values, over the whole range of the variables."""

import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tilelang.backends.llvm.simplify import simplify, simplify_condition
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index

SIZES = {"i": 5, "j": 16, "k": 3}
RANGES = {name: (0, size - 1) for name, size in SIZES.items()}
POINTS = [
    dict(zip(SIZES, point, strict=True)) for point in itertools.product(*map(range, SIZES.values()))
]


Compare = Callable[[Index, Index], Condition]


def indices() -> st.SearchStrategy[Index]:
    leaves = st.one_of(
        st.sampled_from([ix.variable(name) for name in SIZES]),
        st.builds(ix.constant, st.integers(-20, 20)),
    )
    divisors = st.sampled_from([2, 3, 8, 16, 48])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(ix.add, inner, inner),
            st.builds(ix.scale, inner, st.sampled_from([-3, 2, 8, 16])),
            st.builds(ix.floor_div, inner, divisors),
            st.builds(ix.modulo, inner, divisors),
            st.builds(ix.minimum, inner, inner),
            st.builds(ix.maximum, inner, inner),
        ),
        max_leaves=8,
    )


@given(indices())
def test_an_index_keeps_its_value(index: Index):
    short = simplify(index, RANGES)
    for point in POINTS[::7]:
        assert ix.evaluate(short, point) == ix.evaluate(index, point)


@given(indices(), st.sampled_from([cond.less, cond.equal, cond.not_equal]), indices())
def test_a_condition_keeps_its_value(left: Index, compare: Compare, right: Index):
    condition = compare(left, right)
    for whole in (condition, cond.negate(condition), cond.conjunction(condition, cond.TRUE)):
        short = simplify_condition(whole, RANGES)
        for point in POINTS[::7]:
            assert cond.holds(short, point) == cond.holds(whole, point)


def test_a_block_index_loses_its_division():
    i, j = ix.variable("i"), ix.variable("j")
    inside = ix.add(ix.scale(i, 16), j)
    assert simplify(ix.floor_div(inside, 16), RANGES) == i
    assert simplify(ix.modulo(inside, 16), RANGES) == j
    assert simplify(ix.floor_div(inside, 48), RANGES) == ix.floor_div(i, 3)


def test_a_merged_axis_loses_its_division():
    place = ix.add(ix.scale(ix.variable("i"), 50), ix.variable("j"))
    rows, rest = ix.floor_div(place, 7), ix.modulo(place, 7)
    assert simplify(ix.add(ix.scale(rows, 14), ix.scale(rest, 2)), RANGES) == ix.scale(place, 2)
    apart = ix.add(ix.scale(rows, 8), rest)  # rows of 7 elements, 8 apart
    assert simplify(apart, RANGES) == apart
