"""`tilelang sweep`."""

import sys
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.cli.kernel_files import DOUBLE
from tilelang.shipped import find_kernel

GEMM = ("sweep", "gemm", "--dims", "M=17,N=64,K=33", "--repeats", "3")
TILES = ("--tile", "n_tile=16:64:x2", "--tile", "k_tile=16,24,32", "--tile", "m_tile=32")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TILELANG_SWEEPS", str(tmp_path / "user"))
    return tmp_path


def test_a_sweep_prints_ranking_heat_map_reasons_and_a_line_to_paste(tilelang: Command):
    out = tilelang(*GEMM, *TILES, "--out", "found").out
    assert "gemm  M=17, N=64, K=33, m_tile=32, float16  time of numpy on " in out
    assert "; legal on host" in out
    assert "9 tiles: 6 ranked, 3 illegal; 0 from the log, 6 new" in out
    assert "n_tile \\ k_tile" in out
    assert "3 x E0351 a tile that is no multiple of its blocks" in out
    assert 'gemm(a, b, backend="numpy", m_tile=32, n_tile=' in out
    assert sorted(path.suffix for path in Path("found").iterdir()) == [".png", ".sqlite", ".svg"]


def test_run_again_it_runs_nothing(tilelang: Command):
    first = tilelang(*GEMM, *TILES, "--json").data
    again = tilelang(*GEMM, *TILES, "--json").data
    assert again["counts"]["reused"] == 6
    assert again["trials"][0]["value"] == first["trials"][0]["value"]
    assert again["call"] == first["call"]
    assert again["unit"] == "seconds"


def test_a_kernel_in_a_file_is_swept(tilelang: Command, folder: Path):
    (folder / "double.py").write_text(DOUBLE)
    dims = ("--dims", "M=33,N=65", "--tile", "n_tile=32,64", "--repeats", "3")
    assert "double(x, backend=" in tilelang("sweep", "double.py", *dims).out


def test_without_a_winner_the_status_is_1(tilelang: Command):
    out = tilelang(*GEMM, "--tile", "n_tile=20,24", status=1).out
    assert "no tiles won" in out


def test_what_cannot_be_swept_is_said_with_its_code(tilelang: Command, folder: Path):
    assert "E0901" in tilelang(*GEMM, "--tile", "n_tile=16:64", status=1).err
    assert "E0902" in tilelang(*GEMM, "--tile", "o_tile=16,32", status=1).err
    assert "E0903" in tilelang(*GEMM, "--tile", "n_tile=64", status=1).err
    cycles = ("--metric", "cycles", "--tile", "n_tile=16,32")
    assert "E0904" in tilelang(*GEMM, *cycles, status=1).err
    program = find_kernel("gemm").program(M=31, N=17, K=15, dtype="float16")
    (folder / "gemm.tile").write_text(f"{program}\n")
    assert "E0612" in tilelang("sweep", "gemm.tile", "--tile", "n_tile=16,32", status=1).err


def test_options_of_the_backend_reach_it(tilelang: Command):
    arguments = (*GEMM, "--tile", "n_tile=16,64", "--backend", "llvm", "--option", "n_threads=1")
    assert "n_threads=1, n_tile=" in tilelang(*arguments).out


def test_interrupted_it_says_that_it_can_go_on(tilelang: Command, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tilelang.cli.sweep.sweep_problem", interrupt)
    said = tilelang(*GEMM, *TILES, status=130).err
    assert "the same command goes on where it was" in said


def test_a_package_that_is_missing_is_named_without_a_place_in_anybodys_code(
    tilelang: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "joblib", None)
    said = tilelang(*GEMM, *TILES, "--jobs", "2", status=1).err
    assert "error[E0604]: this sweep needs 'joblib', which is not installed" in said
    assert ".py:" not in said
    assert "pip install 'tilelang-tik[sweep]'" in said
