"""What a search may spend: time, or a number of runs."""

import re
from dataclasses import dataclass
from math import inf

from tilelang.diagnostics import Diagnostic, TileError

_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|m|min|h)?")
_RUNS = re.compile(r"(\d+) ?runs?")
_SECONDS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Budget:
    """A search is over after so many seconds, or after so many runs in which nothing failed."""

    seconds: float = inf
    n_runs: float = inf

    def left(self, seconds: float, n_runs: int) -> str:
        """Return in words what is left once this much is spent."""
        if self.n_runs < inf:
            return f"{max(self.n_runs - n_runs, 0)} runs left"
        return f"{max(self.seconds - seconds, 0):.0f} s left"


def read_budget(budget: str | float) -> Budget:
    """Return a budget from seconds, or from a text like "90s", "5m" and "200 runs".

    Raises:
        TileError: E0703 if it cannot be read, or is no run at all.
    """
    if isinstance(budget, int | float):
        return Budget(seconds=float(budget))
    text = budget.strip()
    if (seconds := _seconds(text)) is not None:
        return Budget(seconds=seconds)
    if (runs := _RUNS.fullmatch(text)) is not None and int(runs[1]):
        return Budget(n_runs=int(runs[1]))
    message = f"a budget of time or of runs is wanted, and {budget!r} is none"
    raise TileError(Diagnostic("E0703", message, hint='write it like "60s", "5m" or "200 runs"'))


def read_time(text: str) -> float:
    """Return the seconds of a text like "90", "90s" and "5m".

    Raises:
        TileError: E0703 if it is no time.
    """
    seconds = _seconds(text.strip())
    if not seconds:
        message = f"a time above zero is wanted, and {text!r} is none"
        raise TileError(Diagnostic("E0703", message, hint='write it like "60s", "5m" or "2h"'))
    return seconds


def _seconds(text: str) -> float | None:
    time = _TIME.fullmatch(text)
    return None if time is None else float(time[1]) * _SECONDS[time[2]]
