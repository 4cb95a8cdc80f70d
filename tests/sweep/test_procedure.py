"""Sweeps from beginning to end, by a model whose formula is known, and by measured time."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

import tilelang as tl
from tests.sweep.model import Model, expected_cycles
from tilelang.diagnostics import TileError
from tilelang.kernels.gemm import gemm
from tilelang.sweep.log import FILE, Log
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.report import Report
from tilelang.sweep.trial import Status

SIZES: dict[str, Any] = {"M": 16, "N": 1024, "K": 256}
TILES = {"n_tile": "16:64:x2", "k_tile": [16, 64]}


def by_cycles(tiles: Any, plan: Plan | None = None, **keywords: Any) -> Report:
    given: dict[str, Any] = {**SIZES, "m_tile": 16, **keywords}
    chosen = plan or Plan(check=False)
    return gemm.sweep(tiles, dtype="float16", backend="model", plan=chosen, **given)


def values(report: Report) -> dict[tuple[int, ...], float | None]:
    return {tuple(trial.tiles.values()): trial.value for trial in report.trials}


def test_every_tile_has_the_value_of_the_model_and_the_least_wins(model: Model):
    report = by_cycles(TILES)
    assert report.metric is Metric.CYCLES
    wanted = {
        (n, k): expected_cycles(
            gemm.program(dtype="float16", **SIZES, m_tile=16, n_tile=n, k_tile=k)
        )
        for n in (16, 32, 64)
        for k in (16, 64)
    }
    assert values(report) == wanted
    assert report.winner is not None
    assert tuple(report.winner.tiles.values()) == min(wanted, key=lambda place: wanted[place])
    assert [trial.value for trial in report.ranking] == sorted(wanted.values())
    assert report.call == 'gemm(a, b, backend="model", m_tile=16, n_tile=64, k_tile=64)'


def test_a_second_sweep_runs_nothing_and_a_new_value_alone_what_is_new(model: Model):
    first = by_cycles(TILES)
    assert len(model.counted) == 6
    second = by_cycles(TILES)
    assert len(model.counted) == 6
    assert values(second) == values(first)
    assert second.counts["reused"] == 6
    by_cycles({"n_tile": "16:128:x2", "k_tile": [16, 64]})
    assert [tiles["n_tile"] for tiles in model.counted[6:]] == [128, 128]


def test_what_a_result_depends_on_is_part_of_its_key(model: Model, monkeypatch: pytest.MonkeyPatch):
    by_cycles(TILES)
    by_cycles(TILES, M=17)
    assert len(model.counted) == 12
    by_cycles(TILES, machine="ascend310p")
    assert len(model.counted) == 18
    monkeypatch.setattr(tl, "__version__", "99.0")
    by_cycles(TILES)
    assert len(model.counted) == 24


def test_illegal_tiles_are_listed_with_the_reason_of_the_verifier(model: Model):
    report = by_cycles({"n_tile": [16, 20, 100000, 200000], "k_tile": [64]})
    codes = {
        reason.code: [trial.tiles["n_tile"] for trial in reason.trials] for reason in report.reasons
    }
    assert codes == {"E0350": [100000, 200000], "E0351": [20]}
    assert all(
        trial.status is Status.ILLEGAL for reason in report.reasons for trial in reason.trials
    )
    assert "bytes of L0C" in report.reasons[0].example
    assert "2 x E0350" in str(report)
    assert [tiles["n_tile"] for tiles in model.counted] == [16]


def test_one_bad_configuration_never_ends_a_sweep(model: Model):
    report = by_cycles({"n_tile": [16, 48, 80, 64], "k_tile": [64]})
    status = {trial.tiles["n_tile"]: (trial.status, trial.code) for trial in report.trials}
    assert status == {
        16: (Status.RANKED, None),
        48: (Status.ILLEGAL, "E0333"),
        80: (Status.FAILED, "E0907"),
        64: (Status.RANKED, None),
    }
    assert "ZeroDivisionError: 80 is an unlucky number" in str(report)
    assert report.ok


def test_a_failure_is_remembered_until_a_retry_is_asked_for(model: Model):
    tiles = {"n_tile": [16, 80], "k_tile": [64]}
    by_cycles(tiles)
    by_cycles(tiles)
    assert [tried["n_tile"] for tried in model.counted] == [16, 80]
    by_cycles(tiles, Plan(check=False, retry=True))
    assert [tried["n_tile"] for tried in model.counted] == [16, 80, 80]


def test_a_trial_that_ended_the_sweep_twice_is_left_out(model: Model, log_folder: Path):
    by_cycles({"n_tile": [16, 32], "k_tile": [64]})
    with sqlite3.connect(log_folder / FILE) as database:
        database.execute("update trials set status = 'begun', attempts = 2 where tiles like '%32%'")
    report = by_cycles({"n_tile": [16, 32], "k_tile": [64]})
    assert [(trial.status, trial.code) for trial in report.trials] == [
        (Status.RANKED, None),
        (Status.FAILED, "E0908"),
    ]
    assert by_cycles({"n_tile": [32], "k_tile": [64]}, Plan(check=False, retry=True)).ok


def test_a_sweep_without_a_legal_tile_has_no_winner_and_says_so(model: Model):
    report = by_cycles({"n_tile": [20, 24], "k_tile": [64]})
    assert not report.ok
    assert report.winner is None
    assert "no tiles won" in str(report)
    assert report.heat_map is not None
    assert report.heat_map.values == []


def test_halving_asks_about_a_smaller_problem_first_and_finds_the_best(model: Model):
    tiles = {"n_tile": "16:96:+16", "k_tile": "16:64:+16"}  # 48 is refused, 80 raises
    plan = Plan(check=False, halving=True)
    report = by_cycles(tiles, plan, M=16, N=8192, K=8192)
    assert report.winner is not None
    everything = by_cycles(tiles, M=16, N=8192, K=8192)
    assert report.winner.tiles == everything.winner.tiles if everything.winner else False
    assert report.counts["dropped"] == 16 - 8
    assert report.counts["ranked"] == 8
    assert all(t.value is None for t in report.trials if t.status is Status.DROPPED)


def test_halving_of_a_problem_that_cannot_be_smaller_judges_all(model: Model):
    report = by_cycles(TILES, Plan(check=False, halving=True), N=64, K=64)
    assert report.counts["ranked"] == 6


def test_random_tiles_are_as_many_as_asked_for(model: Model):
    report = by_cycles(
        {"n_tile": "16:256:+16", "k_tile": "16:256:+16"}, Plan(random=9, check=False)
    )
    assert len(report.trials) == 9


def _product_and_one(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return a @ b + 1


def test_the_winner_is_checked_and_a_wrong_one_gives_way(
    model: Model, monkeypatch: pytest.MonkeyPatch, log_folder: Path
):
    report = by_cycles(TILES, Plan())
    assert report.verdict == "ok"
    with Log(None) as log:
        (row,) = log.winners({"kernel": "gemm", "backend": "model"})
    assert row["verdict"] == "ok"
    monkeypatch.setattr(gemm, "reference_function", _product_and_one)
    log_folder.joinpath(FILE).unlink()
    wrong = by_cycles(TILES, Plan())
    assert wrong.winner is None
    assert {trial.code for trial in wrong.trials} == {"E0911"}


def test_a_kernel_without_a_reference_is_not_checked_and_the_report_says_so(
    model: Model, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gemm, "reference_function", None)
    assert by_cycles(TILES, Plan()).verdict == "not checked: the kernel has no reference"


def test_a_backend_without_a_model_cannot_be_swept_by_cycles():
    with pytest.raises(TileError, match=r"E0904\].*'numpy' has no cycle model"):
        gemm.sweep(TILES, **SIZES, dtype="float16", plan=Plan(metric="cycles"))


@pytest.mark.usefixtures("model")
def test_a_backend_that_does_not_run_here_cannot_be_timed():
    with pytest.raises(TileError, match=r"E0616\].*'text' does not run here"):
        gemm.sweep(TILES, **SIZES, dtype="float16", backend="text", plan=Plan(metric="time"))


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"random": -1}, {"repeats": True}, {"jobs": None}])
def test_numbers_of_a_plan_are_positive(wrong: dict[str, Any]):
    with pytest.raises(TileError, match=r"E0909\]"):
        Plan(**wrong)


def test_an_unknown_metric_is_refused():
    given: Any = "flops"
    with pytest.raises(TileError, match=r"E0910\].*'flops', wanted one of time, cycles"):
        Plan(metric=given)


def test_a_mistake_in_the_problem_is_raised_at_once():
    with pytest.raises(TileError, match="E02"):
        gemm.sweep(TILES, M=16, N=16, Q=3, dtype="float16")
    with pytest.raises(TileError, match="E02"):
        gemm.sweep(TILES, M=16, N=16, dtype="float16")


TIMED = Plan(repeats=3)


def timed(tiles: Any, **keywords: Any) -> Report:
    return gemm.sweep(tiles, dtype="float16", plan=TIMED, M=17, N=64, K=33, m_tile=32, **keywords)


def test_measured_times_are_medians_with_noise_and_the_best_are_measured_again(log_folder: Path):
    report = timed({"n_tile": [16, 64], "k_tile": [16, 32, 48]})
    assert report.metric is Metric.TIME
    assert report.verdict == "ok"
    assert all(trial.value and 1e-6 < trial.value < 10 for trial in report.ranking)
    assert report.noise is not None
    assert report.noise.typical >= 0
    assert len(report.ranking) == 6
    again = timed({"n_tile": [16, 64], "k_tile": [16, 32, 48]})
    assert again.counts["reused"] == 6
    assert values(again) == values(report)
    assert again.winner == report.winner or again.winner is not None


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("backend", ["numpy", "model"])
def test_halving_by_time_measures_the_best_with_care(backend: str):
    plan = Plan("time", halving=True, repeats=5)
    sizes: dict[str, Any] = {"M": 17, "N": 64, "K": 33}
    tiles = {"n_tile": [16, 32, 64, 128], "k_tile": "16:80:+16"}
    report = gemm.sweep(tiles, dtype="float16", backend=backend, plan=plan, **sizes)
    assert report.metric is Metric.TIME
    assert (report.counts["ranked"], report.counts["dropped"]) == (8, 12)
    dropped = [trial for trial in report.trials if trial.status is Status.DROPPED]
    assert all((trial.value is None) == (backend == "model") for trial in dropped)
    assert all(len(trial.samples) >= 5 for trial in report.ranking)
    assert report.ok


def test_the_drift_between_batches_is_reported(log_folder: Path):
    report = timed({"n_tile": "16:288:+16"})
    assert len(report.trials) == 18
    assert report.noise is not None
    assert report.noise.drift is not None
    assert "between batches" in str(report)


def test_cycles_and_times_of_the_same_tiles_are_correlated(model: Model):
    tiles = {"n_tile": [16, 32, 64], "k_tile": [16, 48]}
    cycles = gemm.sweep(
        tiles, dtype="float16", backend="model", plan=Plan(check=False), M=17, N=64, K=33, m_tile=32
    )
    assert cycles.correlation is None
    found = timed(tiles).correlation
    assert found is not None
    assert (found.predicted, found.measured, found.n_tiles) == (
        "model on ascend910",
        "numpy on host",
        6,
    )
    assert -1 <= found.coefficient <= 1
