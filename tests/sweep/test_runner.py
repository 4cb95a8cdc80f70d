"""Trials in other processes and on a cluster."""

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.sweep.judges import crash_at_80, say_process
from tilelang.diagnostics import TileError
from tilelang.kernels.gemm import gemm
from tilelang.sweep import Plan
from tilelang.sweep.judge import Task
from tilelang.sweep.packages import need
from tilelang.sweep.runner import open_runner


def task(*n_tiles: int) -> Task:
    sizes: dict[str, Any] = {"M": 16, "N": 64, "K": 16}
    programs = tuple(gemm.program(dtype="float16", **sizes, n_tile=n) for n in n_tiles)
    return Task(programs, "numpy", "host")


def ignore(number: int) -> None:
    pass


def test_one_job_runs_here_in_order_and_says_what_it_begins():
    begun: list[int] = []
    with open_runner(Plan()) as runner:
        found = list(runner.run(say_process, [task(16), task(32, 48)], begun.append))
    assert [number for number, _ in found] == begun == [0, 1]
    assert [len(outcomes) for _, outcomes in found] == [1, 2]
    assert {outcome.samples[0] for _, outcomes in found for outcome in outcomes} == {os.getpid()}


def test_several_jobs_run_elsewhere_and_a_crash_loses_only_itself():
    with open_runner(Plan(jobs=2)) as runner:
        where = dict(runner.run(say_process, [task(16), task(32)], ignore))
        assert os.getpid() not in {outcome.samples[0] for (outcome,) in where.values()}
        tasks = [task(16), task(64, 80, 96), task(32)]
        found = dict(runner.run(crash_at_80, tasks, ignore))
    ends = {n: [outcome.code or outcome.samples for outcome in found[n]] for n in found}
    assert ends == {0: [(16.0,)], 1: [(64.0,), "E0908", (96.0,)], 2: [(32.0,)]}


def test_a_sweep_with_two_jobs_finds_what_one_finds(tmp_path: Path):
    tiles = {"n_tile": [16, 64], "k_tile": [16, 32]}
    plan = Plan(jobs=2, repeats=3, out=tmp_path, pictures=False)
    sizes: dict[str, Any] = {"M": 17, "N": 64, "K": 33}
    report = gemm.sweep(tiles, dtype="float16", plan=plan, **sizes)
    assert report.counts["ranked"] == 4
    one = Plan(repeats=3, out=tmp_path, pictures=False)
    again = gemm.sweep(tiles, dtype="float16", plan=one, **sizes)
    assert again.counts["reused"] == 4


def test_a_sweep_on_a_local_dask_cluster():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's own
        distributed = need("distributed", "sweep")
        settings = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(**settings, processes=False) as cluster:
            plan = Plan(dask=cluster.scheduler_address, repeats=3)
            tiles = {"n_tile": [16, 20, 64]}
            report = gemm.sweep(tiles, dtype="float16", plan=plan, M=17, N=64, K=33)
    assert report.ok
    assert report.place.startswith("dask ")
    assert report.counts["ranked"] == 2
    assert report.verdict == "ok"


@pytest.mark.filterwarnings("ignore")
def test_a_sweep_on_dask_workers_of_its_own():
    plan = Plan(dask="local", jobs=2, repeats=3)
    report = gemm.sweep({"n_tile": "16:256:+16"}, dtype="float16", plan=plan, M=17, N=256, K=33)
    assert report.counts["ranked"] == 16
    assert report.ok


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_said_to_be_missing():
    plan = Plan(dask="not an address")
    with pytest.raises(TileError, match=r"E0905\].*'not an address'"):
        gemm.sweep({"n_tile": [16]}, dtype="float16", plan=plan, M=16, N=16, K=16)
