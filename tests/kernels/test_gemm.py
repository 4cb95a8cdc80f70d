"""`gemm` and `split_k_gemm`: products of all sizes, against numpy in float64."""

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw, wide
from tilelang.kernel import Kernel
from tilelang.kernels.gemm import gemm
from tilelang.kernels.split_k_gemm import split_k_gemm

BOTH = pytest.mark.parametrize("kernel", [gemm, split_k_gemm], ids=["gemm", "split_k_gemm"])
SIZES = [(1, 1, 1), (15, 17, 16), (16, 16, 16), (17, 15, 129), (129, 127, 31), (3, 5, 641)]


@BOTH
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_float_products_are_within_the_bound_of_a_sum(
    kernel: Kernel, dtype: str, m: int, n: int, k: int
):
    checked(kernel, draw((m, k), dtype), draw((k, n), dtype, seed=1))


@BOTH
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_int8_products_are_exact(kernel: Kernel, m: int, n: int, k: int):
    a, b = draw((m, k), "int8"), draw((k, n), "int8", seed=1)
    x, y = wide(a, b)
    np.testing.assert_array_equal(kernel(a, b), x @ y)


@BOTH
def test_a_sum_of_nothing_is_zero(kernel: Kernel):
    found = kernel(np.zeros((17, 0), np.float16), np.zeros((0, 5), np.float16))
    np.testing.assert_array_equal(found, np.zeros((17, 5), np.float32))


@BOTH
@pytest.mark.parametrize(("m", "n"), [(0, 5), (5, 0)])
def test_a_product_without_elements_is_empty(kernel: Kernel, m: int, n: int):
    assert kernel(np.zeros((m, 3), np.float16), np.zeros((3, n), np.float16)).shape == (m, n)


@pytest.mark.parametrize("splits", [1, 2, 3, 7])
def test_the_number_of_splits_does_not_matter_to_exact_sums(splits: int):
    a, b = (np.round(draw((33, 200), "float16", seed)) for seed in (0, 1))
    found = split_k_gemm(a, b.T, splits=splits, k_tile=16)
    np.testing.assert_array_equal(found, wide(a)[0] @ wide(b)[0].T)


def test_split_k_uses_the_cores_that_few_tiles_leave_idle():
    program = split_k_gemm.program(M=16, N=16, K=8192, dtype="float16", machine="ascend910")
    assert dict(program.tiles)["splits"] == 32
    program = split_k_gemm.program(M=4096, N=4096, K=8192, dtype="float16", machine="ascend910")
    assert dict(program.tiles)["splits"] == 1
