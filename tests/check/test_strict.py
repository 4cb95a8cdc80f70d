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
        "not judged: 80 of 400 elements depend on a mistake of the kernel, E0409"
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
        assert row.verdict == "unbounded: 400 of 400 elements lie at a pole or overflow"


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_strict_executor_is_asked_with_logical_inputs(dtype: str):
    program = holes.program(M=4, N=20, dtype=dtype)
    error = strict_error(program, [np.zeros((4, 20), dtype)])
    assert error is not None
    assert [one.code for one in error.diagnostics] == ["E0409"]
    program = holes.program(M=4, N=32, dtype=dtype)
    assert strict_error(program, [np.zeros((4, 32), dtype)]) is None


def test_the_command_line_prints_the_kernels_own_mistake_once(capsys: pytest.CaptureFixture[str]):
    what = (f"{__file__}:holes", "--dims", "M=4,N=20", "--backends", "llvm,numpy")
    said = Command(capsys)("check", *what, status=1)
    assert said.err.count("error[E0409]: 16 of the 80 elements") == 1
    assert "(program)" in said.out
