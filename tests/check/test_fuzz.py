"""Fuzzing: what breaks a kernel is found, shrunk, printed as a test, and found again."""

import builtins
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl
from tests.check.faulty import install_faulty
from tilelang.check.fuzz import Budget, Refused, read_budget, replay
from tilelang.check.fuzz.margins import guarded
from tilelang.diagnostics import TileError
from tilelang.kernel import Kernel
from tilelang.kernels.gemm import gemm


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def twice(x: tl.Tensor, y: tl.Tensor, *, rows: int = 16, columns: int = 16) -> None:
    """Double x, but lose what is past the last whole tile of columns."""
    for i in tl.cores(tl.ceildiv(x.shape[0], rows)):
        for j in tl.for_range(tl.ceildiv(x.shape[1], columns)):
            t = tl.alloc_ub((rows, columns), x.dtype)
            tl.data_move(t, x[i * rows, j * columns])
            with tl.if_scope((j + 1) * columns <= x.shape[1]):
                t += t
            tl.data_move(y[i * rows, j * columns], t)


@twice.reference
def _(x: NDArray[Any]) -> NDArray[Any]:
    return 2 * x


def test_a_tail_that_is_lost_is_found_and_shrunk_to_one_column():
    report = twice.fuzz(backends=["numpy"], budget="20s", seed=1, dtype="float32")
    assert not report.ok
    assert report.failure is not None
    assert report.failure.wrong.startswith("the kernel differs from its reference")
    tried = report.failure.tried
    assert (tried.keywords["M"], tried.keywords["N"]) == (1, 1)
    assert "def test_twice_on_numpy_m_1_n_1" in report.failure.test


def test_the_printed_test_fails_as_the_fuzzer_did():
    report = twice.fuzz(backends=["numpy"], budget=20, seed=2)
    assert report.failure is not None
    call = re.search(r"assert (replay\(.*\)) is None", report.failure.test)
    assert call is not None
    assert eval(call[1], {"replay": replay, "twice": twice}) == report.failure.wrong


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def undefined(x: tl.Tensor, y: tl.Tensor, *, columns: int = 16) -> None:
    """Double x, but read what was never written where N ends inside a tile."""
    for j in tl.cores(tl.ceildiv(x.shape[1], columns)):
        t = tl.alloc_ub((x.shape[0], columns), x.dtype)
        with tl.if_scope((j + 1) * columns <= x.shape[1]):
            tl.data_move(t, x[0, j * columns])
        t += t
        tl.data_move(y[0, j * columns], t)


@undefined.reference
def _(x: NDArray[Any]) -> NDArray[Any]:
    return 2 * x


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_kernel_that_is_wrong_itself_is_told_so_at_its_own_line(backend: str):
    report = undefined.fuzz(backends=[backend], budget="30s", seed=3, dtype="float32")
    assert report.failure is not None
    first, said, line, caret, *_ = report.failure.wrong.splitlines()
    assert first == "numpy raises E0402"
    assert said.startswith(f"{__file__}:")
    assert "error[E0402]" in said
    assert "reads `t[0, 0]`, which is undefined" in said
    assert line.strip() == "t += t"
    assert caret.strip() == "^" * len("t += t")
    assert "note: `t` is allocated here" in str(report)
    assert report.to_json()["failure"]["wrong"] == report.failure.wrong


@tl.kernel("x[M]: T; factor -> y[M]: T")
def kept(x: tl.Tensor, y: tl.Tensor, *, factor: float = 1.0, m_tile: int = 16) -> None:
    """Multiply by a factor, but lose it where it is not 1."""
    del factor
    for i in tl.cores(tl.ceildiv(x.shape[0], m_tile)):
        t = tl.alloc_ub((m_tile,), x.dtype)
        tl.data_move(t, x[i * m_tile])
        tl.data_move(y[i * m_tile], t)


@kept.reference
def _(x: NDArray[Any], factor: float) -> NDArray[Any]:
    return x * factor


def test_attributes_that_are_floats_are_drawn():
    report = kept.fuzz(backends=["numpy"], budget="30s", seed=1, dtype="float32")
    assert report.failure is not None
    factor = report.failure.tried.keywords["factor"]
    assert isinstance(factor, float)
    assert factor != 1
    assert f"replay(kept, 'numpy', M=1, factor={factor!r}" in report.failure.test


def test_a_failure_with_an_infinite_attribute_is_python():
    report = kept.fuzz(backends=["numpy"], budget="30s", dtype="float32", factor=-np.inf)
    assert report.failure is not None
    assert "factor=float('-inf')" in report.failure.test
    compile(report.failure.test, "failure.py", "exec")


def test_the_same_seed_finds_the_same():
    one, other = (twice.fuzz(backends=["numpy"], budget=20, seed=5) for _ in range(2))
    assert one.failure == other.failure


def test_a_right_kernel_is_tried_until_the_budget_is_spent():
    started = time.perf_counter()
    report = gemm.fuzz(backends=["numpy"], budget="2s", dtype="float16", K=17)
    assert 2 <= time.perf_counter() - started < 12
    assert report.ok, report
    assert report.counts["numpy"] > 1
    assert "nothing failed" in str(report)


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_faulty(tmp_path, monkeypatch)


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("careless", "careless writes outside the array of `c`"),
        ("aborting", "aborting crashed (signal 6, SIGABRT): FAULTY ERROR: cannot select"),
        ("raising", "raising crashed (status 1): KeyError: 'no such register'"),
        ("crashing", "crashing crashed (signal 11, SIGSEGV)"),
    ],
)
def test_what_a_backend_does_to_its_process_is_seen_from_outside(backend: str, said: str):
    assert replay(gemm, backend, M=3, K=3, N=4, dtypes={"T": "float16"}) == said


@pytest.mark.usefixtures("faulty")
def test_a_crash_is_shrunk_and_printed_as_a_test():
    report = gemm.fuzz(backends=["crashing"], budget="30s", seed=1, dtype="float16")
    assert report.failure is not None
    assert report.failure.wrong == "crashing crashed (signal 11, SIGSEGV)"
    tried = report.failure.tried.keywords
    assert (tried["M"], tried["N"]) == (3, 1)
    assert "assert replay(gemm, 'crashing', M=3" in report.failure.test


def test_margins_hold_the_array_and_show_a_change():
    one = guarded(np.arange(6, dtype=np.float16).reshape(2, 3))
    np.testing.assert_array_equal(one.array, [[0, 1, 2], [3, 4, 5]])
    assert one.array.flags.c_contiguous
    one.array[1, 2] = 9
    assert one.is_intact
    one.memory[one.start - 1] ^= 1
    assert not one.is_intact


def test_what_is_not_legal_is_no_failure():
    with pytest.raises(Refused):
        replay(gemm, "numpy", M=1, K=1, N=1, m_tile=3)


@pytest.mark.parametrize(("budget", "seconds"), [("60s", 60), ("1.5m", 90), (7, 7), ("3", 3)])
def test_a_budget_is_read(budget: Any, seconds: float):
    assert read_budget(budget) == Budget(seconds=seconds)


@pytest.mark.parametrize("text", ["200 runs", "200runs", " 200 run "])
def test_a_number_of_runs_is_read(text: str):
    assert read_budget(text) == Budget(n_runs=200)


@pytest.mark.parametrize("text", ["soon", "0 runs", "1.5 runs", "-1 runs", "runs", "5 m runs"])
def test_what_is_neither_time_nor_runs_is_refused(text: str):
    assert list(codes(lambda: read_budget(text))) == ["E0703"]


def test_a_right_kernel_is_tried_as_often_as_asked():
    report = gemm.fuzz(backends=["numpy"], budget="7 runs", dtype="float16", K=17)
    assert report.ok, report
    assert report.counts == {"numpy": 7}


def test_runs_that_cannot_be_made_are_given_up():
    report = gemm.fuzz(backends=["numpy"], budget="2 runs", dtype="float16", m_tile=3)
    assert not report.ok
    assert (dict(report.counts), report.n_refused) == ({}, 40)


def test_runs_that_shrink_a_failure_are_not_counted():
    found = twice.fuzz(backends=["numpy"], budget="60 runs", seed=1, dtype="float32").failure
    assert found is not None
    assert (found.tried.keywords["M"], found.tried.keywords["N"]) == (1, 1)


def codes(run: Any) -> Iterator[str]:
    with pytest.raises(TileError) as caught:
        run()
    return (one.code for one in caught.value.diagnostics)


def test_mistakes_of_the_call_are_said_before_anything_runs():
    assert list(codes(lambda: gemm.fuzz(budget="soon"))) == ["E0703"]
    assert list(codes(lambda: gemm.fuzz(n_tiles=16))) == ["E0808"]
    silent = Kernel(twice.function, twice.signature)
    assert list(codes(lambda: silent.fuzz())) == ["E0701"]


def test_without_hypothesis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    load = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.startswith("tilelang.check.fuzz.search"):
            raise ModuleNotFoundError("no", name="hypothesis")
        return load(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TileError, match=r"pip install 'tilelang-tik\[fuzz\]'"):
        gemm.fuzz()
