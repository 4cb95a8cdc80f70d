"""Draws a layout as an SVG file: blocks coloured in the order of memory, and their path."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from tilelang.dtypes import DType
from tilelang.layouts.captions import blocks_caption, captions, inside_caption, title
from tilelang.layouts.layout import Layout, LayoutKind
from tilelang.layouts.picture import Block, Picture, picture, visible

_MOST_BLOCKS = 6  # drawn along either side; of more, the first ones and the last
_MOST_CELLS = 32  # likewise of the cells of one block
_MOST_SEGMENTS = 12  # likewise of the bar of memory
_BLOCK_WIDTH, _BLOCK_HEIGHT = 100, 80  # pixels, as all lengths here
_GAP = 26  # where blocks or cells are left out
_ZOOM = 304  # the side of the enlarged block
_PANEL_WIDTH, _PANEL_HEIGHT = 440, 430
_COLOURS = ((144, 205, 244), (167, 224, 190), (250, 227, 150), (247, 178, 137))
_LEFT, _TOP = 76, 76
_STYLE = """
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2933; }
.title { font-size: 18px; font-weight: 600; }
.caption { fill: #52606d; }
.heading { font-size: 13px; font-weight: 600; }
.number { font-size: 15px; font-weight: 600; }
.small { font-size: 10px; fill: #3e4c59; }
.tiny { font-size: 8.5px; fill: #3e4c59; }
.block { stroke: #ffffff; stroke-width: 2; }
.cell { stroke: #ffffff; stroke-width: 0.5; }
.path { fill: none; stroke: #102a43; stroke-width: 2; stroke-linejoin: round; opacity: 0.55; }
.thin { fill: none; stroke: #102a43; stroke-width: 1.1; stroke-linejoin: round; opacity: 0.55; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.skip { stroke-dasharray: 3 4; }
"""
_DEFINITIONS = """<defs>
<pattern id="padding" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" fill="#f5f7fa" fill-opacity="0.75"/>
<path d="M-2,2 L2,-2 M0,8 L8,0 M6,10 L10,6" stroke="#9fb3c8" stroke-width="1.4"/>
</pattern>
<marker id="end" markerWidth="8" markerHeight="8" refX="5" refY="3" orient="auto">
<path d="M0,0 L6,3 L0,6 z" fill="#102a43"/>
</marker>
</defs>"""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where rows or columns are drawn: the start of each, their common length, and the end."""

    starts: Mapping[int, float]
    length: float
    end: float

    def at(self, place: int, share: float) -> float:
        """Return the position that is `share` of the way through `place`."""
        return self.starts[place] + share * self.length


def draw_svg(layout: Layout, shape: tuple[int, ...], dtype: DType) -> str:
    """Return a picture of an array of `shape` in `layout` as the text of an SVG file.

    Raises:
        TileError: E0615 if `shape` has too few dimensions for `layout`.
    """
    shown = picture(layout, shape, dtype)
    lines = list(captions(shown))
    top = 84 + 18 * len(lines)
    words = [
        _text(24, 38, title(shown), "title"),
        *(_text(24, 62 + 18 * i, line, "caption") for i, line in enumerate(lines)),
    ]
    if shown.is_empty:
        return _document(640, top, words)
    if layout.kind is LayoutKind.ND:
        height = top + _cell_rows(shown).end + 40
        return _document(640, height, [*words, _shifted(0, top, _inside(shown))])
    grid_width = max(_block_columns(shown).end + 40, 470)
    grid_height = max(_block_rows(shown).end + 70, _PANEL_HEIGHT)
    width = grid_width + _PANEL_WIDTH
    panels = [
        _shifted(0, top, _grid(shown)),
        _shifted(grid_width, top, _inside(shown)),
        _shifted(24, top + grid_height, _memory(shown, width - 72)),
    ]
    return _document(width, top + grid_height + 92, [*words, *panels])


def _block_columns(shown: Picture) -> _Places:
    return _places(visible(shown.sides[1].n_blocks, _MOST_BLOCKS), _LEFT, _BLOCK_WIDTH)


def _block_rows(shown: Picture) -> _Places:
    return _places(visible(shown.sides[0].n_blocks, _MOST_BLOCKS), _TOP, _BLOCK_HEIGHT)


def _cell_columns(shown: Picture) -> _Places:
    places = visible(shown.sides[1].block, _MOST_CELLS)
    return _places(places, _LEFT, min(_ZOOM / len(places), 44))


def _cell_rows(shown: Picture) -> _Places:
    places = visible(shown.sides[0].block, _MOST_CELLS)
    return _places(places, _TOP, min(_ZOOM / len(places), 19))


def _places(numbers: Sequence[int | None], start: float, length: float) -> _Places:
    """Return where `numbers` are drawn one after another, with a gap for each None."""
    starts: dict[int, float] = {}
    for number in numbers:
        if number is not None:
            starts[number] = start
        start += _GAP if number is None else length
    return _Places(starts, length, start)


def _grid(shown: Picture) -> Iterator[str]:
    """Yield the blocks of the matrix, the path of memory through them, and their labels."""
    rows, columns = _block_rows(shown), _block_columns(shown)
    blocks = [shown.block(row, column) for row in rows.starts for column in columns.starts]
    blocks.sort(key=lambda block: block.number)
    n_blocks = shown.sides[0].n_blocks * shown.sides[1].n_blocks
    yield from _caption(blocks_caption(shown))
    yield from _sides(shown, rows, columns)
    for block in blocks:
        x, y = columns.starts[block.column], rows.starts[block.row]
        colour = _colour(block.number, n_blocks)
        yield _rectangle(x, y, (_BLOCK_WIDTH, _BLOCK_HEIGHT), f'class="block" fill="{colour}"')
        yield from _padding(shown, block, x, y)
    yield from _path(blocks, rows, columns)
    for block in blocks:
        x, y = columns.starts[block.column], rows.starts[block.row]
        yield _text(x + 9, y + 23, str(block.number), "number")
        yield _text(x + 9, y + _BLOCK_HEIGHT - 11, f"byte {block.offset_bytes:,}", "small")
    if shown.n_padding_bytes:
        yield _rectangle(_LEFT, rows.end + 16, (22, 16), 'fill="url(#padding)" stroke="#829ab1"')
        yield _text(_LEFT + 30, rows.end + 28, "padding, written as zero", "caption")


def _caption(words: tuple[str, str]) -> Iterator[str]:
    heading, rest = words
    yield _text(24, 4, heading, "heading")
    yield _text(24, 21, rest, "caption")


def _sides(shown: Picture, rows: _Places, columns: _Places) -> Iterator[str]:
    """Yield the names of both sides and the indices at the edges of the blocks."""
    row_side, column_side = shown.sides
    yield _text(_LEFT + 2, _TOP - 22, f"{column_side.name} →", "caption")
    yield _text(_LEFT - 10, _TOP - 6, f"{row_side.name} ↓", "caption end")
    for column, x in columns.starts.items():
        yield _text(x + 2, _TOP - 6, shown.column_label(column), "small")
    for row, y in rows.starts.items():
        yield _text(_LEFT - 10, y + 11, shown.row_label(row), "small end")
    if len(columns.starts) < column_side.n_blocks:
        yield _text(columns.end - _BLOCK_WIDTH - _GAP + 8, _TOP + 40, "⋯", "heading")
    if len(rows.starts) < row_side.n_blocks:
        yield _text(_LEFT + _BLOCK_WIDTH / 2, rows.end - _BLOCK_HEIGHT - 9, "⋮", "heading")


def _padding(shown: Picture, block: Block, x: float, y: float) -> Iterator[str]:
    """Yield hatching over what holds no element: columns at the right, rows below."""
    rows, columns = shown.sides
    n_rows, n_columns = shown.block_size(block.row, block.column)
    width = _BLOCK_WIDTH * n_columns / columns.block
    height = _BLOCK_HEIGHT * n_rows / rows.block
    hatch = 'fill="url(#padding)"'
    if width < _BLOCK_WIDTH:
        yield _rectangle(x + width, y, (_BLOCK_WIDTH - width, _BLOCK_HEIGHT), hatch)
    if height < _BLOCK_HEIGHT:
        yield _rectangle(x, y + height, (width, _BLOCK_HEIGHT - height), hatch)


def _path(blocks: Sequence[Block], rows: _Places, columns: _Places) -> Iterator[str]:
    """Yield the way of memory from block to block, dashed where blocks are left out."""
    points = [(columns.at(block.column, 0.8), rows.at(block.row, 0.5)) for block in blocks]
    for i, (here, there) in enumerate(pairwise(points)):
        is_next = blocks[i + 1].number == blocks[i].number + 1
        arrow = ' marker-end="url(#end)"' if i == len(points) - 2 else ""
        yield _line([here, there], "path" if is_next else "path skip", arrow)
    for x, y in points[:-1] or points:
        yield f'<circle cx="{x:g}" cy="{y:g}" r="3" fill="#102a43"/>'


def _inside(shown: Picture) -> Iterator[str]:
    """Yield one block enlarged: its cells, the way of memory through them, and byte offsets."""
    xs, ys = _cell_columns(shown), _cell_rows(shown)
    yield from _caption(inside_caption(shown))
    n_cells = shown.sides[0].block * shown.sides[1].block
    for row, y in ys.starts.items():
        for column, x in xs.starts.items():
            colour = _colour(shown.offset_bytes(row, column) // shown.dtype.n_bytes, n_cells)
            yield _rectangle(x, y, (xs.length, ys.length), f'class="cell" fill="{colour}"')
    yield _line(list(_cell_path(shown, xs, ys)), "thin", ' marker-end="url(#end)"')
    yield from _cell_labels(shown, xs, ys)


def _cell_path(shown: Picture, xs: _Places, ys: _Places) -> Iterator[tuple[float, float]]:
    """Yield the corners of the way through a block, two for each row or column."""
    first_x, *_, last_x = (xs.at(column, 0.5) for column in (*xs.starts, max(xs.starts)))
    first_y, *_, last_y = (ys.at(row, 0.5) for row in (*ys.starts, max(ys.starts)))
    if shown.block_runs_down:
        for column in xs.starts:
            yield xs.at(column, 0.5), first_y
            yield xs.at(column, 0.5), last_y
        return
    for row in ys.starts:
        yield first_x, ys.at(row, 0.5)
        yield last_x, ys.at(row, 0.5)


def _cell_labels(shown: Picture, xs: _Places, ys: _Places) -> Iterator[str]:
    """Yield the byte offset at which each row or column of a block begins."""
    if shown.block_runs_down:
        for column in xs.starts:
            offset = f"{shown.offset_bytes(0, column):,}"
            yield _text(xs.at(column, 0.5), _TOP - 6, offset, "tiny middle")
        return
    for row in ys.starts:
        offset = f"{shown.offset_bytes(row, 0):,}"
        yield _text(_LEFT - 6, ys.at(row, 0.5) + 3.5, offset, "tiny end")


def _memory(shown: Picture, width: float) -> Iterator[str]:
    """Yield memory as a bar: the blocks in order, and the byte at which each begins."""
    rows, columns = shown.sides
    n_blocks = rows.n_blocks * columns.n_blocks
    n_bytes = shown.n_bytes // n_blocks
    numbers = visible(n_blocks, _MOST_SEGMENTS)
    n_gaps = numbers.count(None)
    length = min((width - 72 - n_gaps * _GAP) / (len(numbers) - n_gaps), 96)
    places = _places(numbers, 0, length)
    yield _text(0, 0, "Memory", "heading")
    for number, x in places.starts.items():
        colour = _colour(number, n_blocks)
        yield _rectangle(x, 14, (length, 30), f'class="block" fill="{colour}"')
        yield _text(x + length / 2, 34, str(number), "number middle")
        yield _text(x + 2, 58, f"{number * n_bytes:,}", "small")
    if n_gaps:
        yield _text(places.end - length - _GAP / 2, 34, "⋯", "heading middle")
    yield _text(places.end + 4, 58, f"{shown.n_bytes:,} bytes", "small")


def _colour(number: int, count: int) -> str:
    """Return the colour of the place `number` of `count` in memory."""
    position = number / max(count - 1, 1) * (len(_COLOURS) - 1)
    index = min(int(position), len(_COLOURS) - 2)
    share = position - index
    mixed = (
        round(start + share * (end - start))
        for start, end in zip(_COLOURS[index], _COLOURS[index + 1], strict=True)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}">{escape(text)}</text>'


def _rectangle(x: float, y: float, size: tuple[float, float], style: str) -> str:
    width, height = size
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {style}/>'


def _line(points: Sequence[tuple[float, float]], style: str, end: str) -> str:
    places = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{places}" class="{style}"{end}/>'


def _shifted(x: float, y: float, parts: Iterable[str]) -> str:
    return "\n".join([f'<g transform="translate({x:g} {y:g})">', *parts, "</g>"])


def _document(width: float, height: float, parts: Iterable[str]) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<style>{_STYLE}</style>",
            _DEFINITIONS,
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )
