"""Successive halving: rough judgements of all tiles, careful ones of the best.

Times: first one sample of each, then more. Cycles: first of a problem whose sizes are divided by a
factor, then of the whole one. A backend with a cycle model that measures times asks it first.
"""

from dataclasses import dataclass

from tilelang.backend import Backend
from tilelang.sweep.cycles import CycleModel
from tilelang.sweep.plan import Metric, Plan

KEPT = 1 / 3
"""The share of the tiles that goes on to the next rung."""
LEAST_KEPT = 8
"""No fewer go on: a rough judgement errs."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One judgement: by what, with how many samples, of sizes divided by what."""

    metric: Metric
    repeats: int = 1
    shrink: int = 1

    @property
    def judge(self) -> str:
        """The rung as the log names it."""
        if self.metric is Metric.TIME:
            return f"time x{self.repeats}"
        return "cycles" if self.shrink == 1 else f"cycles of sizes / {self.shrink}"


def rungs(metric: Metric, plan: Plan, backend: Backend) -> list[Rung]:
    """Return the judgements of a sweep, in order; one alone unless `plan` asks for halving."""
    match metric:
        case Metric.CYCLES:
            shrinks = (8, 1) if plan.halving else (1,)
            return [Rung(metric, shrink=shrink) for shrink in shrinks]
        case Metric.TIME:
            last = Rung(metric, plan.repeats)
            if not plan.halving:
                return [last]
            rough = Rung(Metric.CYCLES if isinstance(backend, CycleModel) else metric)
            return [rough, Rung(metric, min(3, plan.repeats)), last]


def n_kept(n_tiles: int) -> int:
    """Return how many of `n_tiles` go on to the next rung."""
    return min(n_tiles, max(LEAST_KEPT, round(n_tiles * KEPT)))
