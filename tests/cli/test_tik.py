"""`tilelang tik run` and `tilelang package`."""

from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Command
from tilelang.kernels.gemm import gemm

SIZES = ("--dims", "M=16,N=48,K=20")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    np.save("a.npy", random.integers(-4, 5, (16, 20)).astype(np.float16))
    np.save("b.npy", random.integers(-4, 5, (20, 48)).astype(np.float16))
    return tmp_path


def test_printed_source_runs_to_the_kernels_numbers(tilelang: Command, folder: Path) -> None:
    printed = tilelang("source", "gemm", "--backend", "tik", *SIZES).out
    (folder / "gemm.py").write_text(printed, encoding="utf-8")
    feeds = ("--feed", "a=a.npy", "--feed", "b=b.npy")
    done = tilelang("tik", "run", "gemm.py:gemm", *feeds, "--out", "c.npy", "--json")
    assert done.data[0]["type"] == "float32[16, 48]"
    wanted = gemm(np.load("a.npy"), np.load("b.npy"), backend="tik")
    np.testing.assert_array_equal(np.load("c.npy"), wanted)


def test_tails_are_warnings_on_the_error_stream(tilelang: Command, folder: Path) -> None:
    printed = tilelang("source", "gemm", "--backend", "tik", *SIZES).out
    (folder / "gemm.py").write_text(printed, encoding="utf-8")
    done = tilelang("tik", "run", "gemm.py", "--feed", "a=a.npy", "--feed", "b=b.npy")
    assert "warning[E1220]" in done.err


def test_a_finding_is_an_error_unless_it_is_tolerated(tilelang: Command, folder: Path) -> None:
    text = """
from tbe import tik

def half_a_block():
    t = tik.Tik()
    y = t.Tensor("int32", (8,), name="y", scope=tik.scope_gm)
    ub = t.Tensor("int32", (8,), name="ub", scope=tik.scope_ubuf)
    ub[0].set_as(1)
    t.data_move(y, ub, 0, 1, 1, 0, 0)
    t.BuildCCE("half_a_block", [], [y])
"""
    (folder / "half.py").write_text(text, encoding="utf-8")
    assert "half.py:9:5: error[E1207]" in tilelang("tik", "run", "half.py", status=1).err
    done = tilelang("tik", "run", "half.py", "--tolerate", "E1207", "--out", "y.npy")
    assert "half.py:9:5: warning[E1207]" in done.err
    assert np.load("y.npy")[0] == 1


def test_a_missing_feed_names_what_is_wanted(tilelang: Command, folder: Path) -> None:
    printed = tilelang("source", "gemm", "--backend", "tik", *SIZES).out
    (folder / "gemm.py").write_text(printed, encoding="utf-8")
    done = tilelang("tik", "run", "gemm.py", "--feed", "a=a.npy", status=1)
    assert "E1211" in done.err
    assert "`b` is not fed" in done.err
    assert "hint: add --feed b=b.npy, a file of numpy.save\n" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--feed", "a.npy"), "E0609"),
        (("--feed", "a=missing.npy"), "E0605"),
        (("--feed", "a=a.npy", "--feed", "b=b.npy", "--out", "d=d.npy"), "E0609"),
    ],
)
def test_wrong_options_are_told(
    tilelang: Command, folder: Path, arguments: tuple[str, ...], code: str
) -> None:
    printed = tilelang("source", "gemm", "--backend", "tik", *SIZES).out
    (folder / "gemm.py").write_text(printed, encoding="utf-8")
    assert code in tilelang("tik", "run", "gemm.py", *arguments, status=1).err


def test_a_package_is_written_file_by_file(tilelang: Command, folder: Path) -> None:
    done = tilelang("package", "gemm", "--out", "made", *SIZES)
    assert "made/tbe/impl/gemm.py" in done.out
    assert (folder / "made/op_proto/gemm.cc").is_file()
    assert all((folder / line).is_file() for line in done.out.split())
