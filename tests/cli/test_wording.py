"""Where the command line gave the values, mistakes name its options."""

from pathlib import Path

import pytest

from tests.cli.command import Command

SCALED = """import tilelang as tl
@tl.kernel("x[M]: T; scale -> y[M]: T")
def scaled(x, y, *, scale: float):
    pass
"""


@pytest.mark.parametrize("command", ["source", "run", "check", "compile", "cycles"])
def test_missing_sizes_are_asked_for_together(tilelang: Command, command: str):
    said = tilelang(command, "gemm", "--dims", "M=16", status=1).err
    assert "error[E0226]: the sizes K and N are not known\n" in said
    assert "hint: add --dims K=...,N=...\n" in said
    assert said.count("error[") == 1


def test_one_missing_size(tilelang: Command):
    said = tilelang("source", "gemm", "--dims", "M=16,K=16", status=1).err
    assert "the size N is not known" in said
    assert "hint: add --dims N=...\n" in said


def test_an_attribute_that_is_missing(tilelang: Command, tmp_path: Path):
    file = tmp_path / "scaled.py"
    file.write_text(SCALED)
    said = tilelang("source", str(file), "--dims", "M=16", status=1).err
    assert "error[E0813]: the attribute `scale` is not given\n" in said
    assert "hint: write --attr scale=...\n" in said


def test_a_size_that_is_none(tilelang: Command):
    said = tilelang("source", "gemm", "--dims", "M=-1,N=16,K=16", status=1).err
    assert "hint: write --dims M=..., a whole number of 0 or more" in said


def test_a_name_in_other_letters(tilelang: Command):
    said = tilelang("source", "gemm", "--dims", "m=16,N=16,K=16", status=1).err
    assert "did you mean `M`?" in said


@pytest.mark.parametrize("arguments", [("M=16",), ("--dims", "M=16", "N=16")])
def test_a_size_behind_no_option(tilelang: Command, arguments: tuple[str, ...]):
    said = " ".join(tilelang("source", "gemm", *arguments, status=2).err.split())
    assert f"{arguments[-1]} follows no option" in said
    assert "--dims M=16,N=16" in said


def test_a_single_value_of_an_unknown_tile_parameter(tilelang: Command):
    sizes = ("--dims", "M=16,N=16,K=16", "--tile", "m_tile=16,32", "--tile", "zz=3")
    said = tilelang("sweep", "gemm", *sizes, status=1).err
    assert "error[E0902]: `gemm` has no tile parameter `zz`" in said


def test_mistakes_in_a_kernel_keep_their_place(tilelang: Command):
    sizes = ("--dims", "M=16,N=16,K=16", "--tile", "m_tile=20")
    said = tilelang("source", "gemm", *sizes, status=1).err
    assert "kernels/gemm.py:" in said


def test_backends_and_machines_are_named_as_options(tilelang: Command):
    sizes = ("gemm", "--dims", "M=16,N=16,K=16")
    assert "hint: write llvm\n" in tilelang("source", *sizes, "--backend", "lvm", status=1).err
    said = tilelang("cycles", *sizes, "--machine", "host", status=1).err
    assert "hint: add --machine ascend910; TIK scripts" in said
