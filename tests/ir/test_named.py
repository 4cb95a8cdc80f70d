"""Integers that remember what they are called: values as ever, text that reads well."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.ir.named import Called, NamedInt, as_int, called, names_of, part_text

OPERATORS = ("+", "-", "*", "//")


def text(number: int) -> str:
    """Return the expression behind a number, its digits if there is none."""
    return part_text(number.part, _name) if isinstance(number, NamedInt) else str(number)


def _name(leaf: Called) -> str:
    return leaf.name


def apply(op: str, left: int, right: int) -> int:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left // right if right else left


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.tuples(st.sampled_from(OPERATORS), st.integers(0, 40), st.integers(0, 3))),
)
def test_text_comes_to_the_value_that_plain_numbers_give(
    a: int, b: int, steps: list[tuple[str, int, int]]
):
    plain, named = a, called(a, "A")
    for op, number, what in steps:
        other, other_named = (number, number) if what else (b, called(b, "B"))
        if what == 1:
            plain, named = apply(op, other, plain), apply(op, other, named)
        elif what == 2:
            plain, named = -plain, -named
        else:
            plain, named = apply(op, plain, other), apply(op, named, other_named)
        assert named == plain
        assert eval(text(named), {"A": a, "B": b}) == plain


K, TILE, M = called(256, "K"), called(64, "TILE"), called(20, "M")


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (-(-K // TILE), "K // TILE"),
        (-(-M // 16), "-(-M // 16)"),
        (K // TILE * TILE, "K"),
        (M // 16 * 16, "M // 16 * 16"),
        (TILE // 16 * 16 * 4, "TILE * 4"),
        (TILE * 2 // 32, "TILE // 16"),
        (K // 2 // 8, "K // 16"),
        ((K - TILE) // 16, "(K - TILE) // 16"),
        (0 + 1 * K - 0, "K"),
        (K - K, "0"),
        (-K, "-K"),
        (0 - -K, "K"),
        (3 - -K, "3 + K"),
        (3 * -K, "(-K) * 3"),
        (K * M * TILE * K * M, str(256 * 20 * 64 * 256 * 20)),
    ],
)
def test_expressions_are_as_short_as_a_person_writes_them(number: int, wanted: str):
    assert text(number) == wanted


def test_a_named_number_is_the_number():
    assert K == 256
    assert hash(K) == hash(256)
    assert {256: "found"}[K] == "found"
    assert f"{K} {K!r} {K:>4}" == "256 256  256"
    assert type(K % 3) is type(K & 3) is int


def test_what_is_no_int_computes_itself():
    assert K * 0.5 == 128.0
    np.testing.assert_array_equal(K * np.arange(2) + K, [256, 512])
    with pytest.raises(TypeError):
        K + "1"  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]


def test_names_survive_copies_and_conversion():
    for again in (copy.deepcopy(K), pickle.loads(pickle.dumps(K)), as_int(K)):
        assert isinstance(again, NamedInt)
        assert list(names_of(again.part)) == [Called("K", 256)]
    assert type(as_int(np.int64(3))) is int
