"""Draws a layout for the terminal: the blocks of a matrix in the order of memory, and one block.

For a file, `draw_svg` draws the same in colour.
"""

from collections.abc import Iterator, Sequence

from tilelang.dtypes import DType
from tilelang.layouts.captions import blocks_caption, captions, inside_caption, title
from tilelang.layouts.layout import Layout, LayoutKind
from tilelang.layouts.picture import Block, Picture, picture, visible
from tilelang.layouts.svg import draw_svg

__all__ = ["draw", "draw_svg"]

_CELL_WIDTH = 16  # characters of a block; five such blocks and the margin fit into 100 columns
_CELL_HEIGHT = 4
_MARGIN = 8
_MOST_COLUMNS = 5  # of blocks; of more, the first ones and the last are drawn
_MOST_ROWS = 4
_SHADE = "░"


def draw(layout: Layout, shape: tuple[int, ...], dtype: DType) -> str:
    """Return a picture of an array of `shape` in `layout`, lines of at most 100 characters.

    Raises:
        TileError: E0615 if `shape` has too few dimensions for `layout`.
    """
    shown = picture(layout, shape, dtype)
    return "\n".join(line.rstrip() for line in _lines(shown)) + "\n"


def _lines(shown: Picture) -> Iterator[str]:
    yield title(shown)
    yield from captions(shown)
    if shown.is_empty:
        yield "there is nothing to draw: the array has no elements"
        return
    if shown.layout.kind is not LayoutKind.ND:
        yield ""
        yield f"{', '.join(blocks_caption(shown))}:"
        yield ""
        yield from _grid(shown)
    yield ""
    yield f"{', '.join(inside_caption(shown))}:"
    yield ""
    yield from _inside(shown)


def _grid(shown: Picture) -> Iterator[str]:
    """Yield the grid of blocks, each with its number in memory and the offset it starts at."""
    rows, columns = shown.sides
    visible_columns = visible(columns.n_blocks, _MOST_COLUMNS)
    yield f"{'':{_MARGIN}} {columns.name}"
    yield _column_heading(shown, visible_columns)
    yield _border("┌┬┐", visible_columns)
    for place, row in enumerate(visible(rows.n_blocks, _MOST_ROWS)):
        if place:
            yield _border("├┼┤", visible_columns)
        yield from _block_row(shown, row, visible_columns)
    yield _border("└┴┘", visible_columns)
    if shown.n_padding_bytes:
        yield f"{'':{_MARGIN}}{_SHADE * 2} padding, written as zero"


def _column_heading(shown: Picture, places: Sequence[int | None]) -> str:
    """Return the line of column indices, one at the left edge of each block."""
    rows, _ = shown.sides
    labels = ["" if i is None else shown.column_label(i) for i in places]
    cells = [f"{label:<{_width(i) + 1}}" for label, i in zip(labels, places, strict=True)]
    return f"{rows.name:>{_MARGIN - 1}}  {''.join(cells)}"


def _width(column: int | None) -> int:
    return 3 if column is None else _CELL_WIDTH


def _border(ends: str, places: Sequence[int | None]) -> str:
    left, middle, right = ends
    return f"{'':{_MARGIN}}{left}{middle.join('─' * _width(column) for column in places)}{right}"


def _block_row(shown: Picture, row: int | None, places: Sequence[int | None]) -> Iterator[str]:
    if row is None:
        cells = [f"{'⋮':^{_width(column)}}" for column in places]
        yield f"{'':{_MARGIN}}│{'│'.join(cells)}│"
        return
    for line in range(_CELL_HEIGHT):
        cells = [_cell(shown, row, column, line) for column in places]
        label = shown.row_label(row) if line == 0 else ""
        yield f"{label:>{_MARGIN - 1}} │{'│'.join(cells)}│"


def _cell(shown: Picture, row: int, column: int | None, line: int) -> str:
    """Return line `line` of a block: shade where it is padding, its number, its offset."""
    if column is None:
        return " ⋯ "
    background = _background(shown, row, column, line)
    block = shown.block(row, column)
    text = {1: _number(shown, block), 2: _offset(block)}.get(line, "")
    if not text:
        return background
    start = (_CELL_WIDTH - len(text) - 2) // 2
    end = start + len(text) + 2
    return f"{background[:start]} {text} {background[end:]}"


def _background(shown: Picture, row: int, column: int, line: int) -> str:
    rows, columns = shown.sides
    top = row * rows.block + line * rows.block // _CELL_HEIGHT
    left = column * columns.block
    return "".join(
        _SHADE if shown.is_padding(top, left + x * columns.block // _CELL_WIDTH) else " "
        for x in range(_CELL_WIDTH)
    )


def _number(shown: Picture, block: Block) -> str:
    """Return the block's number and an arrow to the next block in memory."""
    rows, columns = shown.sides
    is_last_row = block.row == rows.n_blocks - 1
    is_last_column = block.column == columns.n_blocks - 1
    if is_last_row and is_last_column:
        return str(block.number)
    if shown.blocks_run_down:
        arrow = "↓" if not is_last_row else "↗" if rows.n_blocks > 1 else "→"
    else:
        arrow = "→" if not is_last_column else "↙" if columns.n_blocks > 1 else "↓"
    return f"{block.number} {arrow}"


def _offset(block: Block) -> str:
    """Return where the block starts, in few enough characters for its cell."""
    text = f"byte {block.offset_bytes:,}"
    return text if len(text) <= _CELL_WIDTH - 2 else f"{block.offset_bytes:,}"


def _inside(shown: Picture) -> Iterator[str]:
    """Yield the table of byte offsets inside a block, with arrows along memory."""
    rows, columns = shown.sides
    places = visible(columns.block, _MOST_COLUMNS)
    width = max(7, len(f"{shown.n_bytes:,}"))
    widths = [3 if column is None else width for column in places]
    heading = ["" if column is None else str(column) for column in places]
    yield f"{'':{_MARGIN}} column"
    yield f"{'row':>{_MARGIN - 1}}  {_aligned(heading, widths, '   ')}"
    for place, row in enumerate(visible(rows.block, _MOST_ROWS)):
        if place and shown.block_runs_down:
            yield f"{'':{_MARGIN}} {_aligned(['↓'] * len(places), widths, '   ')}"
        gap = "   " if shown.block_runs_down or row is None else " → "
        label = "⋮" if row is None else str(row)
        yield f"{label:>{_MARGIN - 1}}  {_aligned(_offsets(shown, row, places), widths, gap)}"


def _offsets(shown: Picture, row: int | None, places: Sequence[int | None]) -> list[str]:
    """Return the byte offset of each place of a row of the first block, dots where left out."""
    if row is None:
        return ["⋮"] * len(places)
    return ["⋯" if x is None else f"{shown.offset_bytes(row, x):,}" for x in places]


def _aligned(texts: Sequence[str], widths: Sequence[int], gap: str) -> str:
    """Return a row of a table: numbers to the right, dots in the middle of their narrow column."""
    return gap.join(
        f"{text:^{width}}" if width == 3 else f"{text:>{width}}"
        for text, width in zip(texts, widths, strict=True)
    )
