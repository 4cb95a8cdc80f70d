"""`tilelang demo`, with fewer and smaller problems than a user sees."""

import pytest

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


def test_the_real_problems_are_ragged_and_of_every_kind():
    assert {trial.dtype for trial in TRIALS} == {"float16", "bfloat16", "float32", "int8"}
    assert any(size % 16 for trial in TRIALS for size in trial.dims)
    assert all("x" in trial.size for trial in TRIALS)
