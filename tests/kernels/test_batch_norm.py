"""`batch_norm` and `batch_norm_training` against their references."""

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw
from tilelang.kernels.batch_norm import batch_norm, batch_norm_training

SHAPES = [(1, 1, 1, 1), (2, 17, 5, 7), (67, 3, 2, 1), (3, 16, 30, 31), (2, 5, 1, 513)]


@pytest.mark.parametrize("parameters", ["float16", "float32"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_inference_is_within_the_bound_of_its_roundings(
    parameters: str, dtype: str, shape: tuple[int, ...]
):
    x = draw(shape, dtype, scale=3)
    gamma, beta, mean = (draw(shape[1:2], parameters, seed) for seed in (1, 2, 3))
    var = np.abs(draw(shape[1:2], parameters, seed=4))
    checked(batch_norm, x, gamma, beta, mean, var)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_training_is_within_the_bound_of_its_sums(dtype: str, shape: tuple[int, ...]):
    x = (draw(shape, "float32", scale=3) + 5).astype(draw((), dtype).dtype)
    gamma, beta = draw(shape[1:2], dtype, seed=1), draw(shape[1:2], dtype, seed=2)
    checked(batch_norm_training, x, gamma, beta)


@pytest.mark.parametrize("p_tile", [16, 48])
def test_the_tiles_of_an_image_are_merged_like_one(p_tile: int):
    x = draw((2, 3, 5, 23), "float32") + np.float32(1000)
    vector = np.ones(3, np.float32)
    checked(batch_norm_training, x, vector, vector, p_tile=p_tile)


def test_no_images_give_no_result():
    vector = np.ones(3, np.float32)
    assert batch_norm(np.zeros((0, 3, 2, 2), np.float32), *[vector] * 4).shape == (0, 3, 2, 2)
