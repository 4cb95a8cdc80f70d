"""Tiles that pass through UB in whole rows: right at every edge, and never in bursts of a block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees, inputs_of, program_of, run
from tilelang.backends.tik.instructions import (
    DataMove,
    InstructionProgram,
    Scope,
    Tensor,
    TikType,
    walk,
)
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

CHIPS = ["ascend310", "ascend310p", "ascend910"]
F16, F32 = "float16", "float32"
K_TILE = 32


@tl.kernel("a[M, K]: float16, b[K, N]: float16, c[M, N]: Y -> y[M, N]: Y")
def added_product(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    y: tl.Tensor,
    *,
    m_tile: int = 32,
    n_tile: int = 64,
) -> None:
    """Set y to a @ b + c, where c comes into a tile that has the order of L0C."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))
        for k in tl.for_range(tl.ceildiv(K, K_TILE), stages=2):
            a1 = tl.alloc_l1((m_tile, K_TILE), a.dtype)
            b1 = tl.alloc_l1((K_TILE, n_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * K_TILE])
            tl.data_move(b1, b[k * K_TILE, j * n_tile])
            tl.matmul(acc, a1, b1, init=k == 0)
        total = tl.alloc_ub((m_tile, n_tile), acc.dtype)
        term = tl.alloc_ub((m_tile, n_tile), c.dtype)
        out = tl.alloc_ub((m_tile, n_tile), y.dtype)
        tl.data_move(total, acc)
        tl.data_move(term, c[i * m_tile, j * n_tile])
        out[:] = tl.cast(total + tl.cast(term, acc.dtype), y.dtype)
        tl.data_move(y[i * m_tile, j * n_tile], out)


def gm_bursts(program: InstructionProgram) -> Iterator[tuple[int, int]]:
    """Yield number and bytes of the bursts of every move from or to GM."""
    gm = {
        item.name
        for item in walk(program.body)
        if isinstance(item, Tensor) and item.scope is Scope.GM
    }
    for item in walk(program.body):
        if isinstance(item, DataMove) and {item.dst.tensor, item.src.tensor} & gm:
            assert isinstance(item.n_burst, int)
            assert isinstance(item.burst, int)
            yield item.n_burst, 32 * item.burst


def lowered(kernel: tl.Kernel, machine: str = "ascend910", **keywords: Any) -> InstructionProgram:
    return lower_program(program_of(kernel, machine, **keywords), find_machine(machine))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 150), st.integers(1, 150), st.integers(1, 150),
    st.tuples(*map(st.sampled_from, ((16, 48, 128), (16, 64, 144), (16, 32, 144)))),
    st.sampled_from(CHIPS),
)  # fmt: skip
def test_products_of_any_size_and_tiles(
    m: int, n: int, k: int, tiles: tuple[int, int, int], machine: str
) -> None:
    if n > tiles[1] and 0 < n % tiles[1] < 8:
        n += 8  # a row that ends in another tile's block is refused: see test_refusals
    named = dict(zip(("m_tile", "n_tile", "k_tile"), tiles, strict=True))
    assert_agrees(gemm, machine, dtype=F16, M=m, N=n, K=k, **named)


@pytest.mark.parametrize("kind", [F16, F32])
@pytest.mark.parametrize(
    ("m", "n", "k"), [(64, 128, 64), (31, 80, 33), (33, 63, 48), (1, 81, 17), (100, 208, 31)]
)
def test_tiles_in_the_order_of_l0c_are_loaded_and_stored(m: int, n: int, k: int, kind: str) -> None:
    assert_agrees(added_product, dtype={"Y": kind}, M=m, N=n, K=k)


def test_every_bit_of_a_result_arrives() -> None:
    """What is added to zero comes out as it went in: infinities, NaN, tiny numbers."""
    program = program_of(added_product, dtype={"Y": F32}, M=16, N=64, K=16)
    a, b, c = inputs_of(program)
    a[...] = 0
    c[0, :5] = [np.inf, -np.inf, np.nan, 1e-45, -1e-40]
    (found,), (wanted,) = run(program, "ascend910", (a, b, c))
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(found, c)


@pytest.mark.parametrize("machine", CHIPS)
def test_rows_of_two_blocks_or_more_are_moved_whole(machine: str) -> None:
    sizes = {"M": 512, "N": 512, "K": 512}
    tiles = {"m_tile": 128, "n_tile": 256, "k_tile": 64}
    bursts = list(gm_bursts(lowered(gemm, machine, dtype=F16, **sizes, **tiles)))
    # rows of a, of b, and columns of c as wide as a package of the link
    assert {n_bytes for _, n_bytes in bursts} == {128, 512, 256}


def test_one_column_of_blocks_goes_straight_to_l1() -> None:
    tiles: dict[str, Any] = {"n_tile": 16, "k_tile": 16}
    program = lowered(gemm, dtype=F16, M=64, N=32, K=32, **tiles)
    declared = [item for item in walk(program.body) if isinstance(item, Tensor)]
    assert [item.name for item in declared if item.scope is Scope.UB] == ["out"]
    assert {n_bytes for _, n_bytes in gm_bursts(program)} == {32, 64}


def test_where_ub_is_full_blocks_are_moved_one_by_one() -> None:
    @tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32")
    def crowded(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, *, rest: int = 64200) -> None:
        (M, K), N = a.shape, b.shape[1]
        for _ in tl.cores(1):
            kept = tl.alloc_ub((rest,), c.dtype)
            kept[:] = 1.0
            acc = tl.alloc_l0c((M, N), c.dtype)
            a1, b1 = tl.alloc_l1((M, K), a.dtype), tl.alloc_l1((K, N), b.dtype)
            tl.data_move(a1, a)
            tl.data_move(b1, b)
            tl.matmul(acc, a1, b1)
            for row in tl.chunks(acc, rows=16):
                out = tl.alloc_ub((16, N), c.dtype)
                tl.data_move(out, acc[row, 0])
                out[:] = out + kept[:N]
                tl.data_move(c[row, 0], out)

    sizes: dict[str, Any] = {"M": 32, "N": 48, "K": 128}
    assert min(n_bytes for _, n_bytes in gm_bursts(lowered(crowded, **sizes))) == 32
    assert min(n_bytes for _, n_bytes in gm_bursts(lowered(crowded, **sizes, rest=640))) > 256
    assert_agrees(crowded, **sizes)
    assert_agrees(crowded, **sizes, rest=640)


def test_only_what_lies_outside_the_tensor_is_filled() -> None:
    program = lowered(gemm, dtype=F16, M=100, N=128, K=128, m_tile=128)
    filled = [
        32 * item.n_burst * item.burst
        for item in walk(program.body)
        if isinstance(item, DataMove) and item.src.tensor.startswith("filler")
        and isinstance(item.n_burst, int) and isinstance(item.burst, int)
    ]  # fmt: skip
    assert filled == [28 * 32], "rows 100 to 127 of each column of blocks, in a loop"


def test_room_counts_what_lives_in_every_thread() -> None:
    writer = Writer(ub_bytes=10_000)
    writer.tensor("outside", TikType.FLOAT32, (64,), Scope.UB)
    with writer.loop("i", ix.constant(4), thread_num=2):
        writer.tensor("inside", TikType.FLOAT32, (128,), Scope.UB)
        writer.tensor("elsewhere", TikType.FLOAT32, (1024,), Scope.L1)
        with writer.scope():
            writer.tensor("ended", TikType.FLOAT32, (512,), Scope.UB)
        assert writer.ub_room() == (10_000 - 256 - 2 * 512) // 2
        with writer.loop("j", ix.constant(4), thread_num=2):
            assert writer.ub_room() == (10_000 - 256 - 2 * 512) // 4
    assert writer.ub_room() == 10_000 - 256
