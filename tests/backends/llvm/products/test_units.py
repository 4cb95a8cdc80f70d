"""Weights stored [n, k] go into panels a unit at a time, wherever k and the array begin."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tests.backends.llvm.running import compiled
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.ir.nodes import Program

M, N_TILE, K_TILE = 16, 32, 64
SIZES = [(16, 64), (17, 34), (33, 63), (32, 62), (31, 130), (1, 2), (48, 1), (40, 68)]


@tl.kernel("x[M, K]: T, w[N, K]: T -> y[M, N]: acc(T)")
def transposed(x: tl.Tensor, w: tl.Tensor, y: tl.Tensor) -> None:
    (m, k_size), n_size = x.shape, w.shape[0]
    for j in tl.cores(tl.ceildiv(n_size, N_TILE)):
        acc = tl.alloc_l0c((m, N_TILE), y.dtype)
        for k in tl.for_range(tl.ceildiv(k_size, K_TILE)):
            x1 = tl.alloc_l1((m, K_TILE), x.dtype)
            w1 = tl.alloc_l1((N_TILE, K_TILE), w.dtype)
            tl.data_move(x1, x[0, k * K_TILE])
            tl.data_move(w1, w[j * N_TILE, k * K_TILE])
            tl.matmul(acc, x1, w1.T, init=k == 0)
        out = tl.alloc_ub((m, N_TILE), y.dtype)
        tl.data_move(out, acc)
        tl.data_move(y[0, j * N_TILE], out)


def drawn(program: Program) -> list[NDArray[Any]]:
    """Return x and w of integers so small that no sum rounds."""
    rng = np.random.default_rng(0)
    return [rng.integers(-3, 4, b.shape).astype(b.dtype.numpy) for b in program.inputs]


def product_of(x: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:
    return x.astype(np.int64) @ w.astype(np.int64).T


@pytest.mark.parametrize("dtype", ["bfloat16", "int8", "float16", "float32"])
@pytest.mark.parametrize(("n", "k"), SIZES)
def test_a_product_with_weights_of_any_size_is_exact(dtype: str, n: int, k: int):
    program = transposed.program(M=M, N=n, K=k, dtype=dtype)
    x, w = drawn(program)
    y = np.full((M, n), 5, program.results[0].dtype.numpy)
    compiled(program)(x, w, y)
    np.testing.assert_array_equal(y, product_of(x, w))


def test_weights_need_not_begin_where_a_unit_could():
    program = transposed.program(M=M, N=40, K=64, dtype="bfloat16")
    x, w = drawn(program)
    behind = np.empty(w.size + 1, w.dtype)[1:].reshape(w.shape)
    behind[...] = w
    assert behind.ctypes.data % 4 == 2
    y = np.empty((M, 40), np.float32)
    compiled(program)(x, behind, y)
    np.testing.assert_array_equal(y, product_of(x, w))


def stores_of_units(k: int) -> int:
    """Return how many vectors of 16 units the code of a product with bfloat16 weights stores."""
    source = compiled(transposed.program(M=M, N=64, K=k, dtype="bfloat16")).source
    return source.count("store <16 x i32>")


@pytest.mark.skipif(not find_host().dot_bf16, reason="this host has no units of bfloat16")
def test_units_that_lie_whole_in_their_rows_are_packed_in_vectors():
    assert stores_of_units(64) >= 16
    assert stores_of_units(63) < 16  # every second row begins inside a unit
