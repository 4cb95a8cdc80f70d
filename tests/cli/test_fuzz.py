"""`tilelang fuzz` and the parts of `tilelang check` that explain."""

from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.cli.kernel_files import WRONG
from tilelang.shipped import find_kernel


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


def test_a_right_kernel_ends_with_status_0(tilelang: Command):
    arguments = ("--budget", "1s", "--backends", "numpy", "--dtype", "float16", "--dims", "K=17")
    data = tilelang("fuzz", "gemm", *arguments, "--json").data
    assert data["ok"] is True
    assert data["tries"]["numpy"] > 0
    assert data["failure"] is None


def test_so_many_runs_are_made_as_asked(tilelang: Command):
    arguments = ("--runs", "5", "--backends", "numpy", "--dtype", "float16", "--dims", "K=17")
    data = tilelang("fuzz", "gemm", *arguments, "--json").data
    assert data["ok"] is True
    assert data["tries"] == {"numpy": 5}


@pytest.mark.parametrize("arguments", [("--runs", "5", "--budget", "1s"), ("--runs", "0")], ids=str)
def test_runs_are_instead_of_a_time_and_at_least_one(tilelang: Command, arguments: tuple[str, ...]):
    assert "error[E0703]" in tilelang("fuzz", "gemm", *arguments, status=1).err


def test_a_failure_is_printed_as_a_test_with_status_1(tilelang: Command):
    arguments = ("--budget", "20s", "--backends", "numpy", "--seed", "3")
    out = tilelang("fuzz", "wrong.py:triple", *arguments, status=1).out
    assert "the kernel differs from its reference" in out
    assert "def test_triple_on_numpy_" in out


def test_a_program_has_no_sizes_to_draw(tilelang: Command, folder: Path):
    program = find_kernel("gemm").program(M=31, N=17, K=15, dtype="float16")
    (folder / "gemm.tile").write_text(f"{program}\n")
    assert "error[E0704]" in tilelang("fuzz", "gemm.tile", status=1).err


def test_check_says_what_is_wrong_and_draws_it(tilelang: Command, folder: Path):
    arguments = ("--dims", "M=17,N=3", "--backends", "numpy", "--picture", "error.svg")
    ended = tilelang("check", "wrong.py:triple", *arguments, status=1)
    assert "kernel wrong" in ended.out
    assert "51 of 51 elements of `y` are wrong" in ended.out
    assert (folder / "error.svg").read_text().startswith("<svg")
