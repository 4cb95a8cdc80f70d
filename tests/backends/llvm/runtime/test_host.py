"""Smaller computers: forced in processes of their own, and another family to compile for only."""

import os
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

from tests.repository import ROOT
from tilelang.backends.llvm.module import generate
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.runtime.compiler import compile_text
from tilelang.backends.llvm.runtime.host import FEATURES_VARIABLE, find_host, foreign_host
from tilelang.diagnostics import TileError
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine
from tilelang.passes import lower

ON_X86 = find_host().is_x86
FOLDER = "tests/backends/llvm"
SUITES = {
    "avx512": ["test_gemm.py"],
    "avx2": ["test_gemm.py", "convolution/test_taps.py"],
    "baseline": [
        "test_gemm.py",
        "convolution/test_taps.py",
        "vectors/test_arithmetic.py",
        "vectors/test_polynomials.py",
    ],
}


def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FEATURES_VARIABLE, "sse")
    if ON_X86:
        with pytest.raises(TileError, match="E1101"):
            find_host()


@pytest.mark.skipif(not ON_X86, reason="the smaller computers are x86")
@pytest.mark.skipif(FEATURES_VARIABLE in os.environ, reason="this is such a process")
@pytest.mark.parametrize("level", SUITES)
def test_a_smaller_computer_gives_right_results(level: str):
    environment = {**os.environ, FEATURES_VARIABLE: level}
    files = [f"{FOLDER}/{name}" for name in SUITES[level]]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8"])
def test_code_is_made_for_arm(dtype: str):
    host = foreign_host("aarch64-unknown-linux-gnu", "neoverse-n1")
    try:
        llvm.initialize_all_targets()
        llvm.Target.from_triple(host.triple)
    except RuntimeError:
        pytest.skip("this LLVM knows no ARM")
    machine = find_machine("host")
    program = gemm.program(M=100, N=70, K=40, dtype=dtype)
    module = generate(optimise(lower(program, machine), host), host)
    assert compile_text(module.text, host)[:4] == b"\x7fELF"
