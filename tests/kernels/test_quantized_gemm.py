"""`quantized_gemm` against exact integers."""

from fractions import Fraction

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import AWKWARD, draw, wide
from tilelang.dtypes import DType
from tilelang.kernels.quantized_gemm import quantized_gemm, quantized_gemm_reference

ZEROS = [(0, 0), (3, 0), (0, -7), (-128, 127)]


@pytest.mark.parametrize(("a_zero", "b_zero"), ZEROS)
@pytest.mark.parametrize("n", AWKWARD)
def test_int8_results_are_the_definition(n: int, a_zero: int, b_zero: int):
    m, k = 17, n + 3
    a, b = draw((m, k), "int8"), draw((n, k), "int8", seed=1)
    scale = np.abs(draw((n,), "float32", seed=2, scale=1e-3))
    offset = draw((n,), "int8", seed=3)
    found = quantized_gemm(a, b, scale, offset, a_zero=a_zero, b_zero=b_zero)
    values = wide(a, b, scale, offset)
    expected = quantized_gemm_reference(*values, a_zero=a_zero, b_zero=b_zero)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > min(n, 10)  # not saturated everywhere


@pytest.mark.parametrize(("a_zero", "b_zero"), ZEROS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_float_results_are_rounded_a_few_times(dtype: str, a_zero: int, b_zero: int):
    a, b = draw((31, 33), "int8"), draw((15, 33), "int8", seed=1)
    scale = draw((15,), "float32", seed=2, scale=1e-3)
    offset = draw((15,), dtype, seed=3)
    found = checked(quantized_gemm, a, b, scale, offset, a_zero=a_zero, b_zero=b_zero)
    assert found.dtype == DType(dtype).numpy


def test_ties_go_to_even_before_the_zero_point_is_added():
    a, b = np.array([[1], [3], [5], [-1], [-3]], np.int8), np.ones((1, 1), np.int8)
    half, one = np.array([0.5], np.float32), np.ones(1, np.int8)
    exact = [round(Fraction(int(v), 2)) + 1 for v in a[:, 0]]  # Python rounds ties to even
    assert quantized_gemm(a, b, half, one)[:, 0].tolist() == exact


@pytest.mark.parametrize("sign", [1, -1])
def test_results_saturate(sign: int):
    a, b = np.full((1, 9), 127, np.int8), np.full((1, 9), sign * 127, np.int8)
    found = quantized_gemm(a, b, np.full(1, 1e6, np.float32), np.full(1, sign * 100, np.int8))
    assert found == (127 if sign > 0 else -128)


def test_a_sum_of_nothing_is_the_offset():
    nothing, offset = np.zeros((3, 0), np.int8), np.array([5, -5, 0], np.int8)
    found = quantized_gemm(nothing, nothing, np.ones(3, np.float32), offset, a_zero=1, b_zero=1)
    np.testing.assert_array_equal(found, np.tile(offset, (3, 1)))
