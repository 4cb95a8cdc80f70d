"""The heat map of a sweep in colours, where the output is a terminal that has them."""

from math import log

from rich.table import Table
from rich.text import Text

from tilelang.cli.tables import console
from tilelang.sweep.heat_map import Cell, HeatMap, unit_of
from tilelang.sweep.report import Report
from tilelang.sweep.wording import cell_text, grid_lines, heat_map_title

COLOURS = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")
"""From the best to the worst, as in the pictures (viridis); text is black on the first three."""
N_LIGHT = 3


def show_heat_map(report: Report) -> None:
    """Print the heat map of a report; nothing where no tiles have a value."""
    grid = report.heat_map
    if grid is None or not grid.values:
        return
    out = console()
    if not out.is_terminal:
        print("\n".join(["", heat_map_title(report, grid), *grid_lines(report, grid), ""]))
        return
    print(f"\n{heat_map_title(report, grid)}")
    out.print(_table(report, grid))


def _table(report: Report, grid: HeatMap) -> Table:
    size, _ = unit_of(report.metric, grid.values)
    table = Table(box=None, pad_edge=False, padding=0, header_style="bold")
    table.add_column(f"{grid.y} \\ {grid.x} " if grid.y else f"{grid.x} ", justify="right")
    for x in grid.xs:
        table.add_column(f" {x} ", justify="right")
    for y, row in zip(grid.ys, grid.cells, strict=True):
        name = Text("" if y is None else f"{y} ", "bold")
        table.add_row(name, *(Text(f" {cell_text(c, size)} ", _style(c, grid)) for c in row))
    return table


def _style(cell: Cell, grid: HeatMap) -> str:
    if cell.value is None:
        return "dim"
    low, high = log(min(grid.values)), log(max(grid.values))
    share = (log(cell.value) - low) / (high - low) if high > low else 0.0
    place = min(int(share * len(COLOURS)), len(COLOURS) - 1)
    ink = "black" if place < N_LIGHT else "white"
    return f"{'bold underline ' if cell.is_winner else ''}{ink} on {COLOURS[place]}"
