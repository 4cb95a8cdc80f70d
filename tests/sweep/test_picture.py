"""The pictures of a sweep: what is in them, not how it looks."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sweep.model import Model
from tilelang.kernels.gemm import gemm
from tilelang.sweep import Plan
from tilelang.sweep.picture import draw

TILES = {"n_tile": [16, 20, 48, 80, 64], "k_tile": [16, 64]}


def test_files_are_written_beside_the_log_and_look_like_what_they_are(model: Model, tmp_path: Path):
    plan = Plan(out=tmp_path, check=False)
    gemm.sweep(TILES, M=16, N=256, K=256, m_tile=16, dtype="float16", backend="model", plan=plan)
    stem = "gemm-M16-N256-K256-m_tile16-float16-model-ascend910-cycles"
    assert (tmp_path / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / f"{stem}.svg").read_text()


def test_a_picture_says_what_was_swept_and_marks_winner_and_illegal_tiles(model: Model):
    report = gemm.sweep(
        TILES,
        M=16,
        N=256,
        K=256,
        m_tile=16,
        dtype="float16",
        backend="model",
        plan=Plan(check=False),
    )
    assert report.heat_map is not None
    figure = draw(report, report.heat_map)
    axes = figure.axes[0]
    title = axes.get_title(loc="left")
    assert "gemm" in title
    assert "M=16, N=256, K=256" in title
    assert "cycles of ascend910, by model" in title
    texts = {text.get_text() for text in axes.texts}
    assert {"E0351", "E0333", "E0907"} <= texts
    assert (
        f"{report.winner.value:,.0f}" in texts if report.winner and report.winner.value else False
    )
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    assert legend == {"winner", "illegal (with the code of the error)", "failed"}


def test_nothing_is_drawn_where_nothing_has_a_value(model: Model, tmp_path: Path):
    plan = Plan(out=tmp_path, check=False)
    gemm.sweep(
        {"n_tile": [20, 24]}, M=16, N=256, K=256, dtype="float16", backend="model", plan=plan
    )
    assert list(tmp_path.glob("*.svg")) == []


def test_without_matplotlib_a_sweep_runs_and_says_what_draws_it(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings: dict[str, Any] = {"M": 16, "N": 256, "K": 256, "m_tile": 16, "dtype": "float16"}
    plan = Plan(out=tmp_path, check=False)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "matplotlib", None)
        report = gemm.sweep(TILES, **settings, backend="model", plan=plan)
    said = str(report)
    assert "not drawn: this sweep needs 'matplotlib', which is not installed" in said
    assert "pip install 'tilelang-tik[plot]'" in said
    assert "n_tile \\ k_tile" in said or "k_tile \\ n_tile" in said
    assert report.ok
    assert report.pictures == ()
    n_counted = len(model.counted)

    again = gemm.sweep(TILES, **settings, backend="model", plan=plan)
    assert len(model.counted) == n_counted
    assert [picture.suffix for picture in again.pictures] == [".png", ".svg"]
    assert f"drawn in {again.pictures[0]} and {again.pictures[1]}" in str(again)
    assert again.to_json()["pictures"] == [str(picture) for picture in again.pictures]
