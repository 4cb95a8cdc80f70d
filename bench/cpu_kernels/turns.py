"""Medians of functions that take turns in one process, so that a slow moment hits all alike.

Times are the processor's for this process, unless it is said. Turns come round as regularly as the
slices of a scheduler: by the clock, one function of four took twice its time whenever another
program ran. What runs on two threads has to be measured by the clock all the same.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Run = Callable[[], object]
Clock = Callable[[], float]

_SAMPLE_SECONDS = 0.004
"""A sample repeats its function for so long, or once."""


def medians(
    runs: Mapping[str, Run], n_rounds: int, clock: Clock = time.process_time
) -> dict[str, float]:
    """Return the median seconds of a call of each by `clock`, after two that do not count."""
    counts = {name: _repetitions(run) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(n_rounds):
        for name, run in runs.items():
            samples[name].append(_timed(run, counts[name], clock))
    return {name: statistics.median(taken) for name, taken in samples.items()}


def _repetitions(run: Run) -> int:
    _timed(run, 1)
    return max(1, int(_SAMPLE_SECONDS / max(_timed(run, 1), 1e-7)))


def _timed(run: Run, count: int, clock: Clock = time.process_time) -> float:
    start = clock()
    for _ in range(count):
        run()
    return (clock() - start) / count


@lru_cache
def find_torch() -> Any | None:
    """Return torch, set to one thread and no gradients, or None where it is not installed."""
    if find_spec("torch") is None:
        return None
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    return torch
