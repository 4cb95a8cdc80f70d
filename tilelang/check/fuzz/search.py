"""The search: hypothesis draws tries and shrinks the first that fails, within a budget of time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tilelang.check.fuzz.draws import tries
from tilelang.check.fuzz.process import Process
from tilelang.check.fuzz.report import Failure, FuzzReport
from tilelang.check.fuzz.trial import Refused, Scope, Try, attempt

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

_UNBOUNDED = 10**9
"""Examples; the budget ends the search."""

Progress = Callable[[str], None]


class _OutOfTimeError(BaseException):
    """Ends the search from inside; hypothesis lets it through."""


class _FoundError(AssertionError):
    """A try failed: hypothesis shrinks it."""


@dataclass(slots=True)
class Search:
    """What was tried so far."""

    kernel: Kernel
    process: Process
    deadline: float
    progress: Progress
    started: float = field(default_factory=time.perf_counter)
    counts: Counter[str] = field(default_factory=Counter[str])
    n_refused: int = 0
    smallest: tuple[Try, str] | None = None

    def __call__(self, tried: Try) -> None:
        """Try `tried`, and note what comes of it.

        Raises:
            _FoundError: if it fails; _OutOfTimeError once the time is over.
        """
        if time.perf_counter() > self.deadline:
            raise _OutOfTimeError
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

    def _say(self) -> None:
        left = max(self.deadline - time.perf_counter(), 0)
        state = f"shrinking: {self.smallest[1]}" if self.smallest else "nothing found"
        self.progress(f"{sum(self.counts.values())} tries, {left:.0f} s left, {state}")


def search(
    kernel: Kernel,
    backends: Sequence[str],
    scope: Scope,
    *,
    seconds: float,
    seed: int,
    progress: Progress,
) -> FuzzReport:
    """Return what trying `kernel` for so many seconds found."""
    with Process() as process:
        found = Search(kernel, process, time.perf_counter() + seconds, progress)

        @seeded(seed)
        @_SETTINGS
        @given(tries(kernel, backends, scope))
        def run(tried: Try) -> None:
            found(tried)

        with suppress(_OutOfTimeError, _FoundError):
            run()
    failure = None
    if found.smallest is not None:
        failure = Failure(kernel.name, kernel.function.__module__, *found.smallest)
    return FuzzReport(
        kernel.name,
        seed,
        time.perf_counter() - found.started,
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
