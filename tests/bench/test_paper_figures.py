"""What the model must say about the paper's figures; no number of it may be tuned to them."""

import sys
from pathlib import Path

import pytest

from bench.paper import figure14, lstm, precision, utilisation
from bench.paper.batch_norm_pass import batch_norm_pass
from bench.paper.wide_conv import Conv
from tilelang.backends.tik.cycles import count_cycles


def test_the_knee_of_figure_14_is_where_the_paper_sees_it():
    times = figure14.sweep()
    assert figure14.is_knee(times, figure14.PUBLISHED)
    here = times[figure14.PUBLISHED]
    assert times[16, 16] > 20 * here
    assert min(times.values()) > 0.95 * here


def test_the_knee_does_not_depend_on_when_sums_are_stored():
    assert figure14.is_knee(figure14.sweep(store_each_step=False), figure14.PUBLISHED)


def test_large_products_and_convolutions_reach_what_was_measured():
    assert utilisation.gemm_point(4096).tflops >= utilisation.PUBLISHED["fully connected"]
    conv = utilisation.conv_point(Conv(128, 112, 128, 256, 3))
    assert conv is not None
    assert conv.tflops >= utilisation.PUBLISHED["convolution"]


def test_nothing_is_faster_than_the_roof():
    for point in (utilisation.gemm_point(1024), utilisation.conv_point(Conv(128, 112, 32, 256, 1))):
        assert point is not None
        assert point.cycles.flop_per_second <= point.cycles.roof_flop_per_second


def test_an_lstm_gains_by_keeping_its_data_on_the_core():
    unfused, fused, resident = (lstm.run(name, forms) for name, forms in lstm.WAYS.items())
    assert unfused.intensity < unfused.chip.ridge, "left of the ridge: memory's side"
    assert 1.2 * fused.cycles < unfused.cycles
    assert 2 * resident.cycles < fused.cycles
    assert resident.intensity > resident.chip.ridge


def test_a_large_lstm_is_near_the_memory_slope_and_a_small_one_pays_for_launches():
    shares = [lstm.run(lstm.UNFUSED, lstm.WAYS[lstm.UNFUSED], layer) for layer in lstm.LAYERS]
    assert all(way.intensity < way.chip.ridge for way in shares)
    assert [way.share_of_roof for way in shares] == sorted(way.share_of_roof for way in shares)
    assert shares[-1].share_of_roof > 0.8
    assert shares[0].launch_share > shares[0].share_of_roof


def test_float32_halves_the_throughput_of_batch_norm():
    half, single = (count_cycles(batch_norm_pass(d)).total for d in ("float16", "float32"))
    assert half / single == pytest.approx(precision.PUBLISHED, abs=0.03)


@pytest.mark.parametrize("figure", [figure14, precision, lstm])
def test_a_figure_prints_its_table_and_draws_its_picture(
    figure: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["figure", "--out", str(tmp_path)])
    main = getattr(figure, "main")  # noqa: B009 - a module's function, of several modules
    main()
    said = capsys.readouterr().out
    assert "paper" in said
    assert "agrees" in said
    assert [picture.suffix for picture in tmp_path.iterdir()] == [".png"]
