"""How to sweep: what is compared, how many tiles, where they run, and where results are kept."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Literal

from tilelang.diagnostics import Diagnostic, TileError, callsite


class Metric(Enum):
    """What tiles are compared by; less is better."""

    TIME = "time"
    """Seconds of a call, measured on this computer (or on the cluster)."""
    CYCLES = "cycles"
    """What the backend's cycle model says; no chip is needed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to sweep. The defaults try every tile, here, one after the other."""

    metric: Literal["time", "cycles"] | None = None
    """None: cycles where the backend has a cycle model, else time."""
    out: str | Path | None = None
    """Folder of the log and of the pictures; None: the user's log alone (`log.user_log`)."""
    pictures: bool = True
    """Whether the heat map is drawn into `out`, where matplotlib is installed."""
    random: int | None = None
    """Try so many tiles, drawn at random; None: all."""
    seed: int = 0
    """Of the random tiles, and of the inputs."""
    halving: bool = False
    """Judge all tiles roughly first, and only the best of them with care."""
    jobs: int = 1
    """Processes, through joblib. Times are measured in one of them, for they disturb each other."""
    dask: str | None = None
    """Address of a Dask scheduler whose workers run the trials; "local" starts `jobs` here.

    A script that starts some does so under `if __name__ == "__main__":`, for they run it again.
    """
    repeats: int = 7
    """Samples of a time; what is reported is their median."""
    check: bool = True
    """Whether the winner is compared with the kernel's reference."""
    retry: bool = False
    """Whether tiles that failed before are tried again."""

    def __post_init__(self) -> None:
        """Check the numbers and the metric.

        Raises:
            TileError: E0909 for a number that is not positive, E0910 for an unknown metric.
        """
        faults = [*self._number_faults(), *self._metric_faults()]
        if faults:
            raise TileError(*faults)

    def _number_faults(self) -> Iterator[Diagnostic]:
        for name in ("random", "jobs", "repeats"):
            value: object = getattr(self, name)
            optional = next(field.default for field in fields(self) if field.name == name) is None
            if value is None and optional:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                yield Diagnostic(
                    "E0909",
                    f"{name} of a sweep is {value!r}, wanted a whole number, 1 or more",
                    callsite.location(None),
                    f"write {name}=4",
                )

    def _metric_faults(self) -> Iterator[Diagnostic]:
        names = [metric.value for metric in Metric]
        if self.metric not in (None, *names):
            yield Diagnostic(
                "E0910",
                f"there is no metric {self.metric!r}, wanted one of {', '.join(names)}",
                callsite.location(None),
                'write metric="time" to measure, or metric="cycles" to ask the cycle model',
            )
