"""The search: hypothesis draws tries and shrinks the first that fails, within a budget."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tilelang.check.fuzz.budget import Budget
from tilelang.check.fuzz.draws import tries
from tilelang.check.fuzz.report import Failure, FuzzReport
from tilelang.check.fuzz.trial import RUN_SECONDS, Refused, Scope, Try, attempt
from tilelang.check.process import Process

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

_UNBOUNDED = 10**9
"""Examples; the budget ends the search."""

_REFUSED_PER_RUN = 20
"""Draws that may be illegal for each run asked for; then what is fixed leaves next to none."""

Progress = Callable[[str], None]


class _OverError(BaseException):
    """Ends the search from inside; hypothesis lets it through."""


class _FoundError(AssertionError):
    """A try failed: hypothesis shrinks it."""


@dataclass(slots=True)
class Search:
    """What was tried so far."""

    kernel: Kernel
    process: Process
    budget: Budget
    progress: Progress
    started: float = field(default_factory=time.perf_counter)
    counts: Counter[str] = field(default_factory=Counter[str])
    n_refused: int = 0
    smallest: tuple[Try, str] | None = None

    def __call__(self, tried: Try) -> None:
        """Try `tried`, and note what comes of it.

        Raises:
            _FoundError: if it fails; _OverError once the budget is spent.
        """
        if self._is_over():
            raise _OverError
        try:
            wrong = attempt(self.kernel, tried, self.process)
        except Refused:
            self.n_refused += 1
            return
        self.counts[tried.backend] += 1
        self._say()
        if wrong is not None:
            if self.smallest is None or tried.size < self.smallest[0].size:
                self.smallest = tried, wrong
            raise _FoundError(wrong.split(" ")[0])

    def _is_over(self) -> bool:
        """Return whether the budget is spent; the runs that shrink a failure are free."""
        if self.smallest is None and self.n_runs >= self.budget.n_runs:
            return True
        is_hopeless = self.n_refused >= _REFUSED_PER_RUN * self.budget.n_runs
        return is_hopeless or self.seconds > self.budget.seconds

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    @property
    def n_runs(self) -> int:
        """Tries that ran, on whatever backend."""
        return sum(self.counts.values())

    def _say(self) -> None:
        left = self.budget.left(self.seconds, self.n_runs)
        found = self.smallest[1].partition("\n")[0] if self.smallest else ""
        state = f"shrinking: {found}" if found else "nothing found"
        self.progress(f"{self.n_runs} tries, {left}, {state}")


def search(
    kernel: Kernel,
    backends: Sequence[str],
    scope: Scope,
    *,
    budget: Budget,
    seed: int,
    progress: Progress,
) -> FuzzReport:
    """Return what trying `kernel` within `budget` found."""
    with Process(RUN_SECONDS) as process:
        found = Search(kernel, process, budget, progress)

        @seeded(seed)
        @_SETTINGS
        @given(tries(kernel, backends, scope))
        def run(tried: Try) -> None:
            found(tried)

        with suppress(_OverError, _FoundError):
            run()
    failure = None
    if found.smallest is not None:
        failure = Failure(kernel.name, kernel.function.__module__, *found.smallest)
    return FuzzReport(
        kernel.name,
        seed,
        found.seconds,
        dict(found.counts),
        found.n_refused,
        failure,
    )


_SETTINGS = settings(
    max_examples=_UNBOUNDED,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    report_multiple_bugs=False,
    print_blob=False,
)
