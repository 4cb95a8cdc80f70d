"""Tiles that hang over, read and reduced in one loop: the numpy backend's numbers, bit for bit.

Inputs are whole numbers, so sums are exact in any order. Arrays lie between margins of poison.
"""

import math

import numpy as np
import pytest

import tilelang as tl
from tests.backends.llvm.running import compiled
from tests.backends.llvm.test_margins import check
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.backends.llvm.vectors.folds import Fold, with_pairs
from tilelang.ir.nodes import Program, Stage
from tilelang.kernels.softmax import softmax
from tilelang.machines import find_machine
from tilelang.passes import lower

SIZES = [1, 7, 15, 16, 17, 31, 33, 49, 130]
DTYPES = ["float16", "bfloat16", "float32", "int32", "int8"]


@tl.kernel("x[M, N]: T; row, column -> y[M, N]: T")
def shifted(
    x: tl.Tensor, y: tl.Tensor, *, row: int, column: int, m_tile: int = 4, n_tile: int = 32
) -> None:
    """Set y to 2 x + 1, moved: what comes from outside of x is padding, which y shows."""
    for i, j in tl.cores(tl.ceildiv(x.shape[0], m_tile), tl.ceildiv(x.shape[1], n_tile)):
        tile, out = tl.alloc_ub((m_tile, n_tile), x.dtype), tl.alloc_ub((m_tile, n_tile), x.dtype)
        tl.data_move(tile, x[i * m_tile + row, j * n_tile + column], pad=7)
        out[:] = tile + tile + 1
        tl.data_move(y[i * m_tile, j * n_tile], out)


@tl.kernel("x[M, N]: T -> y[M, N]: acc(T), z[M, N]: acc(T)")
def centred(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor, *, n_tile: int = 32) -> None:
    """Set y to x minus its row's sum, z to that minus the largest of these in the row.

    The tile of differences is reduced and stored; rows of several tiles are taken one by one.
    """
    (M, N), lowest = x.shape, -math.inf if y.dtype.is_float else -(2**31)
    for i, j in tl.cores(tl.ceildiv(M, 4), tl.ceildiv(N, n_tile)):
        tile, wide = tl.alloc_ub((4, n_tile), x.dtype), tl.alloc_ub((4, n_tile), y.dtype)
        total, top = tl.alloc_ub((4, 1), y.dtype), tl.alloc_ub((4, 1), y.dtype)
        tl.data_move(tile, x[i * 4, j * n_tile])
        total[:] = tl.reduce_sum(tile, axis=1)
        wide[:] = tl.cast(tile, y.dtype) - total
        wide[:] = tl.where(tl.position(1) < N - j * n_tile, wide, lowest)
        top[:] = tl.reduce_max(wide, axis=1)
        tl.data_move(y[i * 4, j * n_tile], wide)
        wide[:] = wide - top
        tl.data_move(z[i * 4, j * n_tile], wide)


@tl.kernel("x[M, N]: float32 -> y[1, N]: float32")
def columns(x: tl.Tensor, y: tl.Tensor) -> None:
    """Set y to the sums of the squares of the columns."""
    for i in tl.cores(tl.ceildiv(x.shape[1], 16)):
        tile, squares = tl.alloc_ub((32, 16), x.dtype), tl.alloc_ub((32, 16), x.dtype)
        total, part = tl.alloc_ub((1, 16), x.dtype), tl.alloc_ub((1, 16), x.dtype)
        total[:] = 0
        for j in tl.for_range(tl.ceildiv(x.shape[0], 32)):
            tl.data_move(tile, x[j * 32, i * 16])
            squares[:] = tile * tile
            part[:] = tl.reduce_sum(squares, axis=0)
            total += part
        tl.data_move(y[0, i * 16], total[:, :])


@tl.kernel("x[N]: float32 -> y[N]: float32, z[N]: float32, w[N]: float32")
def reread(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor, w: tl.Tensor) -> None:
    """Set y to 2 x, w to more; z to 2 x but for one element, after 2 x was overwritten."""
    source, copy = tl.alloc_ub((16,), x.dtype), tl.alloc_ub((16,), x.dtype)
    total, top = tl.alloc_ub((1,), x.dtype), tl.alloc_ub((1,), x.dtype)
    tl.data_move(source, x)
    source += source
    copy[:] = source
    top[:] = tl.reduce_max(copy, axis=0)
    tl.data_move(y, copy)
    source += top
    total[:] = tl.reduce_sum(source, axis=0)
    tl.data_move(w, source)
    copy[3:4] = total
    tl.data_move(z, copy)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (-1, -5), (2, 3), (0, -40), (-9, 200)])
def test_padding_shows_where_a_tile_hangs_over(dtype: str, n: int, row: int, column: int):
    check(shifted.program(machine="host", dtype=dtype, M=5, N=n, row=row, column=column))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8"])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", [1, 4, 6])
def test_a_tile_is_reduced_while_it_is_set(dtype: str, n: int, m: int):
    for n_tile in (16, 48, 144):
        check(centred.program(machine="host", dtype=dtype, M=m, N=n, n_tile=n_tile))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", [1, 31, 33])
def test_columns_are_reduced_while_they_are_set(n: int, m: int):
    check(columns.program(machine="host", M=m, N=n))


def test_a_copy_keeps_what_its_source_loses():
    check(reread.program(machine="host", N=16))


def test_the_tiles_of_a_softmax_are_set_where_they_are_reduced():
    program = softmax.program(M=9, N=100, dtype="float16")
    folds = [stmt for stmt in with_pairs(_stage(program).body) if isinstance(stmt, Fold)]
    assert [fold.is_kept for fold in folds] == [False, True]


@pytest.mark.parametrize("n", [1000, 1003])
def test_a_sum_does_not_depend_on_the_number_of_threads(n: int):
    x = np.random.default_rng(0).standard_normal((37, n)).astype(np.float32)
    program = softmax.program(M=37, N=n, dtype="float32")
    found = [np.empty_like(x) for _ in range(3)]
    for n_threads, y in enumerate(found, 1):
        compiled(program, n_threads=n_threads)(x, y)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def _stage(program: Program) -> Stage:
    return optimise(lower(program, find_machine("host")), find_host()).stages[-1]
