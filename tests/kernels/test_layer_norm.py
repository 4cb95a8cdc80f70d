"""`layer_norm` on short and long rows, against numpy in float64."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.kernels.arrays import FLOATS, draw, wide
from tests.kernels.bounds import U32, assert_within, sum_error
from tilelang.kernels.layer_norm import layer_norm, layer_norm_reference

Array = NDArray[np.float64]
SIZES = [(1, 1), (1, 15), (17, 16), (5, 17), (3, 2047), (2, 2049), (9, 4099)]
EPSILON = 1e-5


def error_of(x: Array, gamma: Array, beta: Array) -> Array:
    """Return how far float32 may be, step by step; `rsqrt` by its values at both ends."""
    n = x.shape[1]
    mean_error = sum_error(np.mean(np.abs(x), axis=1, keepdims=True), n + 1)
    centred = np.abs(x - x.mean(axis=1, keepdims=True))
    centred_error = mean_error + U32 * centred
    variance = np.mean(centred**2, axis=1, keepdims=True)
    squares_error = np.mean(2 * centred * centred_error + centred_error**2, axis=1, keepdims=True)
    variance_error = squares_error + sum_error(variance + squares_error, n + 3)
    scale = 1 / np.sqrt(variance + EPSILON)
    low = np.maximum(variance - variance_error, 0)
    scale_error = 1 / np.sqrt(low + EPSILON) - scale + 3 * U32 * scale
    product_error = (centred + centred_error) * (scale + scale_error) - centred * scale
    y_error = np.abs(gamma) * product_error
    return y_error + 4 * U32 * (np.abs(gamma) * centred * scale + np.abs(beta) + y_error)


@pytest.mark.parametrize("mean", [0, 100])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n"), SIZES)
def test_every_row_is_within_the_bound(mean: float, dtype: str, m: int, n: int):
    x = (draw((m, n), "float32", scale=3) + mean).astype(draw((), dtype).dtype)
    gamma, beta = draw((n,), dtype, seed=1), draw((n,), dtype, seed=2)
    values = wide(x, gamma, beta)
    found = layer_norm(x, gamma, beta)
    assert_within(found, layer_norm_reference(*values, epsilon_e9=10_000), error_of(*values))


def test_the_variance_survives_a_mean_that_is_ten_thousand_times_larger():
    x = (1e4 + np.tile([-1, 1], (2, 50))).astype(np.float32)
    one, zero = np.ones(100, np.float32), np.zeros(100, np.float32)
    for n_tile in (16, 128):
        found = layer_norm(x, one, zero, n_tile=n_tile, epsilon_e9=0)
        np.testing.assert_allclose(found, np.tile([-1, 1], (2, 50)), rtol=1e-6)


def test_epsilon_is_in_units_of_a_billionth():
    x = np.array([[-1, 1]], np.float32)
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    np.testing.assert_allclose(
        layer_norm(x, one, zero, epsilon_e9=3 * 10**9), [[-0.5, 0.5]], rtol=1e-6
    )


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_gives_nothing(shape: tuple[int, int]):
    vector = np.zeros(shape[1], np.float32)
    assert layer_norm(np.zeros(shape, np.float32), vector, vector).shape == shape
