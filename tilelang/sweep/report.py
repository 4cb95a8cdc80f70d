"""What a sweep found."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tilelang.diagnostics import Diagnostic
from tilelang.diagnostics.explain import explanations
from tilelang.sweep.effects import Effects, find_effects
from tilelang.sweep.heat_map import HeatMap, heat_map
from tilelang.sweep.plan import Metric
from tilelang.sweep.ranks import Correlation
from tilelang.sweep.spread import noise_of
from tilelang.sweep.trial import Status, Trial


@dataclass(frozen=True, slots=True)
class Reason:
    """Why `trials` have no value: the code, its title, and what the first was told."""

    code: str
    title: str
    example: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """How exact the times are, as shares: samples about their median, and batches by one anchor.

    `typical` is the median over the trials, `worst` the largest, `drift` the spread of one program
    that was timed in every batch (None where one batch was enough).
    """

    typical: float
    worst: float
    drift: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The trials of a sweep, in the order of the space, and what follows from them."""

    kernel: str
    problem: str
    backend: str
    machine: str
    metric: Metric
    place: str
    trials: tuple[Trial, ...]
    winner: Trial | None
    verdict: str
    call: str | None
    """The winner as a line of Python to paste."""
    noise: Noise | None
    correlation: Correlation | None
    seconds: float
    log: Path
    pictures: tuple[Path, ...] = ()
    """The heat map as files, where a folder was given for them."""
    undrawn: Diagnostic | None = None
    """Why there are no such files though there should be: a package is missing."""

    @property
    def ok(self) -> bool:
        """Whether there is a winner, and no check spoke against it."""
        return self.winner is not None

    @property
    def ranking(self) -> tuple[Trial, ...]:
        """The trials with a value of full precision, the best first."""
        ranked = [trial for trial in self.trials if trial.status is Status.RANKED]
        return tuple(sorted(ranked, key=lambda trial: trial.value or 0.0))

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why trials have no value, grouped by code, the most frequent first."""
        return tuple(sorted(_reasons(self.trials), key=lambda reason: -len(reason.trials)))

    @property
    def effects(self) -> Effects | None:
        """What each tile parameter does to the value."""
        return find_effects(self.ranking)

    @property
    def heat_map(self) -> HeatMap | None:
        """The trials over two parameters."""
        return heat_map(self.trials, self.winner)

    @property
    def ties(self) -> tuple[Trial, ...]:
        """The trials that are no slower than the winner by more than the noise of the two."""
        if self.winner is None or self.metric is Metric.CYCLES:
            return ()
        return tuple(trial for trial in self.ranking if _is_tie(trial, self.winner))

    @property
    def counts(self) -> dict[str, int]:
        """How many trials ended how; of those that were legal, how many the log had already."""
        found = {"tiles": len(self.trials)}
        found |= {s.value: sum(t.status is s for t in self.trials) for s in Status}
        legal = [trial for trial in self.trials if trial.status is not Status.ILLEGAL]
        n_reused = sum(trial.reused for trial in legal)
        return {**found, "reused": n_reused, "new": len(legal) - n_reused}

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            **{name: getattr(self, name) for name in ("kernel", "problem", "backend", "machine")},
            **{name: getattr(self, name) for name in ("place", "verdict", "call", "seconds", "ok")},
            "metric": self.metric.value,
            "unit": "seconds" if self.metric is Metric.TIME else "cycles",
            "log": str(self.log),
            "pictures": [str(picture) for picture in self.pictures],
            "counts": self.counts,
            "winner": _plain(self.winner) if self.winner else None,
            "trials": [_plain(trial) for trial in self.trials],
            "noise": asdict(self.noise) if self.noise else None,
            "effects": asdict(self.effects) if self.effects else None,
            "correlation": asdict(self.correlation) if self.correlation else None,
        }

    def __str__(self) -> str:
        """Return the report as text for a terminal, without colours."""
        from tilelang.sweep.wording import report_lines

        return "\n".join(report_lines(self))


def find_noise(trials: Sequence[Trial], drift: Sequence[float]) -> Noise | None:
    """Return how exact the times of `trials` are, None where none was sampled three times."""
    shares = sorted(trial.noise for trial in trials if trial.noise is not None)
    if not shares:
        return None
    return Noise(shares[len(shares) // 2], shares[-1], noise_of(drift))


def _reasons(trials: Sequence[Trial]) -> Iterator[Reason]:
    without = [trial for trial in trials if trial.code is not None]
    for code in dict.fromkeys(trial.code for trial in without):
        if code is not None:
            these = tuple(trial for trial in without if trial.code == code)
            known = explanations().get(code)
            yield Reason(code, known.title if known else "", these[0].reason or "", these)


def _is_tie(trial: Trial, winner: Trial) -> bool:
    if trial.value is None or winner.value is None or trial is winner:
        return False
    noise = (trial.noise or 0.0) + (winner.noise or 0.0)
    return trial.value <= winner.value * (1 + noise)


def _plain(trial: Trial) -> dict[str, Any]:
    return {
        "tiles": dict(trial.tiles),
        "status": trial.status.value,
        "value": trial.value,
        "noise": trial.noise,
        "code": trial.code,
        "reason": trial.reason,
        "reused": trial.reused,
    }
