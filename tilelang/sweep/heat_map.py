"""The trials as a grid: two parameters on the axes, the others at their best."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tilelang.sweep.plan import Metric
from tilelang.sweep.trial import Status, Trial

MANY_CYCLES = 10_000
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


@dataclass(frozen=True, slots=True)
class Cell:
    """The best trial at one place, or the status and the code that all trials there share most."""

    value: float | None
    status: Status | None
    code: str | None
    is_winner: bool


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A grid of cells, row by row; `y` is None where one parameter alone is swept."""

    x: str
    xs: tuple[int, ...]
    y: str | None
    ys: tuple[int | None, ...]
    others: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def values(self) -> list[float]:
        """Every value, row by row."""
        return [cell.value for row in self.cells for cell in row if cell.value is not None]


def heat_map(trials: Sequence[Trial], winner: Trial | None) -> HeatMap | None:
    """Return the grid over the two parameters with the most values; None without trials."""
    if not trials:
        return None
    values = {name: sorted({trial.tiles[name] for trial in trials}) for name in trials[0].tiles}
    largest = sorted(values, key=lambda name: -len(values[name]))[:2]
    y, x = [name for name in values if name in largest] if len(values) > 1 else (None, largest[0])
    ys: tuple[int | None, ...] = tuple(values[y]) if y else (None,)
    others = tuple(name for name in values if name not in largest and len(values[name]) > 1)
    places: dict[tuple[int | None, int], list[Trial]] = {}
    for trial in trials:
        place = (trial.tiles[y] if y else None, trial.tiles[x])
        places.setdefault(place, []).append(trial)
    cells = tuple(
        tuple(_cell(places.get((row, column), []), winner) for column in values[x]) for row in ys
    )
    return HeatMap(x, tuple(values[x]), y, ys, others, cells)


def _cell(trials: Sequence[Trial], winner: Trial | None) -> Cell:
    is_winner = any(trial is winner for trial in trials)
    if is_winner and winner is not None:  # the final may have put another's value below its own
        return Cell(winner.value, Status.RANKED, None, True)
    ranked = [trial.value for trial in trials if trial.value is not None and not _is_out(trial)]
    if ranked:
        return Cell(min(ranked), Status.RANKED, None, False)
    if not trials:
        return Cell(None, None, None, False)
    ends = Counter((trial.status, trial.code) for trial in trials)
    (status, code), _ = ends.most_common(1)[0]
    return Cell(None, status, code, False)


def _is_out(trial: Trial) -> bool:
    return trial.status in (Status.ILLEGAL, Status.FAILED, Status.WRONG)


def unit_of(metric: Metric, values: Sequence[float]) -> tuple[float, str]:
    """Return the unit that shows the least of `values` as 1 or more, and its size."""
    least = min(values, default=1.0)
    if metric is Metric.CYCLES:
        return (1e3, "thousand cycles") if least >= MANY_CYCLES else (1.0, "cycles")
    return next((unit for unit in _UNITS if least >= unit[0]), _UNITS[-1])


def quantity(metric: Metric, unit: str) -> str:
    """Return what numbers in `unit` are: "time in us", "thousand cycles"."""
    return unit if metric is Metric.CYCLES else f"{metric.value} in {unit}"


def number_text(value: float) -> str:
    """Return a number with three digits, or all of a whole part that has more."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:#.3g}".rstrip(".")
