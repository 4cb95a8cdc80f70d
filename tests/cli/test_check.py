"""`tilelang check`, `run` and `source`, on shipped kernels, on files and on programs."""

from pathlib import Path

import pytest

from tests.check.faulty import install_faulty
from tests.cli.command import Command
from tests.cli.kernel_files import DOUBLE, UNALIGNED, WRONG
from tilelang.backend import find_backend
from tilelang.shipped import find_kernel

NUMPY = ("--backends", "numpy")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "double.py").write_text(DOUBLE)
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "unaligned.py").write_text(UNALIGNED)
    return tmp_path


def write_program(folder: Path) -> Path:
    program = find_kernel("gemm").program(M=31, N=17, K=15, dtype="float16")
    path = folder / "gemm.tile"
    path.write_text(f"{program}\n")
    return path


def test_check_of_a_right_kernel_ends_with_status_0(tilelang: Command):
    ended = tilelang("check", "gemm", "--dims", "M=100,N=103,K=97", "--dtype", "float16", *NUMPY)
    assert "numpy" in ended.out
    assert "ok" in ended.out


def test_check_of_integers_at_sizes_below_a_fractal(tilelang: Command):
    data = tilelang(
        "check", "gemm", "--dims", "M=1,N=17,K=3", "--dtype", "int8", *NUMPY, "--json"
    ).data
    assert data["ok"] is True
    assert [row["backend"] for row in data["rows"]] == ["numpy"]
    assert data["rows"][0]["max_error"] == 0


def test_check_of_a_kernel_that_does_something_else_ends_with_status_1(tilelang: Command):
    arguments = ("check", "wrong.py:triple", "--dims", "M=17,N=3", *NUMPY)
    assert "differs from the reference" in tilelang(*arguments, status=1).out
    assert tilelang(*arguments, "--json", status=1).data["ok"] is False


def test_tile_parameters_and_options_reach_the_kernel(tilelang: Command):
    arguments = ("check", "double.py", "--dims", "M=17", "--dims", "N=3", *NUMPY)
    assert tilelang(*arguments, "--tile", "m_tile=32,n_tile=16", "--seed", "7", "--json").data["ok"]
    said = tilelang(*arguments, "--tile", "q_tile=32", status=1).err
    assert "error[E0808]" in said
    assert "site-packages" not in said


def test_a_mistake_in_a_kernel_file_is_printed_with_its_line_and_status_1(tilelang: Command):
    ended = tilelang("check", "unaligned.py", "--dims", "M=20,N=20,K=20", *NUMPY, status=1)
    assert "unaligned.py:6:11: error[E03" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--backends", "nunpy"), "error[E0602]: there is no backend 'nunpy'"),
        (("--machine", "ascend9"), "error[E0603]: there is no machine 'ascend9'"),
        (("--dims", "17,3"), "error[E0609]: --dims takes names with whole numbers"),
        (("--dtype", "fp16"), "error[E0809]"),
    ],
)
def test_a_bad_option_is_a_coded_error(tilelang: Command, arguments: tuple[str, str], said: str):
    ended = tilelang("check", "double.py", *arguments, "--dims", "M=17,N=3", status=1)
    assert ended.err.startswith(said)


def test_run_describes_the_results(tilelang: Command):
    (row,) = tilelang("run", "double.py", "--dims", "M=17,N=3", "--json").data
    assert row["name"] == "y"
    assert -2 <= row["min"] < row["mean"] < row["max"] <= 2
    assert "float16[17, 3]" in tilelang("run", "double.py", "--dims", "M=17,N=3").out


def test_run_takes_numbers_that_the_kernel_is_meant_for(tilelang: Command):
    (row,) = tilelang("run", "batch_norm", "--dims", "N=2,C=5,H=3,W=7", "--json").data
    assert row["min"] < row["mean"] < row["max"]  # no NaN


def test_run_on_a_backend_that_does_not_run_here_says_why(
    tilelang: Command, monkeypatch: pytest.MonkeyPatch
):
    absent = find_backend("numpy")
    monkeypatch.setattr(type(absent), "runs_here", "there is no abacus")
    said = tilelang("run", "double.py", "--dims", "M=17,N=3", status=1).err
    assert "error[E0616]: backend 'numpy' does not run here: there is no abacus" in said


def test_run_of_an_empty_result_has_nothing_to_describe(tilelang: Command):
    (row,) = tilelang("run", "double.py", "--dims", "M=0,N=3", "--json").data
    assert row["min"] is None


def test_a_program_is_run_and_checked_from_its_file(tilelang: Command, folder: Path):
    path = write_program(folder)
    assert tilelang("run", path.name, "--json").data[0]["name"] == "c"
    assert tilelang("check", path.name, *NUMPY, "--json").data["ok"] is True


def test_sizes_given_to_a_program_are_an_error(tilelang: Command, folder: Path):
    write_program(folder)
    assert "error[E0612]" in tilelang("run", "gemm.tile", "--dims", "M=3", status=1).err


def test_a_program_that_breaks_a_rule_ends_with_status_1(tilelang: Command, folder: Path):
    path = write_program(folder)
    path.write_text(path.read_text().replace("alloc_l0c([32", "alloc_l0c([30"))
    assert "gemm.tile:" in tilelang("check", path.name, *NUMPY, status=1).err


def test_source_prints_a_program_that_can_be_run(tilelang: Command, folder: Path):
    text = tilelang("source", "gemm", "--backend", "numpy", "--dims", "M=31,N=17,K=15").out
    (folder / "printed.tile").write_text(text)
    assert tilelang("check", "printed.tile", *NUMPY, "--json").data["ok"] is True


def test_an_attribute_is_a_float_in_every_command(tilelang: Command, folder: Path):
    given = ("layer_norm", "--dims", "M=3,N=17", "--attr", "epsilon=3e-3")
    assert tilelang("check", *given, *NUMPY, "--json").data["ok"] is True
    text = tilelang("source", *given, "--backend", "numpy").out
    assert text.startswith("kernel layer_norm(")
    assert "; epsilon=0.003) ->" in text.partition("\n")[0]
    (folder / "printed.tile").write_text(text)
    (of_kernel,) = tilelang("run", *given, "--json").data
    (of_file,) = tilelang("run", "printed.tile", "--json").data
    assert {**of_kernel, "seconds": 0} == {**of_file, "seconds": 0}
    assert "error[E0814]" in tilelang("run", *given[:-1], "epsilon=true", status=1).err


def test_source_prints_the_assembly_of_a_backend_that_has_one(tilelang: Command):
    sized = ("--dims", "M=16,N=16,K=16", "--dtype", "float32")
    assert "\tret" in tilelang("source", "gemm", "--backend", "llvm", "--asm", *sized).out
    ended = tilelang("source", "gemm", "--backend", "numpy", "--asm", *sized, status=1)
    assert ended.err.startswith("error[E0617]: backend 'numpy' makes no assembly")


def test_a_backend_that_nobody_named_may_refuse(tilelang: Command):
    sized = ("--dims", "M=1,N=17,K=3", "--dtype", "bfloat16")
    rows = tilelang("check", "gemm", *sized, "--json").data["rows"]
    verdicts = {row["backend"]: row["verdict"] for row in rows}
    assert verdicts["numpy"] == verdicts["llvm"] == "ok"
    assert verdicts["tik"] == "refused: E0309"
    assert "E0309" in tilelang("check", "gemm", *sized, "--backends", "tik", status=1).err


@pytest.mark.parametrize(
    ("backend", "limit", "manner"),
    [("crashing", "60s", "crashed (signal 11, SIGSEGV)"), ("hanging", "5s", "gave no result")],
)
def test_a_backend_that_ends_its_process_is_an_error_and_the_others_are_reported(
    tilelang: Command,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    limit: str,
    manner: str,
):
    install_faulty(folder, monkeypatch)
    arguments = ("check", "double.py", "--dims", "M=17,N=3", "--limit", limit)
    ended = tilelang(*arguments, "--backends", f"numpy,{backend},llvm", status=1)
    rows = {line.split(" ")[0]: line.split(" ")[-1] for line in ended.out.splitlines()[2:]}
    assert (rows["numpy"], rows[backend], rows["llvm"]) == ("ok", "error[E0707]", "ok")
    assert f"error[E0707]: backend {backend!r} {manner}" in ended.err
    assert "on `double` (x: float16[17, 3]), machine host" in ended.err
    assert f"`tilelang check double.py --dims M=17,N=3 --backends {backend}`" in ended.err
    assert f"`tilelang fuzz double.py --backends {backend}` finds" in ended.err


def test_a_limit_that_is_no_time_is_a_coded_error(tilelang: Command):
    said = tilelang("check", "double.py", "--dims", "M=1,N=1", "--limit", "9 runs", status=1).err
    assert said.startswith("error[E0703]: a time above zero is wanted, and '9 runs' is none")
