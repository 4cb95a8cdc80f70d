"""README.md is true: its code runs, prints what it says, and fails as it says."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import FunctionType

import pytest

import tilelang as tl
from tests.golden import Golden
from tests.repository import ROOT
from tilelang.cli.app import app
from tilelang.dtypes import DType
from tilelang.guide import CHAPTERS
from tilelang.layouts import LayoutKind, layout_for
from tilelang.layouts.drawing import draw_svg
from tilelang.machines import machine_names

PATH = ROOT / "README.md"
README = PATH.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite what the readme says, as `--update-golden` asks."""
    return bool(request.config.getoption("--update-golden"))


def compare(said: str, now: str, *, update: bool) -> None:
    """Fail unless a text block of the readme is `now`, times apart; or write it there."""
    if update and without_times(now) != without_times(said):
        text = PATH.read_text(encoding="utf-8")
        PATH.write_text(text.replace(f"```text\n{said}```", f"```text\n{now}```"), encoding="utf-8")
    else:
        assert without_times(now) == without_times(said), "see pytest --update-golden"


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def without_times(text: str) -> str:
    return re.sub(r" *\d+\.\d+ ms", " (time)", text)


def patched(source: str, diff: str) -> str:
    """Return `source` with the one line changed that `diff` removes and adds."""
    (old,) = re.findall(r"^-(.*\n)", diff, re.MULTILINE)
    (new,) = re.findall(r"^\+(.*\n)", diff, re.MULTILINE)
    assert source.count(old) == 1
    return source.replace(old, new)


def test_the_kernel_runs_and_prints_what_the_readme_says(tmp_path: Path, update: bool):
    (source,), (said, _) = blocks("python"), blocks("text")
    (tmp_path / "dense.py").write_text(source)
    ended = run(tmp_path, "dense.py")
    assert ended.stderr == ""
    compare(said, ended.stdout, update=update)


def test_the_bug_gives_the_message_of_the_readme(tmp_path: Path, update: bool):
    (source,), (diff,), (_, said) = blocks("python"), blocks("diff"), blocks("text")
    (tmp_path / "dense.py").write_text(patched(source, diff))
    (command,) = re.findall(r"`tilelang (run dense.py .*?)`", README)
    ended = run(tmp_path, "-c", "from tilelang.cli import main; main()", *command.split())
    assert ended.returncode == 1
    compare(said, ended.stderr, update=update)


@pytest.mark.parametrize(
    "path", re.findall(r"(?:`|\]\()((?:\w+/)+\w+\.\w+|\w+/|[A-Z]+\.md)[`)]", README)
)
def test_every_file_that_is_named_exists(path: str):
    assert path == ".venv/" or (ROOT / path).exists()


def test_the_picture_is_what_the_command_draws(update: bool):
    named = "bench/pictures/nz.svg"
    assert f"]({named})" in README
    text = draw_svg(layout_for(LayoutKind.NZ, DType.FLOAT16), (20, 40), DType.FLOAT16)
    Golden(ROOT, update=update).check(named, text)


def test_every_command_is_in_the_readme_and_the_reverse():
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {str(group.name) for group in app.registered_groups}
    assert known == set(re.findall(r"\b(?:tilelang|make) (\w+)", README)) & known
    assert set(re.findall(r"^tilelang (\w+)", README, re.MULTILINE)) <= known


def test_the_table_of_backends_has_every_backend_that_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = README.partition("| backend |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(
        project["entry-points"]["tilelang.backends"]
    )


def test_the_machines_that_it_names_are_those_that_exist():
    (sentence,) = re.findall(r"^Machines \((.*?)\)", README, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", sentence)) == machine_names()


def test_the_table_of_the_language_has_every_operation_and_chapter():
    table = README.partition("## The language on one page")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    topics = {topic.strip(" |`"): re.findall(r"`([^`]+)`", calls) for _, calls, topic in rows}
    for chapter in CHAPTERS:
        functions = {
            name for name in chapter.names if isinstance(getattr(tl, name, None), FunctionType)
        }
        if functions and chapter.topic != "use":
            assert functions <= set(topics[chapter.topic]), chapter.topic
    assert set(topics) <= {chapter.topic for chapter in CHAPTERS}
