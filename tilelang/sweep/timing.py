"""Timing several programs against each other, so that a disturbance hits all of them alike.

Rounds are interleaved: in each, every program is sampled once, in an order that rotates, so neither
a slow second of the computer nor the predecessor's caches favour one. A sample is the mean of
enough calls to be long against the clock; a time is the median of its samples. Programs whose
samples spread far are sampled again, as long as their budget lasts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from tilelang.backend import Executable
from tilelang.sweep.spread import noise_of

SAMPLE_SECONDS = 2e-4
"""A sample lasts at least so long: long against the clock, and short against the slices of a few
milliseconds that an operating system gives, so that most samples of a busy computer are whole."""
BUDGET_SECONDS = 3.0
"""What all samples of one program may take, beyond the first three."""
LEAST_SAMPLES = 3
MOST_CALLS = 10_000
STEADY = 0.05
"""A spread that is small enough not to sample again."""
MOST_PASSES = 4
"""How often all rounds are gone through, at most."""


@runtime_checkable
class Clock(Protocol):
    """An executable that times itself: its calls return before a device has done the work.

    One that returns when the work is done needs no such method.
    """

    def seconds(self, arrays: Sequence[Any], n_calls: int) -> float:
        """Return the seconds that `n_calls` calls on numpy `arrays` take on the device."""
        ...


@dataclass(slots=True)
class Run:
    """A program being timed."""

    seconds: Callable[[int], float]
    """Returns the seconds that so many calls take."""
    n_calls: int = 1
    n_rounds: int = 0
    samples: list[float] = field(default_factory=list[float])


def start(executable: Executable, arrays: Sequence[Any], n_repeats: int) -> Run:
    """Return a run of `executable`, warmed up, that is to be sampled `n_repeats` times or less."""
    run = Run(_stopwatch(executable, arrays))
    run.seconds(1)
    once = run.seconds(1)
    run.n_calls = min(max(round(SAMPLE_SECONDS / max(once, 1e-9)), 1), MOST_CALLS)
    affordable = max(int(BUDGET_SECONDS / max(once * run.n_calls, 1e-9)), LEAST_SAMPLES)
    run.n_rounds = min(n_repeats, affordable)
    return run


def sample(runs: Sequence[Run]) -> None:
    """Take every sample that is due, in interleaved rounds, and more of unsteady programs."""
    due = list(runs)
    for _ in range(MOST_PASSES):
        _go_round(due)
        due = [run for run in due if _is_unsteady(run)]


def _is_unsteady(run: Run) -> bool:
    affordable = sum(run.samples) * run.n_calls < BUDGET_SECONDS
    return affordable and (noise_of(run.samples) or 0.0) > STEADY


def _go_round(runs: Sequence[Run]) -> None:
    for number in range(max((run.n_rounds for run in runs), default=0)):
        shift = number % len(runs)
        for run in (*runs[shift:], *runs[:shift]):
            if number < run.n_rounds:
                run.samples.append(run.seconds(run.n_calls) / run.n_calls)


def _stopwatch(executable: Executable, arrays: Sequence[Any]) -> Callable[[int], float]:
    if isinstance(executable, Clock):
        clock = executable
        return lambda n_calls: clock.seconds(arrays, n_calls)

    def seconds(n_calls: int) -> float:
        started = time.perf_counter()
        for _ in range(n_calls):
            executable(*arrays)
        return time.perf_counter() - started

    return seconds
