"""A loop of several stages asks for what its next step loads, and for nothing else."""

import numpy as np
import pytest

import tilelang as tl
from tests.backends.llvm.running import compiled, expected_of, results_of, small_integers

ROWS = 64


@tl.kernel("a[M, K]: float16, b[K, N]: float16; stages -> c[M, N]: float32")
def multiply(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, *, stages: int = 2) -> None:
    """C = a @ b, `ROWS` rows of b at a time."""
    (m, k_size), n = a.shape, b.shape[1]
    acc = tl.alloc_l0c((48, 80), c.dtype)
    for k in tl.for_range(tl.ceildiv(k_size, ROWS), stages=stages):
        a1, b1 = tl.alloc_l1((48, ROWS), a.dtype), tl.alloc_l1((ROWS, 80), b.dtype)
        tl.data_move(a1, a[0, k * ROWS])
        tl.data_move(b1, b[k * ROWS, 0])
        tl.matmul(acc, a1, b1, init=k == 0)
    out = tl.alloc_ub((m, n), c.dtype)
    tl.data_move(out, acc[0:m, 0:n])
    tl.data_move(c, out)


def n_asks(k: int, stages: int) -> int:
    """Return how often the code of a product asks for rows that will be read."""
    source = compiled(multiply.program(M=48, N=80, K=k, stages=stages)).source
    return source.count("i32 0, i32 3, i32 1)")


def test_a_step_asks_for_the_rows_of_the_next():
    assert n_asks(3 * ROWS, stages=2) > n_asks(3 * ROWS, stages=1)


def test_a_single_step_asks_for_nothing():
    assert n_asks(ROWS, stages=2) == n_asks(ROWS, stages=1)


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("k", [1, 63, 65, 130, 200])
def test_asking_changes_no_result(k: int, stages: int):
    program = multiply.program(M=48, N=80, K=k, stages=stages)
    inputs = small_integers(program.inputs, k)
    (found,), (wanted,) = results_of(program, inputs), expected_of(program, inputs)
    np.testing.assert_array_equal(found, wanted)
