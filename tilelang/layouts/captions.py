"""The words of a drawing: what is shown, by which names, by which rule."""

from collections.abc import Iterator
from math import prod

from tilelang.layouts.layout import LayoutKind
from tilelang.layouts.names import SPELLINGS
from tilelang.layouts.picture import Picture
from tilelang.layouts.rule import Digit, Part


def title(shown: Picture) -> str:
    """Return what is drawn: `NZ: float16[20, 40], 3,072 bytes, 1,472 of them padding`."""
    shape = ", ".join(map(str, (*shown.lead, *shown.shape)))
    n_copies = prod(shown.lead)
    n_padding = shown.n_padding_bytes * n_copies
    padding = f"{n_padding:,} of them padding" if n_padding else "no padding"
    return f"{shown.layout}: {shown.dtype}[{shape}], {shown.n_bytes * n_copies:,} bytes, {padding}"


def captions(shown: Picture) -> Iterator[str]:
    """Yield what to know before looking: other names, the rule, what was left out."""
    names = ", ".join(SPELLINGS[shown.layout.kind][1:])
    yield f"also called {names}"
    if shown.layout.logical_rank:
        own = ", ".join(name.lower() for name in shown.layout.rule.names)
        array = shown.layout.physical_shape(shown.shape)
        yield f"[{own}] lies at {formula(shown)}"
        yield f"of an array of shape {list(array)}"
    n_copies = prod(shown.lead)
    if n_copies != 1:
        each = f"{list(shown.shape)}, one after another, {shown.n_bytes:,} bytes each"
        yield f"first of {n_copies:,} arrays {each}"


def blocks_caption(shown: Picture) -> tuple[str, str]:
    """Return what the grid of blocks shows, as a heading and the rest of the sentence."""
    rows, columns = shown.sides
    n_bytes = rows.block * columns.block * shown.dtype.n_bytes
    way = "down the columns" if shown.blocks_run_down else "along the rows"
    heading = f"Blocks of {rows.block} x {columns.block}, {n_bytes:,} bytes each"
    return heading, f"numbered in the order of memory: {way}"


def inside_caption(shown: Picture) -> tuple[str, str]:
    """Return what the table of one block shows, as a heading and the rest of the sentence."""
    way = "down the columns" if shown.block_runs_down else "along the rows"
    if shown.layout.kind is LayoutKind.ND:
        return "All of it", f"memory runs {way}; byte offsets"
    return "Inside a block", f"memory runs {way}; byte offsets from its start"


def formula(shown: Picture) -> str:
    """Return where an element lies, in the numbers of this array: `[k // 16, m // 16, ...]`."""
    layout = shown.layout
    if layout.kind is LayoutKind.ND:
        return "[row, column]"
    extents = dict(zip(layout.rule.names, shown.shape, strict=True))

    def term(digit: Digit) -> str:
        index = layout.rule.names[digit.axis].lower()
        block = layout.block_shape[digit.axis]
        return {
            Part.WHOLE: index,
            Part.BLOCK: f"{index} // {block}",
            Part.INSIDE: f"{index} % {block}",
        }[digit.part]

    def place(group: tuple[Digit, ...]) -> str:
        text = term(group[0])
        for digit in group[1:]:
            text = f"({text}) * {extents[layout.rule.names[digit.axis]]} + {term(digit)}"
        return text

    return f"[{', '.join(place(group) for group in layout.rule.physical)}]"
