"""`batch_norm` and `batch_norm_training` against numpy in float64."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.kernels.arrays import FLOATS, draw, wide
from tests.kernels.bounds import U32, assert_within
from tilelang.kernels.batch_norm import (
    batch_norm,
    batch_norm_reference,
    batch_norm_training,
    batch_norm_training_reference,
)

Array = NDArray[np.float64]
SHAPES = [(1, 1, 1, 1), (2, 17, 5, 7), (67, 3, 2, 1), (3, 16, 30, 31), (2, 5, 1, 513)]
EPSILON = 1e-5


def spread(vector: Array) -> Array:
    return np.abs(vector)[:, None, None]


@pytest.mark.parametrize("parameters", ["float16", "float32"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_inference_is_within_the_bound_of_its_roundings(
    parameters: str, dtype: str, shape: tuple[int, ...]
):
    x = draw(shape, dtype, scale=3)
    gamma, beta, mean = (draw(shape[1:2], parameters, seed) for seed in (1, 2, 3))
    var = np.abs(draw(shape[1:2], parameters, seed=4))
    x64, g, b, m, v = wide(x, gamma, beta, mean, var)
    expected = batch_norm_reference(x64, g, b, m, v, epsilon_e9=10_000)
    # x - mean, var + epsilon and its rsqrt, times gamma, times x - mean: six roundings of a
    # product; and one of the last sum.
    product = np.abs(expected - b[:, None, None])
    error = 6 * U32 * product + U32 * (product + spread(b))
    assert_within(batch_norm(x, gamma, beta, mean, var), expected, error)


def errors_of(x: Array, gamma: Array, n_roundings: int) -> Mapping[str, Array]:
    """Return how far mean, variance and y may be in float32, each from the one before."""
    axes = (0, 2, 3)
    mean, var = n_roundings * U32 * np.abs(x).max(axis=axes), x.var(axis=axes)
    # Each deviation is off as the means are, so the variance by 2 E |d| + E^2 on average, and
    # |d| is sqrt(var) on average at most.
    var_error = 2 * np.sqrt(var) * mean + mean**2 + n_roundings * U32 * var
    scale = 1 / np.sqrt(var + EPSILON)
    scale_error = 1 / np.sqrt(np.maximum(var - var_error, 0) + EPSILON) - scale + 3 * U32 * scale
    centred = np.abs(x - x.mean(axis=axes)[:, None, None])
    centred_error = spread(mean) + U32 * centred
    y = (centred + centred_error) * (scale + scale_error)[:, None, None]
    y = spread(gamma) * (y - centred * scale[:, None, None])
    y += 4 * U32 * (spread(gamma) * centred * scale[:, None, None] + y)
    return {"mean": mean, "var": var_error, "y": y}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_training_is_within_the_bound_of_its_sums(dtype: str, shape: tuple[int, ...]):
    x = (draw(shape, "float32", scale=3) + 5).astype(draw((), dtype).dtype)
    gamma, beta = draw(shape[1:2], dtype, seed=1), draw(shape[1:2], dtype, seed=2)
    x64, g, b = wide(x, gamma, beta)
    y, mean, var = batch_norm_training(x, gamma, beta)
    expected = batch_norm_training_reference(x64, g, b, epsilon_e9=10_000)
    n_images, _, height, width = shape
    # The points of a tile are summed (p_tile = 512), tiles merged with five roundings each, images
    # summed; and a few divisions.
    n_roundings = min(height * width, 512) + 5 * (height * width // 512 + 1) + n_images + 8
    error = errors_of(x64, g, n_roundings)
    assert_within(mean, expected[1], error["mean"])
    assert_within(var, expected[2], error["var"])
    assert_within(y, expected[0], error["y"] + U32 * (np.abs(expected[0]) + spread(b)))


@pytest.mark.parametrize("p_tile", [16, 48])
def test_the_tiles_of_an_image_are_merged_like_one(p_tile: int):
    x = draw((2, 3, 5, 23), "float32") + np.float32(1000)
    vector = np.ones(3, np.float32)
    _, mean, var = batch_norm_training(x, vector, vector, p_tile=p_tile)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 2, 3), dtype=np.float64), rtol=50 * U32)
    np.testing.assert_allclose(var, x.var(axis=(0, 2, 3), dtype=np.float64), rtol=1e-4)


def test_no_images_give_no_result():
    vector = np.ones(3, np.float32)
    assert batch_norm(np.zeros((0, 3, 2, 2), np.float32), *[vector] * 4).shape == (0, 3, 2, 2)
