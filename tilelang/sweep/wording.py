"""A report in words: plain text that any terminal, log or notebook shows."""

from collections.abc import Iterator

from tilelang.sweep.final import OK
from tilelang.sweep.heat_map import Cell, HeatMap, number_text, quantity, unit_of
from tilelang.sweep.plan import Metric
from tilelang.sweep.report import Report
from tilelang.sweep.trial import Status

N_SHOWN = 10
WINNER_MARK = "*"
DROPPED_MARK = "-"
MUCH_NOISE = 0.2
"""With more than this, times of single tiles say little."""


def report_lines(report: Report) -> Iterator[str]:
    """Yield the lines of a report."""
    yield from head_lines(report)
    grid = report.heat_map
    if grid is not None and grid.values:
        yield from ("", heat_map_title(report, grid), *grid_lines(report, grid), "")
    yield from tail_lines(report)


def head_lines(report: Report) -> Iterator[str]:
    """Yield what comes before the heat map: what was swept, and the best tiles."""
    yield title(report)
    yield summary(report)
    if report.ranking:
        yield ""
        yield from _table_lines(report)


def tail_lines(report: Report) -> Iterator[str]:
    """Yield what comes after the heat map: pictures, reasons, effects, noise, and the winner."""
    parts = (
        picture_lines(report),
        reason_lines(report),
        finding_lines(report),
        winner_lines(report),
    )
    texts = ["\n".join(lines) for lines in parts]
    yield "\n\n".join(text for text in texts if text)


def title(report: Report) -> str:
    """Return kernel, problem, metric, backend and machine in one line."""
    return f"{report.kernel}  {report.problem}  {where(report)}"


def where(report: Report) -> str:
    """Return what the values are and where they come from."""
    if report.metric is Metric.CYCLES:
        return f"cycles of {report.machine}, by {report.backend}"
    return f"time of {report.backend} on {report.place}; legal on {report.machine}"


def summary(report: Report) -> str:
    """Return how many tiles ended how."""
    counts = report.counts
    ends = [f"{counts[s.value]} {s.value}" for s in Status if counts[s.value]]
    kept = f"{counts['reused']} from the log, {counts['new']} new"
    return f"{counts['tiles']} tiles: {', '.join(ends)}; {kept}; {report.seconds:.1f} s"


def heat_map_title(report: Report, grid: HeatMap) -> str:
    """Return what the cells of the heat map show."""
    _, unit = unit_of(report.metric, grid.values)
    best = f", the best over {' and '.join(grid.others)}" if grid.others else ""
    cells = [cell for row in grid.cells for cell in row]
    dropped = any(cell.value is None and cell.status is Status.DROPPED for cell in cells)
    marks = f"{WINNER_MARK} the winner" + (f", {DROPPED_MARK} dropped early" if dropped else "")
    return f"{quantity(report.metric, unit)}{best}  ({marks})"


def cell_text(cell: Cell, size: float) -> str:
    """Return what a cell shows: a value in units of `size`, the code of an error, or a mark."""
    if cell.value is not None:
        return number_text(cell.value / size) + (WINNER_MARK if cell.is_winner else "")
    if cell.code is not None:
        return cell.code
    return DROPPED_MARK if cell.status is Status.DROPPED else ""


def picture_lines(report: Report) -> Iterator[str]:
    """Yield where the heat map is drawn, or why it is not."""
    if report.pictures:
        yield f"drawn in {' and '.join(map(str, report.pictures))}"
    if report.undrawn is not None:
        yield f"not drawn: {report.undrawn.message}"
        yield f"    {report.undrawn.hint}; the same sweep then draws it, and measures nothing again"


def reason_lines(report: Report) -> Iterator[str]:
    """Yield why trials have no value: every code with its number and the first message."""
    for reason in report.reasons:
        first = reason.trials[0]
        yield f"{len(reason.trials)} x {reason.code} {reason.title}"
        yield f"    {first.text}: {reason.example}"
        others = [trial.text for trial in reason.trials[1:4]]
        if others:
            more = len(reason.trials) - 1 - len(others)
            yield f"    also {'; '.join(others)}" + (f"; and {more} more" if more else "")


def finding_lines(report: Report) -> Iterator[str]:
    """Yield the effects of the parameters, the noise, and the rank correlation."""
    what = report.metric.value
    effects = report.effects
    if effects:
        for effect in effects.each:
            yield (
                f"doubling {effect.parameter} multiplies the {what} by {effect.per_doubling:.2f} "
                f"(exponent {effect.exponent:+.2f})"
            )
        yield f"these exponents explain {effects.explained:.0%} of the variation of log {what}"
    if report.noise:
        drift = report.noise.drift
        between = "" if drift is None else f", {drift:.1%} between batches"
        typical, worst = report.noise.typical, report.noise.worst
        yield f"noise of a sample: {typical:.1%} typical, {worst:.1%} at worst{between}"
        if typical > MUCH_NOISE:
            yield "    something else keeps this computer busy: sweep again when it is idle"
    if report.ties:
        names = "; ".join(trial.text for trial in report.ties[:4])
        yield f"no slower than the winner by more than the noise: {names}"
    found = report.correlation
    if found:
        yield (
            f"rank correlation (Spearman) of cycles ({found.predicted}) with time "
            f"({found.measured}): {found.coefficient:+.2f} over {found.n_tiles} tiles"
        )


def winner_lines(report: Report) -> Iterator[str]:
    """Yield the winner as a line to paste, and what the check said of it."""
    if report.winner is None or report.call is None:
        yield "no tiles won: see the reasons above"
        return
    agrees = "its result agrees with the reference"
    yield f"winner ({agrees if report.verdict == OK else report.verdict}):"
    yield f"    {report.call}"


def value_text(report: Report, value: float) -> str:
    """Return a value with its unit; cycles as they are."""
    if report.metric is Metric.CYCLES:
        return f"{value:,.0f}"
    size, unit = unit_of(report.metric, [value])
    return f"{number_text(value / size)} {unit}"


def _table_lines(report: Report) -> Iterator[str]:
    shown = report.ranking[:N_SHOWN]
    names = list(shown[0].tiles)
    header = [*names, report.metric.value, "noise" if report.metric is Metric.TIME else ""]
    rows = [
        [
            *(str(trial.tiles[name]) for name in names),
            value_text(report, trial.value or 0.0),
            "" if trial.noise is None else f"{trial.noise:.1%}",
        ]
        for trial in shown
    ]
    yield from _aligned([header, *rows])
    if len(report.ranking) > N_SHOWN:
        yield f"... and {len(report.ranking) - N_SHOWN} more"


def grid_lines(report: Report, grid: HeatMap) -> Iterator[str]:
    """Yield the heat map without colours."""
    size, _ = unit_of(report.metric, grid.values)
    header = [f"{grid.y} \\ {grid.x}" if grid.y else grid.x, *map(str, grid.xs)]
    rows = [
        ["" if y is None else str(y), *(cell_text(cell, size) for cell in row)]
        for y, row in zip(grid.ys, grid.cells, strict=True)
    ]
    yield from _aligned([header, *rows])


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
