"""What only the strict executor knows is said where a result is wrong or cannot be judged."""

from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.cli.command import Command
from tilelang.check.strict import strict_error


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def holes(x: tl.Tensor, y: tl.Tensor) -> None:
    """Double x, but not the columns past the last whole tile."""
    for j in tl.cores(x.shape[1] // 16):
        t = tl.alloc_ub((x.shape[0], 16), x.dtype)
        tl.data_move(t, x[0, j * 16])
        t += t
        tl.data_move(y[0, j * 16], t)


@holes.reference
def _(x: Any) -> Any:
    return 2 * x


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def racing(x: tl.Tensor, y: tl.Tensor) -> None:
    """Double x in both cores, of which each stores what it likes."""
    for i in tl.cores(2):
        t = tl.alloc_ub(x.shape, x.dtype)
        tl.data_move(t, x)
        t *= tl.cast(i + 1, x.dtype)
        tl.data_move(y, t)


@racing.reference
def _(x: Any) -> Any:
    return x


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def pole(x: tl.Tensor, y: tl.Tensor) -> None:
    """Divide by a zero whose sign nobody knows."""
    t = tl.alloc_ub(x.shape, x.dtype)
    tl.data_move(t, x)
    t[:] = 1 / (t - t)
    tl.data_move(y, t)


@pole.reference
def _(x: Any) -> Any:
    return 1 / (x - x)


def test_elements_that_nobody_wrote_are_called_that():
    report = holes.check(M=4, N=20, dtype="float32", backends=["llvm"])
    assert report.meaning is not None
    assert "error[E0409]: 16 of the 80 elements of the result `y`" in report.meaning.verdict
    (row,) = report.rows
    assert row.verdict == (
        "not judged: 80 of 400 elements over 5 families of inputs depend on a mistake of the "
        "kernel, E0409"
    )
    assert not report.ok


def test_a_wrong_kernel_is_told_why_and_so_is_a_backend_that_differs():
    report = racing.check(M=4, N=20, dtype="float32", backends=["llvm"])
    assert report.meaning is not None
    assert "error[E0407]" in report.meaning.verdict
    assert not report.ok
    for row in report.rows:
        if row.verdict.startswith("backend wrong"):
            assert row.explanation[-1].startswith("the kernel itself is wrong: E0407, two cores")


def test_a_pole_is_still_a_pole():
    report = pole.check(M=4, N=20, dtype="float32", backends=["numpy"])
    for row in report.all_rows:
        found = "400 of 400 elements over 5 families of inputs"
        assert row.verdict == f"unbounded: {found} lie at a pole or overflow"


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: float32")
def pole_of_a_product(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """Divide by a zero made of a product, which a 910B stores past UB and others do not."""
    a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 16), b.dtype)
    acc, out = tl.alloc_l0c((16, 16), "float32"), tl.alloc_ub((16, 16), "float32")
    tl.data_move(a1, a)
    tl.data_move(b1, b)
    tl.matmul(acc, a1, b1)
    tl.data_move(out, acc)
    out[:] = 1 / (out - out)
    tl.data_move(c, out)


@pole_of_a_product.reference
def _(a: Any, b: Any) -> Any:
    return 1 / (a @ b - a @ b)


@pytest.mark.parametrize("machine", ["ascend910", "ascend910b"])
def test_the_strict_executor_is_asked_by_the_rules_of_the_machine(machine: str):
    report = pole_of_a_product.check(
        M=16, N=16, K=16, dtype="float16", machine=machine, backends=["numpy"]
    )
    for row in report.all_rows:
        found = "1,280 of 1,280 elements over 5 families of inputs"
        assert row.verdict == f"unbounded: {found} lie at a pole or overflow"


def test_arrays_that_are_given_are_no_families():
    x = np.ones((4, 20), np.float32)
    for row in pole.check(x=x, backends=["numpy"]).all_rows:
        assert row.verdict == "unbounded: 80 of 80 elements lie at a pole or overflow"


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_strict_executor_is_asked_with_logical_inputs(dtype: str):
    program = holes.program(M=4, N=20, dtype=dtype)
    error = strict_error(program, [np.zeros((4, 20), dtype)], "host")
    assert error is not None
    assert [one.code for one in error.diagnostics] == ["E0409"]
    program = holes.program(M=4, N=32, dtype=dtype)
    assert strict_error(program, [np.zeros((4, 32), dtype)], "host") is None


def test_the_command_line_prints_the_kernels_own_mistake_once(capsys: pytest.CaptureFixture[str]):
    what = (f"{__file__}:holes", "--dims", "M=4,N=20", "--backends", "llvm,numpy")
    said = Command(capsys)("check", *what, status=1)
    assert said.err.count("error[E0409]: 16 of the 80 elements") == 1
    assert "(program)" in said.out
