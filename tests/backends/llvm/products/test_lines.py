"""Units are put together from whole lines of rows, and from what is left of them, alike."""

import numpy as np
import pytest

from tests.backends.llvm.running import compiled
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.kernels.gemm import gemm

M, N_TILE, K_TILE = 16, 160, 64
NO_UNITS = pytest.mark.skipif(not find_host().dot_int8, reason="this host has no units of bytes")


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize("n", [1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 160, 161, 320])
@pytest.mark.parametrize("k", [1, 4, 6, 63, 64, 130])
def test_a_product_of_weights_of_any_size_is_exact(dtype: str, n: int, k: int):
    program = gemm.program(M=M, N=n, K=k, dtype=dtype, m_tile=16, n_tile=N_TILE, k_tile=K_TILE)
    rng = np.random.default_rng(n * k)
    a, b = (rng.integers(-9, 10, t.shape).astype(t.dtype.numpy) for t in program.inputs)
    c = np.full((M, n), 5, program.results[0].dtype.numpy)
    compiled(program)(a, b, c)
    np.testing.assert_array_equal(c, a.astype(np.int64) @ b.astype(np.int64))


def n_loads(pattern: str, n: int) -> int:
    """Return how many loads of a vector type the code of a product with n columns has."""
    program = gemm.program(M=64, N=n, K=64, dtype="int8", m_tile=64, n_tile=N_TILE, k_tile=K_TILE)
    return compiled(program).source.count(f"load {pattern}")


@NO_UNITS
def test_each_row_of_a_unit_is_loaded_a_line_at_a_time():
    assert n_loads("<64 x i8>", 160) >= n_loads("<64 x i8>", 1) + 4  # the latter are of `a`
