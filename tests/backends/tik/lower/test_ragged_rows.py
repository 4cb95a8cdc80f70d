"""Rows that end inside blocks of others: stored whole by a last stage, from workspace."""

import itertools
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.instructions import Sync, SyncKind, walk
from tilelang.backends.tik.lower import lower_kernels, lower_program
from tilelang.backends.tik.lower.ragged_rows import stage_rows
from tilelang.dtypes import BLOCK_BYTES
from tilelang.ir.nodes import Alloc, Loop, Program
from tilelang.kernels.gemm import gemm
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.machines import find_machine
from tilelang.passes import lower
from tilelang.verify import verify

F16 = "float16"
ASCEND = find_machine("ascend910")
DTYPES = (F16, "float32", "int8", "int32")
SIZES = (1, 15, 16, 17, 65, 129)


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def pass_on(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 16, n_tile: int = 32) -> None:
    """Copy x in tiles, each on a core of its own."""
    M, N = x.shape
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        tile = tl.alloc_ub((m_tile, n_tile), x.dtype)
        tl.data_move(tile, x[i * m_tile, j * n_tile])
        tl.data_move(y[i * m_tile, j * n_tile], tile)


def made(kernel: tl.Kernel, **keywords: Any) -> Program:
    return lower(kernel.program(machine="ascend910", **keywords), ASCEND)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), list(itertools.product(SIZES, SIZES)))
def test_tiles_of_any_width_agree(dtype: str, m: int, n: int) -> None:
    assert_agrees(pass_on, dtype=dtype, M=m, N=n)


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910b"])
@pytest.mark.parametrize("n", [1, 33, 65])
def test_chips_without_a_barrier_agree(machine: str, n: int) -> None:
    assert_agrees(pass_on, machine, dtype="float32", M=19, N=n)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(DTYPES),
    st.tuples(st.integers(1, 70), st.integers(1, 150)),
    st.tuples(st.integers(1, 40), st.sampled_from((32, 64, 96))),
)
def test_any_tiles_agree(dtype: str, sizes: tuple[int, int], tiles: tuple[int, int]) -> None:
    (m, n), (m_tile, n_tile) = sizes, tiles
    assert_agrees(pass_on, dtype=dtype, M=m, N=n, m_tile=m_tile, n_tile=n_tile)


@pytest.mark.parametrize(("m", "n"), [(3, 4097), (40, 1025), (2051, 3), (1500, 1)])
def test_rows_that_take_many_parts_and_many_short_rows_agree(m: int, n: int) -> None:
    assert_agrees(pass_on, dtype="float32", M=m, N=n, m_tile=50, n_tile=256)


@tl.kernel("x[A, B, N]: T -> y[A, B, N]: T")
def pass_maps(x: tl.Tensor, y: tl.Tensor) -> None:
    A, B, N = x.shape
    for a, b, j in tl.cores(A, B, tl.ceildiv(N, 32)):
        tile = tl.alloc_ub((32,), x.dtype)
        tl.data_move(tile, x[a, b, j * 32 :])
        tl.data_move(y[a, b, j * 32 :], tile)


@pytest.mark.parametrize("n", [1, 15, 33, 64])
def test_results_of_three_dimensions_agree(n: int) -> None:
    assert_agrees(pass_maps, dtype=F16, A=3, B=5, N=n)


@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (gemm, {"dtype": F16, "M": 33, "N": 129, "K": 20}),
        (gemm, {"dtype": "int8", "M": 130, "N": 257, "K": 40}),
        (gemm, {"dtype": F16, "M": 150, "N": 1, "K": 16}),
        (lstm_cell, {"dtype": F16, "B": 7, "I": 100, "H": 65}),
        (lstm_cell, {"dtype": F16, "B": 17, "I": 15, "H": 1}),
        (quantized_gemm, {"dtype": {"Y": "int8"}, "M": 17, "N": 65, "K": 64}),
        (quantized_gemm, {"dtype": {"Y": "int8"}, "M": 130, "N": 15, "K": 64}),
    ],
    ids=lambda value: value.name if isinstance(value, tl.Kernel) else "",
)
def test_kernels_whose_last_tile_is_narrow_agree(
    kernel: tl.Kernel, keywords: dict[str, Any]
) -> None:
    assert_agrees(kernel, **keywords)


def test_cores_of_one_kernel_wait_for_each_other_before_rows_are_stored() -> None:
    (kernel,) = lower_kernels(pass_on.program(dtype=F16, machine="ascend910", M=40, N=33), ASCEND)
    syncs = [item.kind for item in walk(kernel.program.body) if isinstance(item, Sync)]
    assert syncs == [SyncKind.BLOCK_BARRIER]


@pytest.mark.parametrize("n", [32, 49, 64])
def test_what_tiles_can_store_stays(n: int) -> None:
    program = pass_on.program(dtype=F16, machine="ascend910", M=40, N=n)
    assert not any(isinstance(item, Sync) for item in walk(lower_program(program, ASCEND).body))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 7, 33, 65, 1025])
def test_no_two_cores_store_to_one_block(dtype: str, n: int) -> None:
    program = made(pass_on, dtype=dtype, M=2051, N=n)
    staged = stage_rows(program, "y", ASCEND.n_cores)
    assert staged is not None
    (workspace,) = verify(staged, ASCEND).workspaces
    assert workspace.shape[-1] * workspace.dtype.n_bytes % BLOCK_BYTES == 0
    ((core,), (loop,)) = staged.stages[-1].grid, staged.stages[-1].body
    assert isinstance(loop, Loop)
    assert core.extent > 1
    (alloc, *_) = loop.body
    assert isinstance(alloc, Alloc)
    n_rows = alloc.buffer.shape[0]
    assert n_rows * n * alloc.buffer.dtype.n_bytes % BLOCK_BYTES == 0
    assert prod(alloc.buffer.shape) * alloc.buffer.dtype.n_bytes <= 1 << 15


def test_tensors_that_cannot_be_staged_are_told() -> None:
    program = made(pass_on, dtype=F16, M=40, N=33)
    assert stage_rows(program, "x", ASCEND.n_cores) is None
    assert stage_rows(program, "nothing", ASCEND.n_cores) is None


def test_rows_that_the_last_stage_cannot_store_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_before(program: Program, name: str, n_cores: int) -> Program:
        del name, n_cores
        return program

    monkeypatch.setattr("tilelang.backends.tik.lower.sequence.stage_rows", as_before)
    program = pass_on.program(dtype="float32", machine="ascend910", M=17, N=33)
    with pytest.raises(tl.TileError, match=r"E1237.*a row of 1 elements of `y`"):
        lower_program(program, ASCEND)
