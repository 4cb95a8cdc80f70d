"""Compiled programs on disk: found again, private, made again when damaged, bounded."""

from pathlib import Path

import numpy as np
import pytest

from tests.backends.llvm.elementwise import load, map_program, tile
from tilelang.backends.llvm import LlvmBackend
from tilelang.backends.llvm.runtime import cache
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.dtypes import DType
from tilelang.ir.expression import Binary, BinaryOp
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine

X = tile("x", DType.FLOAT32, (4, 16))


def doubling() -> Program:
    return map_program((4, 16), [X], Binary(BinaryOp.ADD, load(X), load(X)))


def run_fresh() -> None:
    """Compile as a new process would, and check the result."""
    x, y = np.ones((4, 16), np.float32), np.zeros((4, 16), np.float32)
    LlvmBackend().compile(doubling(), find_machine("host"))(x, y)
    assert (y == 2).all()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    return tmp_path / "llvm"


def test_a_second_process_loads_what_the_first_made(folder: Path, monkeypatch: pytest.MonkeyPatch):
    run_fresh()
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr("tilelang.backends.llvm.runtime.executable.compile_text", None)
    run_fresh()


@pytest.mark.parametrize("keep", [0, 20, 100, 400])
def test_a_damaged_entry_is_made_again(folder: Path, keep: int):
    run_fresh()
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[:keep])
    run_fresh()
    assert entry.read_bytes() == whole
    entry.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    run_fresh()
    assert entry.read_bytes() == whole


def test_entries_are_the_users_alone(folder: Path):
    run_fresh()
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    for entry in folder.iterdir():
        entry.unlink()
    run_fresh()
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_made_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file"))
    run_fresh()


def test_the_oldest_entries_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_MAX_BYTES", 2500)
    for name in ("one", "two", "three"):
        cache.write_entry(name, cache.Entry(bytes(1000), 0, (), 1))
    assert cache.read_entry("one") is None
    assert cache.read_entry("three") is not None


def test_the_key_tells_programs_hosts_and_machines_apart():
    host, machine = find_host(), find_machine("host")
    other = map_program((4, 16), [X], Binary(BinaryOp.MULTIPLY, load(X), load(X)))
    keys = {
        cache.key_of(doubling(), machine, host),
        cache.key_of(other, machine, host),
        cache.key_of(doubling(), find_machine("ascend910"), host),
    }
    assert len(keys) == 3
    assert cache.key_of(doubling(), machine, host) in keys


def test_the_key_counts_the_generator_and_the_descriptions_of_machines():
    files = {fingerprint.split(":")[0] for fingerprint in cache.fingerprints()}
    assert {"backends/llvm/module.py", "passes/legalise.py", "machines/ascend910b.toml"} <= files
