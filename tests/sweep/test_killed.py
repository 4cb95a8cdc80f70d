"""A sweep that is killed goes on where it was."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.repository import ROOT
from tilelang.kernels.gemm import gemm
from tilelang.sweep import Plan
from tilelang.sweep.log import FILE

SCRIPT = """
import sys
from tilelang.kernels.gemm import gemm
from tilelang.sweep import Plan
plan = Plan(out=sys.argv[1], repeats=3, pictures=False, check=False)
gemm.sweep({"n_tile": "16:512:+16"}, dtype="float16", plan=plan, M=64, N=512, K=64)
"""
DEADLINE_SECONDS = 60


def n_finished(file: Path) -> int:
    if not file.is_file():
        return 0
    with sqlite3.connect(file) as database:
        try:
            (n,) = database.execute(
                "select count(*) from trials where status = 'ranked'"
            ).fetchone()
        except sqlite3.OperationalError:  # the table is not there yet
            return 0
    return n


def test_a_killed_sweep_resumes(tmp_path: Path):
    file = tmp_path / FILE
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT)
    started = time.monotonic()
    while n_finished(file) == 0 and time.monotonic() - started < DEADLINE_SECONDS:
        time.sleep(0.005)
    process.kill()
    process.wait()
    n_before = n_finished(file)
    assert 0 < n_before < 32
    plan = Plan(out=tmp_path, repeats=3, pictures=False, check=False)
    report = gemm.sweep({"n_tile": "16:512:+16"}, dtype="float16", plan=plan, M=64, N=512, K=64)
    assert report.counts["ranked"] == 32
    assert report.counts["reused"] == n_before
