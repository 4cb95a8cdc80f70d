"""The check: right kernels pass with room, wrong ones fail."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tilelang.check import sum_depth
from tilelang.diagnostics import TileError
from tilelang.kernels.gemm import gemm


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8"])
@pytest.mark.parametrize(("m", "n", "k"), [(1, 17, 3), (17, 1, 130), (16, 16, 0), (0, 3, 5)])
def test_gemm_agrees_with_its_reference(dtype: str, m: int, n: int, k: int):
    report = gemm.check(M=m, N=n, K=k, dtype=dtype, backends=["numpy"])
    assert report.ok
    (row,) = report.rows
    assert row.share is not None
    assert 0 <= row.share <= 1


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def forgetful(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """Multiply, but forget the last step of k."""
    (m, k), n = a.shape, b.shape[1]
    acc = tl.alloc_l0c((tl.ceildiv(m, 32) * 32, tl.ceildiv(n, 32) * 32), tl.acc(a.dtype))
    for i in tl.for_range(tl.ceildiv(k, 32) - 1):
        a1 = tl.alloc_l1((acc.shape[0], 32), a.dtype)
        b1 = tl.alloc_l1((32, acc.shape[1]), b.dtype)
        tl.data_move(a1, a[0, i * 32])
        tl.data_move(b1, b[i * 32, 0])
        tl.matmul(acc, a1, b1, init=i == 0)
    out = tl.alloc_ub(acc.shape, c.dtype)
    tl.data_move(out, acc)
    tl.data_move(c[0, 0], out)


@forgetful.reference
def _(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return a @ b


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8"])
def test_a_dropped_step_of_k_is_found(dtype: str):
    report = forgetful.check(M=17, N=33, K=256, dtype=dtype, backends=["numpy"])
    assert not report.ok
    assert report.meaning is not None
    assert report.meaning.verdict == "kernel wrong: differs from the reference (signed inputs)"
    assert report.rows[0].verdict == "ok"


def test_what_a_wrong_kernel_gives_is_said_before_what_its_reference_wants():
    ones = np.ones((3, 64), np.float16)
    report = forgetful.check(a=ones, b=ones.T, backends=["numpy"])
    assert report.meaning is not None
    assert report.meaning.explanation[0].endswith("first c[0, 0] = 32, wanted 64")
    assert "every" not in " ".join(report.meaning.explanation)  # half of it, not twice


def test_a_mistake_at_run_time_is_the_verdict():
    @tl.kernel("x[N]: T -> y[N]: T")
    def half(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub((8,), x.dtype)
        tl.data_move(t, x[0])
        tl.data_move(y[0], t)

    @half.reference
    def _(x: NDArray[Any]) -> NDArray[Any]:
        return x

    report = half.check(N=16, dtype="float32", backends=["numpy"])
    assert not report.ok
    assert "E0409" in report.rows[0].verdict


def test_a_backend_that_nobody_named_says_why_it_refuses():
    report = gemm.check(M=3, N=4, K=5, dtype="float32")
    assert report.ok
    (row,) = [row for row in report.rows if row.backend == "tik"]
    assert row.verdict == "refused: E0334"
    reason, hint = row.explanation
    assert "the cube of ascend910 does not multiply float32 `a1` by float32" in reason
    assert hint.startswith("hint: ")


def test_a_kernel_without_reference_cannot_be_checked():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)

    with pytest.raises(TileError, match="E0701"):
        copy.check(N=16, dtype="float32")


def test_a_reference_of_another_shape_is_a_mistake():
    @tl.kernel("x[N]: T -> y[N]: T")
    def copy(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(t, x)
        tl.data_move(y, t)

    @copy.reference
    def _(x: NDArray[Any]) -> NDArray[Any]:
        return x[None]

    with pytest.raises(TileError, match="E0702"):
        copy.check(N=16, dtype="float32")


def test_the_depth_of_a_sum_counts_the_steps_of_its_loop():
    program = gemm.program(M=16, N=16, K=1000, k_tile=64, dtype="float16")
    assert sum_depth(program) == 16 * 64


def test_a_report_reads_as_text_and_as_data():
    report = gemm.check(M=3, N=4, K=5, dtype="int8", backends=["numpy"], seed=3)
    assert str(report).splitlines()[0] == "gemm a: int8[3, 5], b: int8[5, 4] (seed 3)"
    data = report.to_json()
    assert data["ok"] is True
    assert data["rows"][0]["backend"] == "numpy"
    assert np.isfinite(data["rows"][0]["max_error"])
