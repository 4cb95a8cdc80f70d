"""Tables on the terminal and pictures in a folder, for all figures of the paper."""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

Row = Sequence[str]


def print_table(heads: Row, rows: Sequence[Row]) -> None:
    """Print rows in columns; numbers flush right, words flush left."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(cell[:1].isdigit() or cell == "-" for cell in column[1:]) for column in columns]
    for row in (heads, *rows):
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        )
        print("  ".join(cells).rstrip())


def picture_folder(description: str) -> Path | None:
    """Return the folder of `--out`, made if need be; None if no picture is wanted."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, metavar="DIR", help="draw a picture into this folder")
    folder: Path | None = parser.parse_args().out
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_picture(
    file: Path, draw: Callable[[Any, Any], None], *, size: tuple[float, float], n_axes: int = 1
) -> None:
    """Call `draw(figure, axes)` and save what it drew; needs the extra `plot`."""
    try:
        pyplot: Any = import_module("matplotlib.pyplot")
    except ModuleNotFoundError:
        raise SystemExit("pictures need matplotlib: pip install 'tilelang-tik[plot]'") from None
    style = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 10}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(1, n_axes, figsize=size, layout="constrained")
        draw(figure, axes)
        figure.savefig(file, dpi=150)
        pyplot.close(figure)
    print(f"\n{file}")
