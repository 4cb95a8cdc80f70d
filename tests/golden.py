"""Texts that tests compare with files under `tests/golden/`.

A golden file changes only when pytest is run with `--update-golden`, so a diff of it is reviewed
like code. It ends in `.txt` (drawings: `.svg`), so that linters leave it alone.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"
MAX_DIFF_LINES = 60


@dataclass(frozen=True, slots=True)
class Golden:
    """Compares texts with the files of `folder`, or rewrites those when `update` is set."""

    folder: Path
    update: bool

    def check(self, name: str, text: str) -> None:
        """Fail with a diff unless the file `name` ("layouts/nz.txt") holds exactly `text`.

        A missing file fails too: a golden is never made by an ordinary run.
        """
        __tracebackhide__ = True
        path = self.folder / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file():
            pytest.fail(f"{_shown(path)} does not exist; the text is:\n{text}\n{_how_to_write()}")
        elif (kept := path.read_text(encoding="utf-8")) != text:
            pytest.fail("\n".join(_report(_shown(path), kept, text)))


def _report(name: str, kept: str, text: str) -> Iterator[str]:
    """Yield the lines of the message about a difference."""
    yield f"the text differs from {name}"
    diff = list(unified_diff(_lines(kept), _lines(text), "golden", "now", lineterm=""))
    yield from diff[:MAX_DIFF_LINES]
    if len(diff) > MAX_DIFF_LINES:
        yield f"... and {len(diff) - MAX_DIFF_LINES} more lines"
    yield _how_to_write()


def _lines(text: str) -> list[str]:
    """Return the lines of `text`, with what a diff would hide (a missing last newline) said."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], f"{lines[-1]}<no newline>"]


def _how_to_write() -> str:
    test = _running_test()
    return f"if the new text is right: pytest --update-golden '{test}'"


def _running_test() -> str:
    """Return the id of the test that runs, as pytest puts it into the environment."""
    return os.environ.get("PYTEST_CURRENT_TEST", "tests").rsplit(" (", 1)[0]


def _shown(path: Path) -> str:
    root = Path(__file__).parents[1]
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
