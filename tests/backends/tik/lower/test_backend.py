"""The backend object: what it promises, its source, its runs."""

import numpy as np
import pytest

import tilelang as tl
from tests.correctness import assert_correct
from tilelang.backend import find_backend
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.backend import TikExecutable
from tilelang.kernels.gemm import gemm
from tilelang.kernels.softmax import softmax
from tilelang.machines import find_machine


def test_it_is_found_by_name_and_runs_everywhere() -> None:
    assert find_backend("tik") is BACKEND
    assert (BACKEND.name, BACKEND.machine, BACKEND.runs_here) == ("tik", "ascend910", None)


def test_a_kernel_is_called_on_it_like_on_any_other() -> None:
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, shape).astype(np.float16) for shape in ((40, 50), (50, 60)))
    np.testing.assert_array_equal(gemm(a, b, backend="tik"), a.astype(np.float32) @ b)


def test_its_source_quotes_the_kernel() -> None:
    text = gemm.source("tik", dtype="float16", M=16, N=16, K=16)
    assert "# tl.data_move(a1, a[i * m_tile, k * k_tile])" in text
    assert "from tbe import tik" in text


def test_a_run_keeps_what_it_was_warned_of() -> None:
    x = np.ones((3, 5), np.float32)
    program = softmax.program(x=x, machine="ascend910")
    executable = BACKEND.compile(program, ASCEND)
    assert isinstance(executable, TikExecutable)
    y = np.empty_like(x)
    executable(x, y)
    assert_correct(program, [x], [y], BACKEND.numerics)
    assert {warning.code for warning in executable.warnings} <= {"E1220", "E1221"}


def test_sizes_that_do_not_fit_are_told_by_the_verifier_first() -> None:
    with pytest.raises(tl.TileError, match="E0350"):
        gemm.source("tik", dtype="float16", M=16, N=16, K=16, n_tile=8192)


ASCEND = find_machine("ascend910")
