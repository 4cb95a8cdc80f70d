"""`tilelang demo`, with fewer and smaller problems than a user sees."""

from pathlib import Path

import pytest

from tests.check.faulty import install_faulty
from tests.cli.command import Command
from tilelang.backend import backend_names
from tilelang.cli import demo
from tilelang.cli.demo import TRIALS, Trial


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = (Trial((17, 3, 33), "float16"), Trial((1, 15, 16), "int8"))
    monkeypatch.setattr(demo, "TRIALS", trials)


def test_it_shows_every_problem_on_numpy_and_what_to_try_next(tilelang: Command):
    printed = tilelang("demo").out
    assert "17 x 3 x 33" in printed
    assert "numpy" in printed
    assert "tilelang check gemm" in printed


def test_its_rows_are_all_right(tilelang: Command):
    rows = tilelang("demo", "--json").data
    assert {row["verdict"] for row in rows} == {"ok"}
    assert {row["size"] for row in rows} == {"17 x 3 x 33", "1 x 15 x 16"}
    assert {row["backend"] for row in rows} <= set(backend_names())


def test_a_backend_that_crashes_is_an_error_below_the_rows_of_all(
    tilelang: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install_faulty(tmp_path, monkeypatch)
    monkeypatch.setattr(demo, "runnable", lambda: ["crashing", "numpy"])
    ended = tilelang("demo", status=1)
    assert [line.split(" ")[-1] for line in ended.out.splitlines()[3:7]] == [
        "error[E0707]",
        "ok",
        "ok",
        "ok",
    ]
    again = "tilelang check gemm --dims M=17,N=3,K=33 --dtype float16 --backends crashing"
    assert f"hint: see it alone with `{again}`" in ended.err


def test_the_real_problems_are_ragged_and_of_every_kind():
    assert {trial.dtype for trial in TRIALS} == {"float16", "bfloat16", "float32", "int8"}
    assert any(size % 16 for trial in TRIALS for size in trial.dims)
    assert all("x" in trial.size for trial in TRIALS)
