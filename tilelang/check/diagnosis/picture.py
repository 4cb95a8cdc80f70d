"""The error over a result as a picture: red where it is wrong, with the tile grid drawn in.

Of more than two dimensions the last is across, and all others are merged downwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.check.diagnosis.case import as_matrix
from tilelang.diagnostics import Diagnostic, TileError

Array = NDArray[Any]
Starts: TypeAlias = list[tuple[int, str]]
"""Rows or columns of the matrix at which tiles begin, each with its index in the result."""

_MOST_CELLS = 128
"""Cells along an axis; of a larger result a cell is the worst of several elements."""
_WIDTH = 640
"""Pixels of the longer side."""
_LINE, _LETTERS = 18, 100
"""Pixels from one line of text to the next, and the most letters of one."""
_MOST_LABELS = 16
"""Indices along an axis."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Shares of the bound over one result.

    `tile` is the extent of what one store writes along each axis, 0 where it is unknown.
    """

    title: str
    share: Array
    tile: tuple[int, ...]

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

    @property
    def legend(self) -> str:
        """What colours and lines mean."""
        tile = " x ".join(map(str, self.tile))
        grid = f"; lines: tiles of {tile}" if self.tile and all(self.tile) else ""
        return f"red: outside the bound, green: inside{grid}"

    @property
    def starts(self) -> tuple[Starts, Starts]:
        """Where tiles begin downwards and across."""
        shape, tile = self.share.shape, self.tile
        return _starts(shape[:-1], tile[:-1]), _starts(shape[-1:], tile[-1:])

    def _elements(self) -> Iterator[str]:
        cells, step = _cells(as_matrix(self.share))
        size = _WIDTH / max(*cells.shape, 1)
        width, height = cells.shape[1] * size, cells.shape[0] * size
        texts = [*wrap(self.title, _LETTERS), self.legend]
        texts[-1] += f"; a cell: the worst of {step} x {step} elements" if step > 1 else ""
        top = _LINE * len(texts) + 30
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{max(width, _WIDTH) + 60:g}" '
            f'height="{height + top + 10:g}" font-family="sans-serif" font-size="13">'
        )
        yield '<rect width="100%" height="100%" fill="white"/>'
        for number, text in enumerate(texts, 1):
            yield f'<text x="10" y="{_LINE * number:g}">{_escaped(text)}</text>'
        yield f'<g transform="translate(50 {top:g})">'
        yield f'<rect width="{width:g}" height="{height:g}" fill="#e9f2ea"/>'
        for row, column in np.argwhere(cells > _PALE):
            yield (
                f'<rect x="{column * size:g}" y="{row * size:g}" width="{size:g}" '
                f'height="{size:g}" fill="{_colour(float(cells[row, column]))}"/>'
            )
        yield from self._grid(step, size, (width, height))
        yield f'<rect width="{width:g}" height="{height:g}" fill="none" stroke="black"/></g></svg>'

    def _grid(self, step: int, size: float, whole: tuple[float, float]) -> Iterator[str]:
        """Yield a line at every tile, with the index of its first row or column if these fit."""
        width, height = whole
        style = 'stroke="#555" stroke-width="0.6"'
        label = 'font-size="11" fill="#555"'
        for axis, starts in enumerate(self.starts):
            every = max(-(-len(starts) // _MOST_LABELS), 1)
            for number, (start, index) in enumerate(starts):
                at = start / step * size
                if start:
                    ends = f'x2="{width:g}" y1="{at:g}" y2="{at:g}"'
                    ends = ends if axis == 0 else f'y2="{height:g}" x1="{at:g}" x2="{at:g}"'
                    yield f"<line {ends} {style}/>"
                if number % every:
                    continue
                place = f'x="-6" y="{at + 11:g}" text-anchor="end"'
                place = place if axis == 0 else f'x="{at:g}" y="-6"'
                yield f"<text {place} {label}>{index}</text>"


def _starts(shape: Sequence[int], tile: Sequence[int]) -> Starts:
    """Return where tiles begin along axes that are merged into one, with the index there."""
    if not shape or 0 in shape:
        return [(0, "0")]
    extents = [extent or size for extent, size in zip(tile, shape, strict=True)]
    indices = np.indices(shape).reshape(len(shape), -1)
    numbers = indices // np.reshape(extents, (len(shape), 1)).astype(np.int64)
    places = [0, *(np.flatnonzero((np.diff(numbers) != 0).any(axis=0)) + 1)]
    return [(int(at), ", ".join(map(str, indices[:, at]))) for at in places]


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
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes: Any = figure.add_subplot()
    matrix = as_matrix(picture.share)
    shown = np.log10(np.clip(np.nan_to_num(matrix, posinf=1e9), 1e-3, 1e9))
    drawn = axes.imshow(shown, cmap="RdYlGn_r", vmin=-3, vmax=3, interpolation="nearest")
    canvas: Any = figure
    bar = canvas.colorbar(drawn, shrink=0.7, ticks=[-3, 0, 3])
    bar.ax.set_yticklabels(["0.001", "1: the bound", "1,000 times"])
    title = "\n".join([*wrap(picture.title, _LETTERS), picture.legend])
    axes.set(xlabel="column", ylabel="row")
    axes.set_title(title, fontsize=9, loc="left")
    for lines, starts in zip((axes.axhline, axes.axvline), picture.starts, strict=True):
        for at, _ in starts[1:]:
            lines(at - 0.5, color="#555", linewidth=0.6)
    figure.savefig(path, dpi=120)  # pyright: ignore[reportUnknownMemberType]
