"""The default tiles of a product: legal, no larger than useful, and cut without much padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.kernels.gemm import gemm
from tilelang.product_tiles import product_tiles

DTYPES = (DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16, DType.INT8)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.sampled_from(DTYPES))
def test_tiles_are_legal(m: int, n: int, k: int, dtype: DType):
    tiles = product_tiles(m, n, k, dtype, "host")
    assert tiles["m_tile"] % 16 == 0
    assert tiles["n_tile"] % max(16, dtype.k0) == 0
    assert tiles["k_tile"] % max(16, dtype.k0) == 0
    assert all(0 < size <= 4096 for size in tiles.values())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sizes_that_do_not_divide_cost_little_padding(dtype: DType):
    sizes = (1000, 1003, 997)
    tiles = product_tiles(*sizes, dtype, "host").values()
    padded = [-(-size // tile) * tile for size, tile in zip(sizes, tiles, strict=True)]
    assert padded[0] * padded[1] <= 1.05 * sizes[0] * sizes[1]
    assert padded[2] <= 1.06 * sizes[2]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_large_products_have_tiles_for_two_threads(dtype: DType):
    tiles = product_tiles(512, 512, 512, dtype, "host")
    assert -(-512 // tiles["m_tile"]) * -(-512 // tiles["n_tile"]) % 2 == 0


@pytest.mark.parametrize(("dtype", "unit"), [*zip(DTYPES, (1, 1, 2, 4), strict=True)])
def test_k_is_one_step_up_to_1024_units_and_steps_of_512_at_most_beyond(dtype: DType, unit: int):
    def k_tile(k: int) -> int:
        return product_tiles(1000, 1003, k, dtype, "host")["k_tile"]

    assert k_tile(997 * unit) >= 997 * unit
    assert k_tile(1024 * unit) == 1024 * unit
    assert k_tile(1024 * unit + 1) <= 512 * unit
    assert k_tile(4096 * unit) == 512 * unit


@pytest.mark.parametrize(("n", "k"), [(1024, 256), (1003, 997), (4096, 4096)])
def test_the_packed_tile_of_bytes_for_few_rows_is_small(n: int, k: int):
    tiles = product_tiles(16, n, k, DType.INT8, "host")
    assert tiles["n_tile"] * tiles["k_tile"] <= (32 << 10 if n * k <= 1 << 20 else 128 << 10)
    many = product_tiles(64, n, k, DType.INT8, "host")
    assert many["n_tile"] * many["k_tile"] >= 4 * tiles["n_tile"] * tiles["k_tile"]


@pytest.mark.parametrize("machine", ["host", "ascend310", "ascend910", "ascend910b", "sm90"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16", "int8"])
@pytest.mark.parametrize("sizes", [(1, 17, 3), (16, 1024, 256), (1000, 1003, 997), (4096,) * 3])
def test_gemm_is_legal_on_every_machine_that_takes_its_dtype(
    machine: str, dtype: str, sizes: tuple[int, int, int]
):
    m, n, k = sizes
    try:
        program = gemm.program(M=m, N=n, K=k, dtype=dtype, machine=machine)
    except TileError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        assert codes <= {"E0309", "E0314", "E0334"}, "of all things, only the dtype may be refused"
    else:
        assert dict(program.tiles) == product_tiles(m, n, k, DType(dtype), machine)


def test_tiles_on_a_gpu_are_powers_of_two():
    tiles = product_tiles(100, 33, 70, DType.FLOAT32, "sm90")
    assert tiles == {"m_tile": 128, "n_tile": 64, "k_tile": 32}


def test_tiles_of_sizes_past_any_memory_are_found_as_fast():
    assert product_tiles(10**15, 10**15, 10**15, DType.FLOAT32, "host") == product_tiles(
        10**16, 10**16, 10**16, DType.FLOAT32, "host"
    )
