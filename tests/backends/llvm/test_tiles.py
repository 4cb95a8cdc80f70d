"""The default tiles of a product: legal, no larger than useful, and cut without much padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.backends.llvm.host import find_host
from tilelang.backends.llvm.tiles import default_gemm_tiles
from tilelang.dtypes import DType

DTYPES = (DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16, DType.INT8)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.sampled_from(DTYPES))
def test_tiles_are_legal(m: int, n: int, k: int, dtype: DType):
    tiles = default_gemm_tiles(m, n, k, dtype, find_host())
    assert tiles["m_tile"] % 16 == 0
    assert tiles["n_tile"] % max(16, dtype.k0) == 0
    assert tiles["k_tile"] % max(16, dtype.k0) == 0
    assert all(0 < size <= 4096 for size in tiles.values())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sizes_that_do_not_divide_cost_little_padding(dtype: DType):
    sizes = (1000, 1003, 997)
    tiles = default_gemm_tiles(*sizes, dtype, find_host()).values()
    padded = [-(-size // tile) * tile for size, tile in zip(sizes, tiles, strict=True)]
    assert padded[0] * padded[1] <= 1.05 * sizes[0] * sizes[1]
    assert padded[2] <= 1.06 * sizes[2]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_large_products_have_tiles_for_two_threads(dtype: DType):
    tiles = default_gemm_tiles(512, 512, 512, dtype, find_host())
    assert -(-512 // tiles["m_tile"]) * -(-512 // tiles["n_tile"]) % 2 == 0
