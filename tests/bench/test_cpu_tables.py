"""The tables of products, calls and tiles on this CPU: what a cell says, and that the peers run."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import cpu_calls, cpu_elementwise, cpu_gemm, cpu_threads
from bench.cpu_peak import Peak
from bench.cpu_peers import Case
from bench.cpu_threads import Row, Sample, spread
from tilelang.dtypes import DType

CASE = Case(16, 16, 16, "float32")


def sample(ours: float, alone: float, others: float = 0.0) -> Sample:
    return Sample({"ours": ours, "ours alone": alone, "loop": 1.0, "loop alone": 2.0}, others)


def test_a_cell_is_the_median_with_the_least_and_the_most():
    assert spread([3.0, 1.0, 2.25], 1) == "2.2 (1.0-3.0)"


def cells_of(row: Row) -> list[str]:
    return [cell.strip() for cell in row.line().split("|")[1:-1]]


def test_a_row_of_two_threads_compares_each_calm_process_with_itself():
    row = Row(CASE, [sample(1e-6, 1e-6), sample(1e-6, 2e-6), sample(2e-6, 3e-6, 0.5)], [])
    assert cells_of(row)[2:6] == [
        "1.50 (1.00-2.00)",
        "2.00 (2.00-2.00)",
        "2 of 3",
        "1.50 (1.50-1.50)",
    ]
    assert row.ratio() is None


def test_a_row_without_a_calm_process_is_of_all():
    row = Row(CASE, [sample(1e-6, 1e-6, 0.06), sample(1e-6, 2e-6, 0.5)], [])
    assert cells_of(row)[2] == cells_of(row)[5] == "1.50 (1.00-2.00)"
    assert cells_of(row)[4] == "0 of 2"


def test_a_row_names_the_best_peer_by_its_median():
    peers = [Sample({"slow": 4.0, "fast": 1.0}, 0.0), Sample({"slow": 4.0, "fast": 9.0}, 0.0)]
    row = Row(CASE, [sample(2.5, 5.0)], [*peers, Sample({"steady": 4.5}, 0.0)])
    assert row.best_peer == "slow"
    assert row.ratio() == 4.0 / 2.5


def test_a_process_of_its_own_measures_every_case():
    cases = [CASE, Case(17, 33, 15, "int8")]
    (first,), (second,) = ([row.ours[0]] for row in cpu_threads.rows(cases, 1))
    for found in (first, second):
        assert set(found.times) == {"ours", "ours alone", "loop", "loop alone"}
        assert found.others >= 0


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", [DType(name) for name in cpu_gemm.DTYPES])
def test_the_loop_runs_its_two_parts_on_one_thread_or_two(dtype: DType, n_threads: int):
    Peak(dtype, n_threads).run()


def test_every_way_to_call_is_measured_in_every_dtype(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cpu_calls, "DTYPES", ())
    monkeypatch.setattr(cpu_calls, "_N_CALLS", 1)
    rows = [line for line in cpu_calls.lines(quick=True) if line.startswith("| a ")]
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {len(cpu_calls.CALLED) + 2}


def test_a_product_is_made_once_and_then_loaded(tmp_path: Path):
    times = [cpu_calls.in_process("int8", (17, 15, 16), str(tmp_path)) for _ in range(2)]
    assert len([*tmp_path.rglob("*")]) == 2  # the folder of the backend and one entry
    assert all(seconds > 0 for pair in times for seconds in pair)


def test_every_operation_of_tiles_has_its_row(monkeypatch: pytest.MonkeyPatch):
    def equal(runs: Mapping[str, object], n_rounds: int) -> dict[str, float]:
        return dict.fromkeys(runs, float(n_rounds))

    monkeypatch.setattr(cpu_elementwise, "medians", equal)
    rows = [line for line in cpu_elementwise.lines(quick=True) if line.startswith("| ")]
    assert len(rows) == 1 + len(cpu_elementwise.OPERATIONS)
