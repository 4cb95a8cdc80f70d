"""Matrix products: every dtype, awkward sizes, and the same bits for all tiles and threads."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tilelang.dtypes import DType
from tilelang.kernels.gemm import gemm

DTYPES = ("float32", "float16", "bfloat16", "int8")
SIZES = [(1, 17, 3), (15, 16, 17), (16, 64, 64), (33, 31, 97), (100, 130, 200), (3, 5, 0)]


def operands(m: int, n: int, k: int, dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(m * 10000 + n * 100 + k)
    if dtype == "int8":
        return rng.integers(-128, 128, (m, k), np.int8), rng.integers(-128, 128, (k, n), np.int8)
    kept = DType(dtype).numpy
    return rng.standard_normal((m, k)).astype(kept), rng.standard_normal((k, n)).astype(kept)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_products_are_right(size: tuple[int, int, int], dtype: str):
    a, b = operands(*size, dtype)
    found = gemm(a, b, backend="llvm", m_tile=32, n_tile=96, k_tile=64)
    if dtype == "int8":
        np.testing.assert_array_equal(found, a.astype(np.int64) @ b.astype(np.int64))
        return
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    bound = 2**-23 * (size[2] + 1) * (abs(wide_a) @ abs(wide_b))
    assert np.all(abs(found - wide_a @ wide_b) <= bound)


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_do_not_depend_on_tiles_or_threads(dtype: str):
    a, b = operands(70, 130, 250, dtype)
    tiles = [(16, 32, 32), (32, 64, 64), (80, 160, 256), (64, 96, 128), (16, 32, 512)]
    first, *others = (
        gemm(a, b, backend="llvm", m_tile=m, n_tile=n, k_tile=k, n_threads=n_threads)
        for m, n, k in tiles
        for n_threads in (1, 2)
    )
    for other in others:
        assert first.tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_step_of_k_too_long_to_take_at_once_gives_the_same_bits(dtype: str):
    a, b = operands(20, 40, 4500, dtype)
    long, short = (
        gemm(a, b, backend="llvm", m_tile=32, n_tile=64, k_tile=k_tile) for k_tile in (4512, 64)
    )
    assert long.tobytes() == short.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_operands_read_in_place_give_the_same_bits(dtype: str):
    """Sizes that divide let the cube read tensors themselves; ragged ones are packed."""
    a, b = operands(32, 96, 128, dtype)
    whole = gemm(a, b, backend="llvm", m_tile=32, n_tile=96, k_tile=64)
    rows = [gemm(row[None], b, backend="llvm", m_tile=16, n_tile=64, k_tile=64) for row in a]
    assert whole.tobytes() == np.concatenate(rows).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", range(1, 9))
def test_few_rows_have_the_bits_that_they_have_among_many(dtype: str, m: int):
    """Few rows take more panels at once; 300 columns leave some, and k is more than one block."""
    for n, k in ((192, 640), (300, 70)):
        a, b = operands(24, n, k, dtype)
        many = gemm(a, b, backend="llvm", m_tile=32, n_tile=96, k_tile=64)
        few = gemm(a[:m], b, backend="llvm", m_tile=16, n_tile=320, k_tile=640)
        assert few.tobytes() == many[:m].tobytes()


def test_integers_wrap():
    a, b = np.full((1, 1 << 18), 127, np.int8), np.full((1 << 18, 1), 127, np.int8)
    found = gemm(a, b, backend="llvm", m_tile=16, n_tile=32, k_tile=4096)
    assert found[0, 0] == np.int64(127 * 127 << 18).astype(np.int32)


def test_arrays_that_are_not_contiguous_are_copied():
    a, b = operands(20, 30, 40, "float32")
    wanted = gemm(a, b, backend="llvm")
    out = np.zeros((30, 20), np.float32).T
    gemm(np.asfortranarray(a), np.repeat(b, 2, axis=1)[:, ::2], backend="llvm", out=out)
    np.testing.assert_array_equal(out, wanted)
