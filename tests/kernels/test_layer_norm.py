"""`layer_norm` on short and long rows, against its reference."""

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw
from tilelang.kernels.layer_norm import layer_norm

SIZES = [(1, 1), (1, 15), (17, 16), (5, 17), (3, 2047), (2, 2049), (9, 4099)]


@pytest.mark.parametrize("mean", [0, 100])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n"), SIZES)
def test_every_row_is_within_the_bound(mean: float, dtype: str, m: int, n: int):
    x = (draw((m, n), "float32", scale=3) + mean).astype(draw((), dtype).dtype)
    gamma, beta = draw((n,), dtype, seed=1), draw((n,), dtype, seed=2)
    checked(layer_norm, x, gamma, beta)


def test_the_variance_survives_a_mean_that_is_ten_thousand_times_larger():
    x = (1e4 + np.tile([-1, 1], (2, 50))).astype(np.float32)
    one, zero = np.ones(100, np.float32), np.zeros(100, np.float32)
    for n_tile in (16, 128):
        found = layer_norm(x, one, zero, n_tile=n_tile, epsilon=0)
        np.testing.assert_array_equal(found, np.tile([-1, 1], (2, 50)))


def test_epsilon_is_added_to_the_variance():
    x = np.array([[-1, 1]], np.float32)
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    found = layer_norm(x, one, zero, epsilon=3)
    np.testing.assert_array_equal(found, [[-0.5, 0.5]])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_gives_nothing(shape: tuple[int, int]):
    vector = np.zeros(shape[1], np.float32)
    assert layer_norm(np.zeros(shape, np.float32), vector, vector).shape == shape
