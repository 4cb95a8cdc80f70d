"""The grid of a sweep, and the numbers in it."""

import pytest

from tilelang.sweep.heat_map import heat_map, number_text, unit_of
from tilelang.sweep.plan import Metric
from tilelang.sweep.trial import Status, Trial


def trial(n: int, k: int, m: int, value: float | None) -> Trial:
    tiles = {"m_tile": m, "n_tile": n, "k_tile": k}
    if value is None:
        return Trial(tiles, Status.ILLEGAL, code="E0350")
    return Trial(tiles, Status.RANKED, value)


def test_the_two_parameters_with_the_most_values_are_the_axes_and_cells_are_the_best():
    trials = [trial(n, k, m, n * k * m) for n in (16, 32, 48) for k in (1, 2, 3) for m in (5, 7)]
    grid = heat_map(trials, trials[0])
    assert grid is not None
    assert (grid.y, grid.x, grid.others) == ("n_tile", "k_tile", ("m_tile",))
    assert [[cell.value for cell in row] for row in grid.cells] == [
        [80, 160, 240],
        [160, 320, 480],
        [240, 480, 720],
    ]
    assert [cell.is_winner for row in grid.cells for cell in row] == [True] + 8 * [False]


def test_a_cell_is_illegal_only_if_everything_there_is():
    trials = [trial(16, 1, 5, None), trial(16, 1, 7, 3), trial(32, 1, 5, None)]
    trials += [trial(32, 1, 7, None), trial(16, 2, 5, 4), trial(32, 2, 7, 5)]
    trials += [trial(48, 2, 7, 5), trial(16, 3, 7, 5)]
    grid = heat_map(trials, trials[1])
    assert grid is not None
    assert (grid.y, grid.x, grid.ys, grid.xs) == ("n_tile", "k_tile", (16, 32, 48), (1, 2, 3))
    assert [[cell.value for cell in row] for row in grid.cells] == [
        [3, 4, 5],
        [None, 5, None],
        [None, 5, None],
    ]
    assert [cell.code for cell in grid.cells[1]] == ["E0350", None, None]
    assert [cell.status for cell in grid.cells[1]] == [Status.ILLEGAL, Status.RANKED, None]


def test_what_was_not_tried_is_empty():
    grid = heat_map([trial(16, 1, 5, 1.0), trial(32, 2, 5, 2.0)], None)
    assert grid is not None
    (_, empty), _ = grid.cells
    assert (empty.value, empty.status) == (None, None)


def test_one_parameter_makes_one_row():
    trials = [Trial({"tile": n}, Status.RANKED, float(n)) for n in (17, 16)]
    grid = heat_map(trials, trials[1])
    assert grid is not None
    assert (grid.y, grid.x, grid.xs) == (None, "tile", (16, 17))
    assert [cell.is_winner for cell in grid.cells[0]] == [True, False]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"),
        (46.0, "46.0"),
        (1.234, "1.23"),
        (99.96, "100"),
        (999.4, "999"),
        (999.6, "1,000"),
        (12345, "12,345"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str):
    assert number_text(value) == text


def test_the_unit_makes_the_least_value_one_or_more():
    assert unit_of(Metric.TIME, [2.0, 3e-3]) == (1e-3, "ms")
    assert unit_of(Metric.TIME, [3e-7]) == (1e-6, "us")
    assert unit_of(Metric.TIME, [2.0]) == (1.0, "s")
    assert unit_of(Metric.CYCLES, [3.0]) == (1.0, "cycles")
    assert unit_of(Metric.CYCLES, [2e6, 1e5]) == (1e3, "thousand cycles")
