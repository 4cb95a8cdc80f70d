from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tilelang.ir import index as ix
from tilelang.ir.index import Index

NAMES = ("i", "j", "k")
VALUES = st.fixed_dictionaries({name: st.integers(-7, 7) for name in NAMES})


@dataclass
class Case:
    """An index, and the same arithmetic on Python ints."""

    node: Index
    meaning: Callable[[dict[str, int]], int]


def leaf() -> st.SearchStrategy[Case]:
    return st.one_of(
        st.integers(-20, 20).map(lambda c: Case(ix.constant(c), lambda _: c)),
        st.sampled_from(NAMES).map(lambda n: Case(ix.variable(n), lambda v: v[n])),
    )


def combined(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    pairs, divisors = st.tuples(inner, inner), st.tuples(inner, st.integers(1, 9))

    def binary(make: Callable[..., Index], mean: Callable[[int, int], int]):
        return pairs.map(
            lambda p: Case(
                make(p[0].node, p[1].node), lambda v: mean(p[0].meaning(v), p[1].meaning(v))
            )
        )

    def constant(make: Callable[[Index, int], Index], mean: Callable[[int, int], int]):
        return divisors.map(
            lambda p: Case(make(p[0].node, p[1]), lambda v: mean(p[0].meaning(v), p[1]))
        )

    return st.one_of(
        binary(ix.add, lambda a, b: a + b),
        binary(ix.subtract, lambda a, b: a - b),
        binary(ix.minimum, min),
        binary(ix.maximum, max),
        constant(ix.scale, lambda a, c: a * c),
        constant(lambda a, c: ix.scale(a, -c), lambda a, c: -a * c),
        constant(ix.floor_div, lambda a, c: a // c),
        constant(ix.modulo, lambda a, c: a % c),
    )


CASES = st.recursive(leaf(), combined, max_leaves=12)


@given(CASES, VALUES)
def test_an_index_evaluates_as_the_same_arithmetic_on_ints(case: Case, values: dict[str, int]):
    assert ix.evaluate(case.node, values) == case.meaning(values)


@given(CASES, st.lists(VALUES, min_size=1, max_size=4))
def test_evaluation_on_arrays_is_evaluation_of_each_element(
    case: Case, points: list[dict[str, int]]
):
    arrays = {name: np.array([point[name] for point in points]) for name in NAMES}
    found = np.broadcast_to(ix.evaluate(case.node, arrays), len(points))
    assert found.tolist() == [case.meaning(point) for point in points]


@given(CASES, VALUES)
def test_values_lie_within_the_bounds(case: Case, values: dict[str, int]):
    low, high = ix.bounds(case.node, dict.fromkeys(NAMES, (-7, 7)))
    assert low <= case.meaning(values) <= high


@given(CASES, VALUES)
def test_the_known_divisor_divides_every_value(case: Case, values: dict[str, int]):
    divisor = ix.known_divisor(case.node)
    value = case.meaning(values)
    assert value == 0 if divisor == 0 else value % divisor == 0


@given(CASES, CASES, VALUES)
def test_substitution_is_evaluation_of_the_replaced_variable(
    case: Case, other: Case, values: dict[str, int]
):
    replaced = ix.substitute(case.node, {"i": other.node})
    assert ix.evaluate(replaced, values) == case.meaning({**values, "i": other.meaning(values)})


def test_bounds_of_a_sum_of_distinct_variables_are_exact():
    index = ix.add(ix.scale(ix.variable("i"), 64), ix.scale(ix.variable("j"), -3), ix.constant(5))
    assert ix.bounds(index, {"i": (0, 7), "j": (0, 2)}) == (-1, 453)


@given(CASES, VALUES, st.sets(st.sampled_from(NAMES)))
def test_settling_keeps_the_value_while_variables_stay_in_their_ranges(
    case: Case, values: dict[str, int], settled: set[str]
):
    ranges = {name: (v, v) if name in settled else (-7, 7) for name, v in values.items()}
    found = ix.settle(case.node, ranges)
    assert ix.evaluate(found, values) == case.meaning(values)
    assert not settled & set(ix.free_variables(found))


def test_a_division_with_one_result_is_settled():
    j = ix.variable("j")
    start = ix.add(ix.scale(ix.floor_div(j, 3), 40), ix.scale(ix.modulo(j, 3), 16))
    assert ix.settle(start, {"j": (0, 2)}) == ix.scale(ix.modulo(j, 3), 16)
    assert ix.settle(start, {"j": (0, 3)}) == start


@given(CASES, st.integers(1, 9), VALUES)
def test_a_split_index_is_the_sum_of_its_parts(case: Case, divisor: int, values: dict[str, int]):
    whole, rest = ix.split(case.node, divisor)
    found = divisor * ix.evaluate(whole, values) + ix.evaluate(rest, values)
    assert found == case.meaning(values)


def test_two_ways_to_write_one_sum_are_one_node():
    i, j = ix.variable("i"), ix.variable("j")
    assert ix.add(i, ix.scale(j, 2), i) == ix.add(ix.scale(ix.add(i, j), 2))


def test_what_the_divisor_divides_leaves_the_division():
    i = ix.variable("i")
    tile = ix.add(ix.scale(i, 16), ix.constant(19))
    assert ix.floor_div(tile, 8) == ix.add(ix.scale(i, 2), ix.constant(2))
    assert ix.modulo(tile, 8) == ix.constant(3)


def test_alignment_is_read_off_the_coefficients():
    tile = ix.add(ix.scale(ix.variable("i"), 64), ix.constant(48))
    assert ix.known_divisor(tile) == 16
