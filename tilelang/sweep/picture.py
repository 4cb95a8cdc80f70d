"""The heat map as a picture, PNG and SVG, by matplotlib."""

from pathlib import Path
from typing import Any

from tilelang.sweep.heat_map import Cell, HeatMap, number_text, quantity, unit_of
from tilelang.sweep.packages import need
from tilelang.sweep.report import Report
from tilelang.sweep.trial import Status
from tilelang.sweep.wording import where

CELL_INCHES = (0.78, 0.5)
MARGIN_INCHES = (2.6, 1.9)
COLOURS = "viridis_r"
"""Dark is slow; it reads the same in grey and to the colour-blind."""
HATCHES = {
    Status.ILLEGAL: ("////", "illegal (with the code of the error)"),
    Status.FAILED: ("xx", "failed"),
    Status.WRONG: ("xx", "wrong result"),
    Status.DROPPED: ("..", "dropped early"),
}
GREY, RED = "#f2f2f2", "#d62728"
DPI = 160


def save_pictures(report: Report) -> list[Path]:
    """Write the heat map beside the log and return the files; none where nothing has a value.

    Raises:
        TileError: E0604 if matplotlib is not installed.
    """
    grid = report.heat_map
    if grid is None or not grid.values:
        return []
    stem = report.log.parent / _stem(report)
    files = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg")]
    with need("matplotlib", "plot").rc_context({"svg.hashsalt": "tilelang-tik"}):
        figure = draw(report, grid)
        for file in files:
            settings = {"dpi": DPI, "bbox_inches": "tight", "facecolor": "white"}
            figure.savefig(file, metadata=_dateless(file), **settings)
    return files


def draw(report: Report, grid: HeatMap) -> Any:
    """Return the matplotlib figure of a heat map."""
    figures = need("matplotlib.figure", "plot")
    width = MARGIN_INCHES[0] + CELL_INCHES[0] * len(grid.xs)
    height = MARGIN_INCHES[1] + CELL_INCHES[1] * len(grid.ys)
    figure = figures.Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    _axes(axes, grid)
    size, unit = unit_of(report.metric, grid.values)
    colours = _colours(grid, size)
    for row, cells in enumerate(grid.cells):
        for column, cell in enumerate(cells):
            _draw_cell(axes, cell, (column, row), (size, colours))
    _legend(figure, grid)
    best = f" (best over {', '.join(grid.others)})" if grid.others else ""
    bar = figure.colorbar(colours, ax=axes, label=f"{quantity(report.metric, unit)}{best}")
    bar.ax.minorticks_off()
    _ticks(bar, colours)
    axes.set_title(_title(report), loc="left", fontsize=10)
    return figure


def _title(report: Report) -> str:
    return f"{report.kernel}   {report.problem}\n{where(report)}"


def _axes(axes: Any, grid: HeatMap) -> None:
    axes.set_xlim(-0.5, len(grid.xs) - 0.5)
    axes.set_ylim(-0.5, len(grid.ys) - 0.5)
    axes.set_aspect("auto")
    axes.set_xticks(range(len(grid.xs)), [str(x) for x in grid.xs])
    axes.set_yticks(range(len(grid.ys)), ["" if y is None else str(y) for y in grid.ys])
    axes.set_xlabel(grid.x)
    axes.set_ylabel(grid.y or "")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _colours(grid: HeatMap, size: float) -> Any:
    """Return values as colours, by their logarithms: tiles differ by factors."""
    colours = need("matplotlib.colors", "plot")
    mappable = need("matplotlib.cm", "plot")
    values = [value / size for value in grid.values]
    low, high = min(values), max(values)
    norm = colours.LogNorm(low, high if high > low else low * 1.01)
    return mappable.ScalarMappable(norm, COLOURS)


def _ticks(bar: Any, colours: Any) -> None:
    low, high = colours.norm.vmin, colours.norm.vmax
    places = [low * (high / low) ** (step / 4) for step in range(5)]
    bar.set_ticks(places, labels=[number_text(place) for place in places])


def _draw_cell(axes: Any, cell: Cell, place: tuple[int, int], scale: tuple[float, Any]) -> None:
    if cell.value is None:
        if cell.status is not None:
            hatch, _ = HATCHES[cell.status]
            _rectangle(axes, place, facecolor=GREY, edgecolor="#bdbdbd", hatch=hatch, linewidth=0)
            _rectangle(axes, place, fill=False, edgecolor="white", linewidth=1)
            box = {"facecolor": GREY, "edgecolor": "none", "pad": 1.5}
            _write(axes, place, cell.code or "", color="#555555", bbox=box if cell.code else None)
        return
    size, colours = scale
    fill = colours.to_rgba(cell.value / size)
    _rectangle(axes, place, facecolor=fill, edgecolor="white", linewidth=1)
    weight = "bold" if cell.is_winner else "normal"
    _write(axes, place, number_text(cell.value / size), color=_ink(fill), weight=weight)
    if cell.is_winner:
        _rectangle(axes, place, fill=False, edgecolor=RED, linewidth=2.5, zorder=3, inset=0.035)


def _rectangle(axes: Any, place: tuple[int, int], *, inset: float = 0.0, **style: Any) -> None:
    corner, side = [one - 0.5 + inset for one in place], 1 - 2 * inset
    axes.add_patch(need("matplotlib.patches", "plot").Rectangle(corner, side, side, **style))


def _write(axes: Any, place: tuple[int, int], text: str, **style: Any) -> None:
    axes.text(*place, text, ha="center", va="center", fontsize=8, **style)


def _ink(fill: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever is read better on `fill` (relative luminance, Rec. 709)."""
    luminance = 0.2126 * fill[0] + 0.7152 * fill[1] + 0.0722 * fill[2]
    return "black" if luminance > 0.45 else "white"


def _legend(figure: Any, grid: HeatMap) -> None:
    patch = need("matplotlib.patches", "plot").Patch
    cells = [cell for row in grid.cells for cell in row]
    marks: list[Any] = []
    if any(cell.is_winner for cell in cells):
        marks.append(patch(fill=False, edgecolor=RED, linewidth=2.5, label="winner"))
    found = {cell.status for cell in cells if cell.value is None}
    for status, (hatch, label) in HATCHES.items():
        if status in found:
            style = {"facecolor": GREY, "edgecolor": "#9e9e9e", "hatch": hatch}
            marks.append(patch(label=label, linewidth=0.0, **style))
    if marks:
        figure.legend(
            handles=marks, ncols=len(marks), loc="outside lower left", frameon=False, fontsize=8
        )


def _stem(report: Report) -> str:
    sizes = report.problem.replace(", ", "-").replace("=", "")
    names = (report.kernel, sizes, report.backend, report.machine, report.metric.value)
    return "-".join(names)


def _dateless(file: Path) -> dict[str, Any]:
    """Return metadata without a date: the same sweep draws the same file."""
    return {"Date": None} if file.suffix == ".svg" else {"Software": "tilelang-tik"}
