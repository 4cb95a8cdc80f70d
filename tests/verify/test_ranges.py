"""What is known of loop variables, against trying every value."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.verify.ranges import MAX_POINTS, Counterexample, Ranges

i, j, k = (ix.variable(name) for name in "ijk")
BOX = Ranges({"i": (0, 4), "j": (-2, 3)})


def number(value: int) -> Index:
    return ix.constant(value)


def test_an_affine_index_is_bounded_exactly():
    assert BOX.bounds(ix.add(ix.scale(i, 16), ix.scale(j, -3), number(1))) == (-8, 71)


def test_a_loop_gives_its_variable_a_range():
    ranges = Ranges({}).with_loop("k", number(7))
    assert ranges.limits == {"k": (0, 6)}
    assert ranges.reachable


@pytest.mark.parametrize("extent", [0, -1])
def test_a_loop_without_iterations_is_never_entered(extent: int):
    assert not Ranges({}).with_loop("k", number(extent)).reachable


def test_a_loop_as_long_as_an_outer_variable_stays_below_it():
    ranges = BOX.with_loop("k", i)
    assert ranges.limits["k"] == (0, 3)
    assert ranges.limits["i"] == (1, 4)  # with i = 0 nothing runs
    assert ranges.outside(ix.subtract(i, k), 1, 4) is None
    assert ranges.outside(ix.subtract(i, k), 2, 4) == Counterexample({"i": 1, "k": 0}, 1)


def test_a_condition_narrows_the_variable_it_is_about():
    assert BOX.assuming(cond.less(number(0), i)).limits["i"] == (1, 4)
    assert BOX.assuming(cond.less(ix.scale(i, 3), number(8))).limits["i"] == (0, 2)
    assert BOX.assuming(cond.less_equal(number(-5), ix.scale(i, -2))).limits["i"] == (0, 2)
    assert BOX.assuming(cond.equal(i, number(3))).limits["i"] == (3, 3)
    assert BOX.assuming(cond.not_equal(i, number(0))).limits["i"] == (1, 4)
    assert BOX.assuming(cond.not_equal(i, number(4))).limits["i"] == (0, 3)
    assert BOX.assuming(cond.not_equal(i, number(2))).limits["i"] == (0, 4)


def test_a_condition_that_never_holds_makes_its_body_unreachable():
    assert not BOX.assuming(cond.less(i, number(0))).reachable
    assert not BOX.assuming(cond.equal(ix.scale(i, 2), number(3))).reachable
    never = cond.conjunction(cond.less(i, number(2)), cond.less(number(2), i))
    assert not BOX.assuming(never).reachable


def test_the_hole_in_the_middle_of_a_range_is_seen_by_trying():
    ranges = BOX.assuming(cond.not_equal(i, number(2)))
    twice = ix.scale(ix.subtract(i, number(2)), 2)
    assert not ranges.meets(twice, 0, 1)
    assert BOX.meets(twice, 0, 1)


def test_two_slots_that_alternate_never_meet():
    slot, other = ix.modulo(i, 2), ix.modulo(ix.add(i, number(1)), 2)
    assert not BOX.meets(ix.subtract(slot, other), 0, 0)


def test_alignment_is_read_off_the_coefficients_or_tried():
    many = Ranges({"i": (0, MAX_POINTS)})
    assert many.no_multiple(ix.add(ix.scale(i, 32), number(16)), 16) is None
    assert BOX.no_multiple(ix.scale(i, 8), 16) == Counterexample({"i": 1}, 8)
    every_second = ix.scale(ix.floor_div(ix.scale(i, 2), 4), 8)
    assert BOX.no_multiple(every_second, 16) == Counterexample({"i": 2}, 8)
    assert Ranges({"i": (0, 1)}).no_multiple(every_second, 16) is None


def test_too_many_values_leave_the_question_open():
    many = Ranges({"i": (0, MAX_POINTS)})
    assert many.outside(ix.modulo(i, 5), 0, 3) == Counterexample()


def test_an_unknown_variable_is_left_to_the_rule_of_scopes():
    assert Ranges({}).assuming(cond.less(i, number(1))) == Ranges({})
    assert Ranges({}).with_loop("k", i).limits == {"k": (0, 0)}


numbers = st.integers(-4, 4).map(number)
variables = st.sampled_from([i, j, k])
indices = st.recursive(
    numbers | variables,
    lambda inner: st.one_of(
        st.builds(ix.add, inner, inner),
        st.builds(ix.scale, inner, st.integers(-3, 3)),
        st.builds(ix.floor_div, inner, st.integers(1, 4)),
        st.builds(ix.modulo, inner, st.integers(1, 4)),
        st.builds(ix.minimum, inner, inner),
        st.builds(ix.maximum, inner, inner),
    ),
    max_leaves=5,
)
comparisons = st.one_of(
    st.builds(cond.less, indices, indices),
    st.builds(cond.less_equal, indices, indices),
    st.builds(cond.equal, indices, indices),
    st.builds(cond.not_equal, indices, indices),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(cond.conjunction, inner, inner),
        st.builds(cond.disjunction, inner, inner),
        st.builds(cond.negate, inner),
    ),
    max_leaves=3,
)


@settings(max_examples=300, deadline=None)
@given(extent=indices, condition=conditions, index=indices, low=st.integers(-9, 3))
def test_ranges_agree_with_running_the_loops(
    extent: Index, condition: Condition, index: Index, low: int
):
    extent = ix.substitute(extent, {"k": i})
    ranges = Ranges({"i": (0, 4), "j": (-2, 3)}).with_loop("k", extent).assuming(condition)
    values = [
        ix.evaluate(index, names)
        for one, other in product(range(5), range(-2, 4))
        for third in range(ix.evaluate(extent, {"i": one, "j": other}))
        if cond.holds(condition, names := {"i": one, "j": other, "k": third})
    ]
    assert ranges.reachable or not values
    found = ranges.outside(index, low, low + 5) if values else None
    if found is None:
        assert all(low <= value <= low + 5 for value in values)
    else:
        assert found.index in values
        assert found.index is not None
        assert not low <= found.index <= low + 5
