"""Runs a command of the command line and keeps what it printed."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tilelang.cli import main


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Command:
    """Calls `tilelang` with the given arguments."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, status: int = 0) -> Outcome:
        """Return the outcome, having asserted that the exit status is `status`."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = self.capsys.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        assert code == status, printed.err or printed.out
        return Outcome(code, printed.out, printed.err)
