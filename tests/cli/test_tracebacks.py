"""An exception of a user's file is shown from that file on; one of ours is shown whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from tilelang.cli.find_kernel import find_kernel
from tilelang.cli.tracebacks import show_exception
from tilelang.kernel import Kernel


def shown(capsys: pytest.CaptureFixture[str], error: Exception) -> list[str]:
    """Return the functions of the frames that are printed for `error`."""
    show_exception(type(error), error, error.__traceback__)
    lines = capsys.readouterr().err.splitlines()
    return [line.rpartition(" in ")[2] for line in lines if line.startswith('  File "')]


def test_an_exception_of_a_file_that_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "kernels_of_mine.py"
    file.write_text("def divide():\n    return 1 / 0\n\ndivide()\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as caught:
        find_kernel(str(file))
    assert shown(capsys, caught.value) == ["<module>", "divide"]


def test_an_exception_of_a_kernel_that_is_traced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "kernels_of_mine.py"
    head = 'import tilelang as tl\n\n@tl.kernel("x[N]: T -> y[N]: T")\ndef copy(x, y):\n'
    file.write_text(f"{head}    tl.data_move(y, undefined)\n", encoding="utf-8")
    kernel = find_kernel(str(file))
    assert isinstance(kernel, Kernel)
    with pytest.raises(NameError) as caught:
        kernel.program(N=16, dtype="float32")
    assert shown(capsys, caught.value) == ["copy"]


def test_an_exception_of_ours_is_shown_whole(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(AttributeError) as caught:
        find_kernel(None)  # pyright: ignore[reportArgumentType] - a fault that only we can make
    assert shown(capsys, caught.value)[-1] == "find_kernel"


def test_the_command_line_shows_it_so(tmp_path: Path):
    file = tmp_path / "kernels_of_mine.py"
    file.write_text("1 / 0\n", encoding="utf-8")
    command = [sys.executable, "-m", "tilelang", "source", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert said.count('  File "') == 1
    assert f'File "{file}", line 1' in said
