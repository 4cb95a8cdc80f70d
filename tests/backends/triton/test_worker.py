"""The interpreter's process sees what a kernel does beside its arrays, and what it reads there."""

from dataclasses import replace

import numpy as np

import tilelang as tl
from tests.backends.triton.running import Array, Case, needs_triton, run_all
from tilelang.backends.triton.options import Options
from tilelang.shipped import find_kernel

CASE = Case(
    find_kernel("gemm"),
    "float16",
    {"M": 33, "N": 37, "K": 40, "m_tile": 32, "n_tile": 32, "k_tile": 32},
    Options(interpreter=True, descriptors=False),
)


def run_changed(old: str, new: str) -> list[Array] | str:
    """Run the case with a part of its text changed."""
    job = CASE.job()
    text = job.generated.text
    assert old in text
    changed = replace(job.generated, text=text.replace(old, new))
    return run_all([replace(job, generated=changed)])[0]


@needs_triton
def test_a_store_beside_a_result_is_found():
    found = run_changed(", mask=(c_row < 33) & (c_column < 37)", "")
    assert isinstance(found, str)
    assert "c: written beside the array" in found


@needs_triton
def test_a_load_beside_an_input_is_poison():
    found = run_changed("mask=(a1_row < 33) & (a1_column < 40)", "mask=a1_row < 99")
    assert not isinstance(found, str)
    assert np.isnan(found[0]).any()


@needs_triton
def test_an_input_that_is_written_is_found():
    found = run_changed("tl.store(c + ", "tl.store(a + 0 * ")
    assert isinstance(found, str)
    assert "a: an input was written" in found


@needs_triton
def test_a_kernel_that_fails_says_where():
    found = run_changed("acc = tl.dot(a1, b1, acc)", "acc = tl.dot(b1, no_such_name, acc)")
    assert isinstance(found, str)
    assert "no_such_name" in found


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def skewed(x: tl.Tensor, y: tl.Tensor) -> None:
    """Row i of y is row i + i % 4 of x, zeros past the end."""
    for i in tl.cores(x.shape[0]):
        rows = tl.alloc_ub((4, x.shape[1]), x.dtype)
        row = tl.alloc_ub((1, x.shape[1]), x.dtype)
        tl.data_move(rows, x[i, 0])
        row[:] = -rows[i % 4 : i % 4 + 1, :]
        tl.data_move(y[i, 0], row)


@needs_triton
def test_a_mask_may_be_one_bool_for_a_whole_block():
    x = np.arange(11 * 16, dtype=np.float32).reshape(11, 16)
    assert "mask=i + (i % 4) < 11" in skewed.source("triton", x=x)
    wanted = [-x[i + i % 4] if i + i % 4 < 11 else 0 * x[0] for i in range(11)]
    np.testing.assert_array_equal(skewed(x, backend="triton", interpreter=True), wanted)
