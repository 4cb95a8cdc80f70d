"""Finding the kernels that come with tilelang."""

from pathlib import Path

import pytest

from tests.repository import ROOT
from tilelang.diagnostics import TileError
from tilelang.shipped import find_kernel, kernel_names


def test_every_file_of_kernels_holds_a_kernel_and_no_name_is_taken_twice():
    files = {path.stem for path in (ROOT / "kernels").glob("*.py")} - {"__init__"}
    kernels = [find_kernel(name) for name in kernel_names()]
    assert {Path(kernel.location.file).stem for kernel in kernels} == files
    assert len(set(kernel_names())) == len(kernels)


def test_a_kernel_is_found_by_its_name():
    assert find_kernel("gemm").name == "gemm"
    assert find_kernel("gemm") is find_kernel("gemm")


def test_an_unknown_kernel_suggests_one_or_lists_all():
    with pytest.raises(TileError, match=r"E0601.*'gemn'") as said:
        find_kernel("gemn")
    assert "write 'gemm'; a kernel of your own is named file.py:name" in str(said.value)
    with pytest.raises(TileError, match=r"use one of: .*gemm"):
        find_kernel("softmax_of_a_banana")


def test_every_shipped_kernel_has_a_meaning_and_a_first_line():
    for name in kernel_names():
        kernel = find_kernel(name)
        assert kernel.reference_function is not None
        assert (kernel.__doc__ or "").strip()
