"""The files of a custom operator: golden texts, valid keys, and a test that runs."""

import configparser
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden import Golden
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record_source
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu
from tilelang.machines import find_machine

KEYS = {"name", "dtype", "format", "shape", "paramType", "value", "flag"}


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    sizes = {"M": 32, "N": 48, "K": 16, "m_tile": 32, "n_tile": 48, "k_tile": 16}
    program = gemm_bias_relu.program(machine="ascend910", dtype="float16", **sizes)
    return BACKEND.package(program, find_machine("ascend910"))


def test_every_file_is_as_reviewed(files: Mapping[str, str], golden: Golden) -> None:
    text = "".join(f"==> {name} <==\n{body}\n" for name, body in files.items())
    golden.check("tik/lower/package.txt", text)


def test_the_information_file_keeps_the_rules(files: Mapping[str, str]) -> None:
    parser = configparser.ConfigParser(strict=True)  # a repeated key is an error
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read_string(files["tbe/op_info_cfg/ai_core/ascend910/gemm_bias_relu.ini"])
    (section,) = parser.sections()
    assert section == "GemmBiasRelu"
    groups: dict[str, set[str]] = {}
    for name, value in parser.items(section):
        group, key = name.split(".")  # exactly one dot
        assert key in KEYS
        assert value
        groups.setdefault(group, set()).add(key)
    tensors = [group for group in groups if group.startswith(("input", "output"))]
    assert tensors == ["input0", "input1", "input2", "output0"]
    assert all({"name", "paramType"} <= groups[group] for group in tensors)


def test_the_operator_builds_what_was_lowered(files: Mapping[str, str]) -> None:
    sizes = {"M": 32, "N": 48, "K": 16, "m_tile": 32, "n_tile": 48, "k_tile": 16}
    program = gemm_bias_relu.program(machine="ascend910", dtype="float16", **sizes)
    lowered = lower_program(program, find_machine("ascend910"))
    tensors = [
        {"shape": buffer.shape, "dtype": buffer.dtype.value}
        for buffer in (*program.inputs, *program.results)
    ]
    text = files["tbe/impl/gemm_bias_relu.py"]
    assert record_source(text, "gemm_bias_relu", *tensors).body == lowered.body


def run_its_own_test(files: Mapping[str, str], folder: Path) -> tuple[int, str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    test = folder / "testcases/test_gemm_bias_relu.py"
    done = subprocess.run([sys.executable, test], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_its_own_test_runs_in_the_emulator(files: Mapping[str, str], tmp_path: Path) -> None:
    assert run_its_own_test(files, tmp_path) == (0, "gemm_bias_relu:\nok\n")


def test_its_own_test_finds_an_operator_that_computes_something_else(
    files: Mapping[str, str], tmp_path: Path
) -> None:
    name = "tbe/impl/gemm_bias_relu.py"
    wrong = files[name].replace("vmax(", "vmin(")
    assert wrong != files[name]
    status, said = run_its_own_test({**files, name: wrong}, tmp_path)
    assert status == 1
    assert "backend wrong: differs from the program" in said
