"""Rank correlation against values computed by hand."""

import pytest

from tilelang.sweep.ranks import spearman


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ([1, 2, 3, 4], [10, 200, 3000, 40000], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),  # 1 - 6 * 4 / (5 * 24)
        ([1, 1, 2], [1, 2, 3], 0.8660254),  # ranks 1.5 1.5 3 against 1 2 3
        ([5, 7, 7, 9], [1, 2, 3, 4], 0.9486833),  # ranks 1 2.5 2.5 4: 4.5 / sqrt(4.5 * 5)
    ],
)
def test_the_coefficient_is_that_of_the_ranks(one: list[float], other: list[float], wanted: float):
    assert spearman(one, other) == pytest.approx(wanted)


@pytest.mark.parametrize("pairs", [([], []), ([1, 2], [1, 2]), ([1, 2, 3], [5, 5, 5])])
def test_too_few_or_all_equal_values_have_no_coefficient(pairs: tuple[list[float], list[float]]):
    assert spearman(*pairs) is None
