"""`gemm_bias_relu` against numpy in float64."""

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw, wide
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu

SIZES = [(1, 1, 1), (15, 17, 16), (17, 16, 129), (129, 127, 15), (5, 3, 0)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_floats_are_within_the_bound_of_a_sum(dtype: str, m: int, n: int, k: int):
    a, b, bias = draw((m, k), dtype), draw((k, n), dtype, seed=1), draw((n,), "float32", seed=2)
    checked(gemm_bias_relu, a, b, bias)


@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_integers_are_exact(m: int, n: int, k: int):
    a, b = draw((m, k), "int8"), draw((k, n), "int8", seed=1)
    bias = draw((n,), "int32", seed=2) // 4
    x, y, z = wide(a, b, bias)
    np.testing.assert_array_equal(gemm_bias_relu(a, b, bias), np.maximum(x @ y + z, 0))


def test_the_sum_of_integers_wraps_before_the_relu():
    a, b = np.ones((1, 1), np.int8), np.ones((1, 1), np.int8)
    bias = np.array([np.iinfo(np.int32).max], np.int32)
    assert gemm_bias_relu(a, b, bias) == 0


@pytest.mark.parametrize("m_tile", [16, 48, 144])
def test_a_tile_that_epilogue_chunks_do_not_divide_is_fine(m_tile: int):
    shapes = {"a": (150, 20), "b": (20, 9), "bias": (9,)}
    a, b, bias = (np.round(draw(shape, "float32", scale=4)) for shape in shapes.values())
    expected = gemm_bias_relu(a, b, bias)
    np.testing.assert_array_equal(gemm_bias_relu(a, b, bias, m_tile=m_tile), expected)
