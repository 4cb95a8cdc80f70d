"""`tilelang cycles`."""

import json
from pathlib import Path

from tests.cli.command import Command

GEMM = ("cycles", "gemm", "--machine", "ascend910", "--dims", "M=64,N=128,K=256")


def test_cycles_and_the_pipe_to_blame_are_printed(tilelang: Command):
    said = tilelang(*GEMM).out
    assert "cycles" in said
    assert "a model, not a measurement" in said
    assert "MTE3 is busiest" in said


def test_every_number_is_there_as_json(tilelang: Command):
    found = tilelang(*GEMM, "--json").data
    assert found["cycles"] == found["launch_cycles"] + found["core_cycles"]
    assert found["bytes"]["ub-gm"] == 64 * 128 * 4
    assert {row["pipe"] for row in found["pipes"]} >= {"V", "M", "MTE1", "MTE2", "MTE3"}


def test_files_with_the_timeline_are_written(tilelang: Command, tmp_path: Path):
    trace, page = tmp_path / "trace.json", tmp_path / "page.html"
    tilelang(*GEMM, "--trace", str(trace), "--html", str(page))
    assert json.loads(trace.read_text())["traceEvents"]
    assert page.read_text().startswith("<!doctype html>")


def test_a_tile_changes_the_cycles(tilelang: Command):
    small = tilelang(*GEMM, "--tile", "k_tile=16", "--json").data
    assert small["cycles"] > tilelang(*GEMM, "--json").data["cycles"]


def test_a_backend_without_a_cycle_model_is_refused(tilelang: Command):
    said = tilelang("cycles", "gemm", "--backend", "numpy", "--dims", "M=1,N=1,K=1", status=1).err
    assert "error[E0904]: the backend 'numpy' has no cycle model" in said


def test_a_machine_without_pipes_is_refused(tilelang: Command):
    said = tilelang(*GEMM[:2], "--machine", "sm90", "--dims", "M=1,N=1,K=1", status=1).err
    assert "error[E12" in said
