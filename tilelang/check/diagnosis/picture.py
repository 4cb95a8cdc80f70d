"""The error over a result as a picture: red where it is wrong, with the tile grid drawn in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.diagnostics import Diagnostic, TileError

Array = NDArray[Any]

_MOST_CELLS = 128
"""Cells along an axis; of a larger result a cell is the worst of several elements."""
_WIDTH = 640
"""Pixels of the longer side."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Shares of the bound over one result, seen as a matrix.

    `tile` is the extent of what one store writes, in elements of the matrix, 0 where it is unknown.
    """

    title: str
    share: Array
    tile: tuple[int, int]

    def svg(self) -> str:
        """Return the picture as SVG."""
        return "\n".join(self._elements()) + "\n"

    def save(self, path: Path) -> None:
        """Write the picture to `path`: PNG if it ends so, else SVG.

        Raises:
            TileError: E0604 for PNG without matplotlib.
        """
        if path.suffix == ".png":
            _save_png(self, path)
        else:
            path.write_text(self.svg(), encoding="utf-8")

    def _elements(self) -> Iterator[str]:
        cells, step = _cells(self.share)
        size = _WIDTH / max(*cells.shape, 1)
        width, height = cells.shape[1] * size, cells.shape[0] * size
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 20:g}" '
            f'height="{height + 44:g}" font-family="sans-serif" font-size="13">'
        )
        yield '<rect width="100%" height="100%" fill="white"/>'
        yield f'<text x="10" y="20">{_escaped(self.title)}</text>'
        yield '<g transform="translate(10 32)">'
        yield f'<rect width="{width:g}" height="{height:g}" fill="#e9f2ea"/>'
        for row, column in np.argwhere(cells > _PALE):
            yield (
                f'<rect x="{column * size:g}" y="{row * size:g}" width="{size:g}" '
                f'height="{size:g}" fill="{_colour(float(cells[row, column]))}"/>'
            )
        yield from self._grid(step, size, (width, height))
        yield f'<rect width="{width:g}" height="{height:g}" fill="none" stroke="black"/></g></svg>'

    def _grid(self, step: int, size: float, whole: tuple[float, float]) -> Iterator[str]:
        width, height = whole
        n_rows, n_columns = self.share.shape
        style = 'stroke="#555" stroke-width="0.6"'
        for at in range(self.tile[0], n_rows, self.tile[0]) if self.tile[0] else ():
            y = at / step * size
            yield f'<line x1="0" x2="{width:g}" y1="{y:g}" y2="{y:g}" {style}/>'
        for at in range(self.tile[1], n_columns, self.tile[1]) if self.tile[1] else ():
            x = at / step * size
            yield f'<line y1="0" y2="{height:g}" x1="{x:g}" x2="{x:g}" {style}/>'


_PALE = 0.05
"""Shares below this are not drawn."""


def _cells(share: Array) -> tuple[Array, int]:
    """Return the worst of every square block of elements, and the block's side."""
    step = max(-(-max(share.shape, default=1) // _MOST_CELLS), 1)
    rows, columns = (-(-extent // step) * step for extent in share.shape)
    padded = np.zeros((rows, columns))
    padded[: share.shape[0], : share.shape[1]] = np.nan_to_num(share, posinf=1e9)
    blocks = padded.reshape(rows // step, step, columns // step, step)
    return blocks.max(axis=(1, 3), initial=0.0), step


def _colour(share: float) -> str:
    """Return green for what is inside the bound, orange to dark red for what is not."""
    if share <= 1:
        return f"rgb({int(200 - 90 * share)}, {int(225 - 35 * share)}, {int(205 - 95 * share)})"
    depth = min(np.log10(share) / 6, 1.0)
    return f"rgb({int(245 - 105 * depth)}, {int(130 * (1 - depth))}, {int(60 * (1 - depth))})"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _save_png(picture: Picture, path: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise TileError(
            Diagnostic(
                "E0604",
                "a picture in PNG needs 'matplotlib', which is not installed",
                hint="run: pip install 'tilelang-tik[plot]', or name the file .svg",
            )
        ) from missing
    figure = Figure(figsize=(7, 7))
    axes: Any = figure.add_subplot()
    shown = np.log10(np.clip(np.nan_to_num(picture.share, posinf=1e9), 1e-3, 1e9))
    axes.imshow(shown, cmap="RdYlGn_r", vmin=-3, vmax=3, interpolation="nearest")
    axes.set_title(picture.title, fontsize=9)
    for lines, tile, extent in zip(
        (axes.axhline, axes.axvline), picture.tile, picture.share.shape, strict=True
    ):
        for at in range(tile, extent, tile) if tile else ():
            lines(at - 0.5, color="#555", linewidth=0.6)
    figure.savefig(path, dpi=120)  # pyright: ignore[reportUnknownMemberType]
