"""How a kernel is named on the command line, and what is said of a name that finds none."""

from pathlib import Path

import pytest

from tests.cli.kernel_files import DOUBLE
from tilelang.cli.find_kernel import find_kernel
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    return tmp_path


def name_of(text: str) -> str:
    found = find_kernel(text)
    assert isinstance(found, Kernel)
    return found.name


def said_of(text: str) -> str:
    with pytest.raises(TileError) as said:
        find_kernel(text)
    return str(said.value)


def test_a_bare_word_is_a_shipped_kernel():
    assert name_of("gemm") == "gemm"


def test_an_unknown_word_suggests_a_shipped_kernel():
    said = said_of("gem")
    assert "error[E0601]: there is no shipped kernel 'gem'" in said
    assert "write 'gemm'" in said


def test_a_file_with_one_kernel_needs_no_name(folder: Path):
    (folder / "one.py").write_text(DOUBLE)
    assert name_of("one.py") == "double"
    assert name_of("one.py:double") == "double"
    assert name_of(str(folder / "one.py")) == "double"


def test_a_file_with_two_kernels_needs_a_name(folder: Path):
    second = DOUBLE.partition("import tilelang as tl")[2].replace("double", "twice")
    (folder / "two.py").write_text(DOUBLE + second)
    assert name_of("two.py:twice") == "twice"
    said = said_of("two.py")
    assert "error[E0608]: two.py holds 2 kernels, and one is wanted" in said
    assert "write two.py:double or two.py:twice" in said


def test_a_name_that_the_file_does_not_hold_lists_those_it_does(folder: Path):
    (folder / "one.py").write_text(DOUBLE)
    said = said_of("one.py:meaning")  # a function, no kernel
    assert "error[E0607]: one.py holds no kernel `meaning`" in said
    assert "write one.py:double" in said


def test_a_file_without_kernels_says_how_to_make_one(folder: Path):
    (folder / "empty.py").write_text("x = 1\n")
    assert "define one at the top level of the file, with `@tl.kernel(...)`" in said_of("empty.py")


def test_a_file_that_is_not_there_suggests_its_neighbour(folder: Path):
    (folder / "layers.py").write_text(DOUBLE)
    said = said_of("layer.py:double")
    assert "error[E0605]: cannot read layer.py: No such file or directory" in said
    assert "write layers.py" in said


def test_a_file_that_is_not_there_says_where_it_was_looked_for(folder: Path):
    assert str(folder) in said_of("layer.py:double")
    assert str(folder) in said_of("layer.tile")


def test_a_folder_is_no_file(folder: Path):
    (folder / "layers.py").mkdir()
    assert "error[E0605]: cannot read layers.py: Is a directory" in said_of("layers.py")


def test_a_file_that_is_not_python_shows_the_line(folder: Path):
    (folder / "broken.py").write_text("import tilelang as tl\ndef f(:\n    pass\n")
    said = said_of("broken.py:f")
    assert said.startswith("broken.py:2:7: error[E0610]: broken.py is not Python: ")
    assert "    def f(:\n          ^" in said


def test_a_file_may_import_its_neighbour(folder: Path):
    (folder / "neighbour_of_layers.py").write_text(DOUBLE)
    (folder / "layers.py").write_text("from neighbour_of_layers import double\n")
    assert name_of("layers.py:double") == "double"


def test_a_tile_file_is_a_program(folder: Path):
    gemm = find_kernel("gemm")
    assert isinstance(gemm, Kernel)
    program = gemm.program(M=16, N=17, K=15, dtype="float16")
    (folder / "gemm.tile").write_text(f"{program}\n")
    found = find_kernel("gemm.tile")
    assert isinstance(found, Program)
    assert found == program
