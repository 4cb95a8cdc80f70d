from typing import Any

import numpy as np
import pytest

from tests.backends.tik import gemm_scripts as scripts
from tests.backends.tik.scripts import floats
from tests.correctness import assert_correct
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record
from tilelang.kernels.gemm import gemm


def assert_product(got: Any, a: Any, b: Any) -> None:
    """Fail unless `got` is within the bound of a product that is summed in float32."""
    assert_correct(gemm.program(a=a, b=b), [a, b], [got])


@pytest.mark.parametrize("tile", [(16, 16, 16), (32, 64, 48), (96, 96, 144)])
def test_aligned_products(tile: tuple[int, int, int]):
    m, n, k = 96, 192, 144
    a, b = floats((m, k), seed=1), floats((k, n), seed=2)
    run = emulate(record(scripts.gemm, m, n, k, tile), {"a": a, "b": b})
    assert_product(run.outputs["c"], a, b)
    assert run.warnings == ()


@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 1, 1), (15, 17, 16), (17, 15, 33), (31, 47, 5), (64, 16, 61)]
)
def test_ragged_products_ignore_undefined_tails(m: int, n: int, k: int):
    a, b = floats((m, k), seed=3), floats((k, n), seed=4)
    run = emulate(record(scripts.ragged_gemm, m, n, k), {"a": a, "b": b})
    assert_product(run.outputs["c"][:, :n], a, b)
    assert not run.outputs["c"][:, n:].any()
    assert {item.code for item in run.warnings} <= {"E1220"}


def test_epilogue_with_bias_relu_and_layout_change_is_exact_on_small_integers():
    m, n, k = 48, 64, 32
    rng = np.random.default_rng(5)
    a, bt = (rng.integers(-4, 5, shape).astype(np.float16) for shape in ((m, k), (n, k)))
    bias = rng.integers(-9, 10, n).astype(np.float32)
    program = record(scripts.gemm_bias_relu, m, n, k)
    got = emulate(program, {"a": a, "bt": bt, "bias": bias}).outputs["y"]
    wanted = np.maximum(a.astype(np.float64) @ bt.T.astype(np.float64) + bias, 0)
    np.testing.assert_array_equal(got, wanted.astype(np.float16))


def blocked(matrix: Any, k0: int) -> Any:
    """Return [rows, columns] as [column groups of k0, rows, k0], zero-padded to 16 and k0."""
    rows, columns = matrix.shape
    padded = np.pad(matrix, ((0, -rows % 16), (0, -columns % k0)))
    return padded.reshape(padded.shape[0], -1, k0).transpose(1, 0, 2).copy()


@pytest.mark.parametrize(("m", "n", "k"), [(2, 1, 1), (17, 33, 31), (48, 16, 64)])
def test_matmul_and_fixpipe_drop_padding_rows(m: int, n: int, k: int):
    a, b = floats((m, k), seed=6), floats((k, n), seed=7)
    feed = {"a": blocked(a, 16), "b": blocked(b.T, 16)}
    program = record(scripts.matmul_fixpipe, m, n, k, "float16")
    got = emulate(program, feed, tolerate={"E1207"}).outputs["c"]
    assert_product(got.transpose(1, 0, 2).reshape(m, -1)[:, :n], a, b)


def test_integer_matmul_is_exact():
    m, n, k = 33, 20, 70
    rng = np.random.default_rng(8)
    a, b = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((m, k), (k, n)))
    feed = {"a": blocked(a, 32), "b": blocked(b.T, 32)}
    program = record(scripts.matmul_fixpipe, m, n, k, "int8")
    got = emulate(program, feed, tolerate={"E1207"}).outputs["c"]
    wanted = a.astype(np.int64) @ b.astype(np.int64)
    np.testing.assert_array_equal(got.transpose(1, 0, 2).reshape(m, -1)[:, :n], wanted)


def test_integer_mmad_is_exact():
    m, n, k = 32, 48, 96
    rng = np.random.default_rng(9)
    a, bt = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((m, k), (n, k)))
    got = emulate(record(scripts.mmad_int8, m, n, k), {"a": a, "bt": bt}).outputs["c"]
    wanted = a.astype(np.int64) @ bt.T.astype(np.int64)
    np.testing.assert_array_equal(got.transpose(1, 0, 2).reshape(m, n), wanted)
