"""Sums go through their epilogue in registers where one step of k makes them, to the same bits."""

from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.llvm.running import compiled, expected_of, results_of, small_integers
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.backends.llvm.vectors.folds import Finish, with_pairs
from tilelang.ir.nodes import Loop, Map, Program
from tilelang.kernels.linear import Activation, linear
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.machines import find_machine
from tilelang.passes import lower


def n_finished(program: Program) -> int:
    """Return how many products of a program end in an epilogue."""
    lowered = optimise(lower(program, find_machine("host")), find_host())
    return sum(isinstance(s, Finish) for stage in lowered.stages for s in with_pairs(stage.body))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize(("m", "n"), [(1, 17), (5, 48), (16, 64), (33, 95), (70, 130), (41, 1)])
def test_an_epilogue_in_registers_gives_the_bits_of_one_of_its_own(
    dtype: str, activation: Activation, m: int, n: int
):
    sizes: dict[str, Any] = {"M": m, "N": n, "K": 100, "dtype": dtype, "activation": activation}
    at_once = linear.program(**sizes, m_tile=48, n_tile=64, k_tile=128)
    in_steps = linear.program(**sizes, m_tile=48, n_tile=64, k_tile=32)
    assert n_finished(at_once) == 1
    assert n_finished(in_steps) == 0
    rng = np.random.default_rng(m + n)
    inputs = [rng.standard_normal(b.shape).astype(b.dtype.numpy) for b in at_once.inputs]
    (first,), (second,) = results_of(at_once, inputs), results_of(in_steps, inputs)
    assert first.tobytes() == second.tobytes()


def test_sums_that_end_in_registers_are_not_stored():
    def n_stores(k_tile: int) -> int:
        sizes: dict[str, Any] = {"M": 16, "N": 32, "K": 64, "activation": 0}
        tiles: dict[str, Any] = {"m_tile": 16, "n_tile": 32, "k_tile": k_tile}
        source = compiled(linear.program(dtype="float16", **sizes, **tiles)).source
        return source.count("store <16 x float>")

    assert n_stores(64) < n_stores(32)


def test_gates_that_meet_in_one_map_are_stored():
    assert n_finished(lstm_cell.program(B=16, I=32, H=32, dtype="float16")) == 0


@tl.kernel(
    "a[M, K]: float16, d[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32, e[M, N]: float32"
)
def reloaded(a: tl.Tensor, d: tl.Tensor, b: tl.Tensor, c: tl.Tensor, e: tl.Tensor) -> None:
    """C = a @ b + 1 and e = d @ b, where `d` takes the place of `a` before c is stored."""
    a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 16), b.dtype)
    first, second = tl.alloc_l0c((16, 16), c.dtype), tl.alloc_l0c((16, 16), e.dtype)
    one, two = tl.alloc_ub((16, 16), c.dtype), tl.alloc_ub((16, 16), e.dtype)
    tl.data_move(a1, a)
    tl.data_move(b1, b)
    tl.matmul(first, a1, b1, init=True)
    tl.data_move(a1, d)
    tl.data_move(one, first)
    one += 1
    tl.data_move(c, one)
    tl.matmul(second, a1, b1, init=True)
    tl.data_move(two, second)
    tl.data_move(e, two)


def test_a_product_does_not_wait_while_its_operand_changes():
    program = reloaded.program(M=16, N=16, K=16)
    inputs = small_integers(program.inputs, 5)
    for found, wanted in zip(
        results_of(program, inputs), expected_of(program, inputs), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


@tl.kernel("a[M, K]: float16, b[K, N]: float16, s[M]: float32 -> c[M, N]: float32")
def scaled(a: tl.Tensor, b: tl.Tensor, s: tl.Tensor, c: tl.Tensor) -> None:
    """C = (a @ b + 100 row) * s[first row of the chunk], in chunks of 16 rows."""
    a1, b1 = tl.alloc_l1((48, 16), a.dtype), tl.alloc_l1((16, 16), b.dtype)
    acc = tl.alloc_l0c((48, 16), c.dtype)
    tl.data_move(a1, a)
    tl.data_move(b1, b)
    tl.matmul(acc, a1, b1, init=True)
    for row in tl.chunks(acc, rows=16):
        total, factor = tl.alloc_ub((16, 16), c.dtype), tl.alloc_ub((1, 1), s.dtype)
        tl.data_move(total, acc[row, 0])
        tl.data_move(factor[0, :], s[row])
        total += 100.0 * tl.cast(tl.position(0), "float32")
        total *= factor
        tl.data_move(c[row, 0], total)


def test_chunks_that_differ_by_more_than_their_rows_stay_chunks():
    program = scaled.program(M=48, N=16, K=16)
    lowered = optimise(lower(program, find_machine("host")), find_host())
    assert any(isinstance(stmt, Loop) for stage in lowered.stages for stmt in stage.body)
    inputs = small_integers(program.inputs, 7)
    (found,), (wanted,) = results_of(program, inputs), expected_of(program, inputs)
    np.testing.assert_array_equal(found, wanted)


def test_chunks_of_one_map_are_one_map():
    sizes: dict[str, Any] = {"M": 128, "N": 64, "K": 2000, "activation": 1}  # in several steps of k
    program = linear.program(dtype="float32", **sizes, m_tile=128, n_tile=64, k_tile=128)
    lowered = optimise(lower(program, find_machine("host")), find_host())
    (last,) = [stmt for stmt in lowered.stages[-1].body if isinstance(stmt, Map)][-1:]
    assert last.dst.shape == (128, 64)
