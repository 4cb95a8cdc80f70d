"""The golden fixture itself: what it accepts, what it refuses and what it says."""

from pathlib import Path

import pytest

from tests.golden import Golden


def failure_of(golden: Golden, name: str, text: str) -> str:
    with pytest.raises(pytest.fail.Exception) as caught:
        golden.check(name, text)
    return str(caught.value)


def test_an_update_writes_the_file_and_the_next_check_passes(tmp_path: Path):
    Golden(tmp_path, update=True).check("deep/er/x.txt", "one\ntwo\n")
    assert (tmp_path / "deep/er/x.txt").read_text() == "one\ntwo\n"
    Golden(tmp_path, update=False).check("deep/er/x.txt", "one\ntwo\n")


def test_a_difference_fails_with_a_diff_and_the_command_and_leaves_the_file(tmp_path: Path):
    (tmp_path / "x.txt").write_text("one\ntwo\n")
    said = failure_of(Golden(tmp_path, update=False), "x.txt", "one\n2\n")
    assert "-two\n+2\n" in said
    assert "pytest --update-golden 'tests/test_golden.py::test_a_difference" in said
    assert (tmp_path / "x.txt").read_text() == "one\ntwo\n"


def test_a_missing_file_fails_and_is_not_written(tmp_path: Path):
    said = failure_of(Golden(tmp_path, update=False), "x.txt", "one\n")
    assert "does not exist" in said
    assert "--update-golden" in said
    assert not (tmp_path / "x.txt").exists()


def test_a_missing_last_newline_is_a_difference_that_is_said(tmp_path: Path):
    (tmp_path / "x.txt").write_text("one\n")
    assert "+one<no newline>" in failure_of(Golden(tmp_path, update=False), "x.txt", "one")


def test_a_long_difference_is_cut(tmp_path: Path):
    (tmp_path / "x.txt").write_text("")
    said = failure_of(Golden(tmp_path, update=False), "x.txt", "line\n" * 1000)
    assert "more lines" in said
    assert said.count("\n") < 70
