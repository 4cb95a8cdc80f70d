"""Scripts from files: entries, arguments, chips, mistakes."""

from pathlib import Path

import numpy as np
import pytest

import tilelang as tl
from tilelang.backends.tik.scripts import run_script

SCRIPT = """
from te import tik

def helper(n):
    return n * 16

def add_one(n, dtype="float16", kernel_name="add_one"):
    t = tik.Tik()
    x = t.Tensor(dtype, (helper(n),), name="x", scope=tik.scope_gm)
    y = t.Tensor(dtype, (helper(n),), name="y", scope=tik.scope_gm)
    ub = t.Tensor(dtype, (helper(n),), name="ub", scope=tik.scope_ubuf)
    t.data_move(ub, x, 0, 1, n, 0, 0)
    t.vadds(helper(n), ub, ub, 1.0, 1, 1, 1, 8, 8)
    t.data_move(y, ub, 0, 1, n, 0, 0)
    t.BuildCCE(kernel_name, [x], [y])
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "add_one.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def test_the_function_called_like_the_file_is_the_entry(script: Path) -> None:
    x = np.arange(32, dtype=np.float16)
    done = run_script(script, None, ["2", "dtype=float16"], {"x": x}, "ascend310")
    assert done.program.soc == "Ascend310"
    np.testing.assert_array_equal(done.outputs["y"], x + 1)


def test_a_chip_may_have_the_name_that_cann_gives_it(script: Path) -> None:
    x = np.zeros(16, np.float16)
    assert run_script(script, "add_one", ["1"], {"x": x}, "Ascend310P3").program.soc == (
        "Ascend310P3"
    )


def test_a_finding_that_is_tolerated_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "past.py"
    path.write_text(SCRIPT.replace("ub, ub, 1.0, 1", "ub, ub, 1.0, 2"), encoding="utf-8")
    x = np.zeros(16, np.float16)
    with pytest.raises(tl.TileError, match="E1203"):
        run_script(path, "add_one", ["1"], {"x": x}, "ascend910")
    codes = ("E1203", "E1207")
    done = run_script(path, "add_one", ["1"], {"x": x}, "ascend910", tolerate=codes)
    assert [warning.code for warning in done.warnings] == ["E1203"]
    np.testing.assert_array_equal(done.outputs["y"], x + 1)


def test_an_entry_that_is_missing_is_named_with_those_there_are(script: Path) -> None:
    with pytest.raises(tl.TileError, match=r"E1216.*no function 'run'") as caught:
        run_script(script, "run", [], {}, "ascend910")
    assert "helper, add_one" in str(caught.value)


def test_several_functions_and_none_called_like_the_file(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text(SCRIPT, encoding="utf-8")
    with pytest.raises(tl.TileError, match=r"E1216.*2 functions"):
        run_script(path, None, ["2"], {}, "ascend910")


def test_what_is_no_python_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n", encoding="utf-8")
    with pytest.raises(tl.TileError, match="E1247") as caught:
        run_script(path, None, [], {}, "ascend910")
    assert "def f(:" in str(caught.value)


def test_a_mistake_is_shown_at_its_line_of_the_file(script: Path) -> None:
    script.write_text(SCRIPT.replace("0, 1, n, 0, 0)", "0, 1, n + 1, 0, 0)", 1), encoding="utf-8")
    with pytest.raises(tl.TileError, match="E1203") as caught:
        run_script(script, None, ["2"], {"x": np.zeros(32, np.float16)}, "ascend910")
    assert "t.data_move(ub, x, 0, 1, n + 1, 0, 0)" in str(caught.value)
