"""Commands that list kernels, backends, machines and errors."""

import re
from typing import Any

import pytest

from tests.cli.command import Command
from tilelang import __version__
from tilelang.backend import find_backend
from tilelang.machines import machine_names


def test_kernels_lists_gemm_with_its_signature_and_tile_parameters(tilelang: Command):
    (gemm,) = [row for row in tilelang("kernels", "--json").data if row["name"] == "gemm"]
    assert gemm["signature"] == "a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)"
    assert gemm["tiles"] == {"m_tile": 128, "n_tile": 128, "k_tile": 64}
    assert "one tile of c per core" in gemm["doc"]


def test_kernels_prints_a_table(tilelang: Command):
    printed = tilelang("kernels").out
    assert "a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)" in printed
    assert "m_tile=128 n_tile=128 k_tile=64" in printed


def test_backends_says_who_runs_here(tilelang: Command):
    rows = {row["name"]: row for row in tilelang("backends", "--json").data}
    assert rows["numpy"]["runs"] is True
    assert rows["numpy"]["machine"] == "host"
    assert "numpy" in tilelang("backends").out


def test_backends_names_the_way_in_which_one_is_checked_that_does_not_run(
    tilelang: Command, monkeypatch: pytest.MonkeyPatch
):
    kind: Any = type(find_backend("tik"))
    monkeypatch.setattr(kind, "runs_here", "there is no chip")
    assert re.search("ascend910 +no +there is no chip", tilelang("backends").out)
    monkeypatch.setattr(kind, "check_mode", "emulator", raising=False)
    assert re.search("ascend910 +emulator only +there is no chip", tilelang("backends").out)
    rows = {row["name"]: row for row in tilelang("backends", "--json").data}
    assert rows["tik"]["runs"] is False
    assert rows["tik"]["how"] == "emulator only"


def test_machine_lists_every_machine(tilelang: Command):
    rows = tilelang("machine", "--json").data
    assert [row["name"] for row in rows] == machine_names()
    assert "float16 x float16 -> float32" in tilelang("machine").out


def test_machine_prints_one_with_numbers_and_sources(tilelang: Command):
    data = tilelang("machine", "ascend910", "--json").data
    assert data["memories"]["ub"] == {"capacity_bytes": 262144, "alignment_bytes": 32}
    facts = {fact["name"]: fact for fact in data["facts"]}
    assert facts["capacity.l1"]["value"] == 1048576
    assert facts["capacity.l1"]["source"]
    printed = tilelang("machine", "ascend910").out
    assert "MTE2" in printed
    assert "1048576" in printed


def test_an_unknown_machine_is_an_error(tilelang: Command):
    said = tilelang("machine", "ascend911", status=1).err
    assert "error[E0603]: there is no machine 'ascend911'" in said


def test_explain_prints_one_text_or_the_list(tilelang: Command):
    assert tilelang("explain", "e0606").out.startswith("E0606: unknown error code")
    codes = [row["code"] for row in tilelang("explain", "--json").data]
    assert codes == sorted(codes)
    assert "E0606" in tilelang("explain").out
    assert "error[E0606]" in tilelang("explain", "E9999", status=1).err


def test_the_version_is_printed(tilelang: Command):
    assert tilelang("--version").out == f"tilelang-tik {__version__}\n"


@pytest.mark.parametrize("arguments", [["check"], ["nothing"], ["check", "gemm", "--nothing"]])
def test_a_wrong_use_ends_with_status_2(tilelang: Command, arguments: list[str]):
    assert tilelang(*arguments, status=2).err
