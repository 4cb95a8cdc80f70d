"""What the backend refuses, and says instead."""

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import tilelang as tl
from tests.backends.triton.running import SM90, needs_triton
from tilelang.backends.triton import BACKEND, executable, gpu, processes
from tilelang.cli.app import app
from tilelang.diagnostics import TileError
from tilelang.shipped import find_kernel

SMALL: dict[str, Any] = {"M": 64, "N": 64, "K": 64}


def refusal(**keywords: Any) -> str:
    with pytest.raises(TileError) as caught:
        find_kernel("gemm").source("triton", dtype="float16", **keywords)
    return str(caught.value)


def test_a_tile_that_is_no_power_of_two_names_the_parameter_and_the_line():
    message = refusal(**SMALL, m_tile=96)
    assert "error[E1301]: `acc` is float32[96, 64]" in message
    assert "acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))" in message
    assert "hint: write m_tile=64 or m_tile=128" in message


@tl.kernel("x[N]: float32 -> y[N]: float32")
def odd(x: tl.Tensor, y: tl.Tensor) -> None:
    """Copy through a buffer of a size that no parameter gives."""
    for _ in tl.cores(1):
        tile = tl.alloc_ub((48,), "float32")
        tl.data_move(tile, x[0])
        tl.data_move(y[0], tile)


def test_a_buffer_of_an_odd_size_is_told_the_next_sizes():
    with pytest.raises(TileError, match=r"E1301(.|\n)*make that side 32 or 64"):
        odd.source("triton", N=48)


@tl.kernel("x[M, N]: int8 -> y[M, N]: int8")
def huge(x: tl.Tensor, y: tl.Tensor) -> None:
    """Copy through a buffer that no register file holds."""
    for _ in tl.cores(1):
        tile = tl.alloc_ub((1024, 2048), "int8")
        tl.data_move(tile, x[0, 0])
        tl.data_move(y[0, 0], tile)


def test_a_tile_with_too_many_elements(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TileError) as caught:
        huge.source("triton", M=1024, N=2048, machine="host")
    message = str(caught.value)
    assert "E1302" in message
    assert "2,097,152 elements" in message


def test_a_product_that_is_too_short():
    with pytest.raises(TileError, match=r"E1305.*no fewer than 16 columns"):
        find_kernel("linear").source("triton", dtype="float32", **SMALL, activation=0, k_tile=8)


@pytest.mark.parametrize(
    "option", [{"stages": 3}, {"num_stages": 0}, {"num_warps": 3}, {"allow_tf32": "yes"}]
)
def test_an_option_that_is_not_known(option: dict[str, object]):
    program = find_kernel("gemm").program(dtype="float16", machine="sm90", **SMALL)
    with pytest.raises(TileError, match="E1303") as caught:
        BACKEND.compile(program, SM90, **option)
    assert next(iter(option)) in str(caught.value)


def test_arrays_that_the_program_does_not_take():
    program = find_kernel("gemm").program(dtype="float16", machine="sm90", **SMALL)
    compiled = BACKEND.compile(program, SM90)
    a = np.zeros((64, 64), np.float16)
    with pytest.raises(TileError, match="E1306"):
        compiled(a, a)
    with pytest.raises(TileError, match=r"E1306.*`c` is float16\[64, 64\], wanted float32"):
        compiled(a, a, a)


def test_without_a_gpu_the_two_checks_that_work_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpu, "missing", lambda: "torch sees no GPU")
    a = np.zeros((64, 64), np.float16)
    with pytest.raises(TileError) as caught:
        find_kernel("gemm")(a, a, backend="triton")
    message = str(caught.value)
    assert "E1307" in message
    assert "torch sees no GPU" in message
    assert "tilelang check gemm --backends triton" in message
    assert "tilelang compile gemm --backend triton --arch sm_90" in message


def test_without_triton_no_check_is_promised(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpu, "is_installed", lambda: False)
    monkeypatch.setattr(executable, "is_installed", lambda: False)
    a = np.zeros((64, 64), np.float16)
    with pytest.raises(TileError, match=r"E1307(.|\n)*tilelang-tik\[triton\]") as caught:
        find_kernel("gemm")(a, a, backend="triton")
    assert "interpreter" not in str(caught.value)


def test_without_triton_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "is_installed", lambda: False)
    with pytest.raises(TileError, match=r"E1304(.|\n)*tilelang-tik\[triton\]"):
        processes.ask("interpret", [])


def test_source_is_made_without_triton(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "is_installed", lambda: False)
    assert "tl.dot" in find_kernel("gemm").source("triton", dtype="float16", **SMALL)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, TileError):
        return 1, str(done.exception)
    return done.exit_code, done.output


def test_an_architecture_that_is_not_known():
    status, text = run("compile", "gemm", "--arch", "sm90", "--dims", "M=64,N=64,K=64")
    assert (status, "E1308" in text, "sm_90" in text) == (1, True, True)


def test_a_backend_that_compiles_for_this_computer_only():
    status, text = run("compile", "gemm", "--backend", "numpy", "--dims", "M=64,N=64,K=64")
    assert (status, "E1309" in text) == (1, True)


@needs_triton
def test_the_command_compile_reports_what_a_kernel_takes():
    dims = "M=4096,N=4096,K=4096"
    status, text = run("compile", "gemm", "--arch", "sm_90", "--dims", dims, "--json")
    (row,) = json.loads(text[text.index("[\n") :])
    assert status == 0
    assert row["matrix"] == ["wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16"]
    assert (row["spilled_bytes"], row["fits"], row["arch"]) == (0, True, "sm_90")
    assert row["registers"] > 0
    assert 0 < row["shared_bytes"] <= row["shared_limit"]


@needs_triton
def test_the_command_check_says_interpreter(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpu, "missing", lambda: "torch sees no GPU")
    dims = ("--dims", "M=40,N=24,K=36", "--tile", "m_tile=32,n_tile=32,k_tile=32")
    status, text = run("check", "gemm", "--backends", "numpy,triton", *dims)
    assert status == 0, text
    assert "interpreter" in text
