"""Backends that crash or hang are judged from outside, in a row like any other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.check.faulty import install_faulty
from tilelang.check import Report, check, judge_backend
from tilelang.check.isolation import Elsewhere
from tilelang.check.process import Process
from tilelang.kernels.gemm import gemm

SIZES = {"dtype": "float16", "M": 3, "K": 5, "N": 2}


@pytest.fixture(autouse=True)
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_faulty(tmp_path, monkeypatch)


@pytest.fixture
def judge() -> Iterator[Elsewhere]:
    with Process(seconds=5) as process:
        yield Elsewhere(process, "tilelang check gemm --dims M=3", "gemm")


def report_on(judge: Elsewhere, *backends: str) -> Report:
    return check(gemm, judge, backends=backends, machine=None, seed=0, keywords=SIZES)


def test_a_crash_is_a_row_and_the_others_are_judged(judge: Elsewhere):
    report = report_on(judge, "numpy", "crashing", "numpy")
    assert not report.ok
    assert [row.verdict for row in (report.rows[0], report.rows[2])] == ["ok", "ok"]
    assert report.rows[1].verdict == (
        "error[E0707]: backend 'crashing' crashed (signal 11, SIGSEGV) on `gemm` "
        "(a: float16[3, 5], b: float16[5, 2]), machine host\n"
        "    hint: see it alone with `tilelang check gemm --dims M=3 --backends crashing`; "
        "`tilelang fuzz gemm --backends crashing` finds the smallest sizes that do it"
    )


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("aborting", "(signal 6, SIGABRT) on `gemm`"),
        ("aborting", "    FAULTY ERROR: cannot select"),
        ("raising", "    KeyError: 'no such register'"),
        ("hanging", "gave no result within 5 s on `gemm`"),
        ("hanging", "or give it more time with `--limit 1h`"),
    ],
)
def test_what_happened_is_said(judge: Elsewhere, backend: str, said: str):
    (row,) = report_on(judge, backend).rows
    assert said in row.verdict


def test_a_row_from_elsewhere_says_the_same(judge: Elsewhere):
    (there,) = report_on(judge, "numpy").rows
    report = check(gemm, judge_backend, backends=["numpy"], machine=None, seed=0, keywords=SIZES)
    (here,) = report.rows
    assert (there.share, there.families, there.mode) == (here.share, here.families, here.mode)
