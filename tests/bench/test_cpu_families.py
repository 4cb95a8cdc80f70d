"""The families of `bench.cpu_kernels`: every case is compiled, runs, and has its peer and goal."""

from collections.abc import Callable, Mapping
from types import ModuleType

import pytest

from bench.cpu_kernels import norms, products, recurrence
from bench.cpu_kernels.row import Row
from tilelang.kernels.linear import Activation
from tilelang.kernels.softmax import softmax

Run = Callable[[], object]


def run_once(runs: Mapping[str, Run], n_rounds: int) -> dict[str, float]:
    """Call everyone once, as `medians` would many times; the later of them take longer."""
    assert n_rounds > 0
    for run in runs.values():
        run()
    return {name: 1e-6 * place for place, name in enumerate(runs, 1)}


def rows_of(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> list[Row]:
    """Return a family's rows without taking times, and without torch."""
    monkeypatch.setattr(module, "medians", run_once)
    if hasattr(module, "find_torch"):
        monkeypatch.setattr(module, "find_torch", lambda: None)
    return list(module.rows(quick))


def test_linear_is_measured_with_every_activation_beside_gemm(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "SIZES", ((17, 33, 16), (16, 16, 1)))
    found = rows_of(products, monkeypatch, quick=False)
    assert [row.case for row in found[:3]] == [
        f"linear 17x33x16 {kind.name} float32" for kind in Activation
    ]
    assert len(found) == len(products.DTYPES) * 2 * len(Activation)
    assert {row.peer for row in found} == {"our gemm"}


def test_linear_says_why_where_it_falls_short_and_nowhere_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "SIZES", ((16, 16, 16),))

    def gelu_is_slow(runs: Mapping[str, Run], n_rounds: int) -> dict[str, float]:
        return {name: 2e-6 if name == "GELU" else 1e-6 for name in run_once(runs, n_rounds)}

    monkeypatch.setattr(products, "medians", gelu_is_slow)
    notes = {row.note for row in products.rows(quick=True) if row.is_short}
    assert notes == {products.REASONS[Activation.GELU]}
    assert {row.note for row in products.rows(quick=True) if not row.is_short} == {""}


def test_every_activation_has_its_reason():
    assert set(products.REASONS) == set(Activation)


def test_a_step_of_lstm_cell_is_measured_in_every_dtype(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recurrence, "BATCH", 3)
    monkeypatch.setattr(recurrence, "SIZES", (17, 16))
    found = rows_of(recurrence, monkeypatch, quick=False)
    assert [row.case for row in found[:3]] == [
        f"lstm_cell 3 by 17 {dtype}" for dtype in recurrence.GOALS
    ]
    assert [row.goal for row in found] == [*recurrence.GOALS.values()] * 2
    assert all(row.ratio is None and not row.is_short for row in found)


def test_kernels_on_rows_and_on_maps_are_measured_in_every_dtype(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(norms, "MATRICES", ((3, 17), (1, 1)))
    monkeypatch.setattr(norms, "MAPS", ((2, 3, 5, 7), (1, 1, 1, 1)))
    assert len(rows_of(norms, monkeypatch, quick=False)) == 2 * 4 * len(norms.DTYPES)
    quick = [row.case for row in rows_of(norms, monkeypatch, quick=True)]
    assert quick[:4] == [
        "softmax 3x17 float32",
        "layer_norm 3x17 float32",
        "batch_norm 2x3x5x7 float32",
        "batch_norm_training 2x3x5x7 float32",
    ]
    assert len(quick) == 4 * len(norms.DTYPES)


def test_a_case_is_named_by_kernel_shape_and_dtype():
    assert norms.Case(softmax, (2, 3), "float16").name == "softmax 2x3 float16"
