"""Which tile a block works on: row by row, or for products in an order kind to the cache."""

from collections.abc import Iterator, Sequence
from math import prod

from tilelang.backends.triton.names import safe
from tilelang.ir.nodes import Core

GROUP_ROWS = 8
"""Rows of tiles that are worked through together, column by column, so that both operands of the
blocks running at once are in the second cache (Triton's tutorial on matrix multiplication)."""


def tile_loop(grid: Sequence[Core]) -> tuple[str, ...]:
    """Return the head of the loop by which a few blocks go through all tiles."""
    n_tiles = prod(core.extent for core in grid)
    return (f"for tile in tl.range(tl.program_id(0), {n_tiles}, tl.num_programs(0)):",)


def grid_lines(grid: Sequence[Core], *, grouped: bool, is_loop: bool) -> Iterator[str]:
    """Yield the lines that set the variables of the cores from the number of the block."""
    spread = [core for core in grid if core.extent != 1]
    yield from (f"{safe(core.var)} = 0" for core in grid if core.extent == 1)
    if not spread:
        return
    if len(spread) == 1:
        yield f"{safe(spread[0].var)} = {'tile' if is_loop else 'tl.program_id(0)'}"
        return
    if not is_loop:
        yield "tile = tl.program_id(0)"
    yield from (_grouped if grouped else _row_by_row)(spread)


def _row_by_row(cores: Sequence[Core]) -> Iterator[str]:
    n_inside = prod(core.extent for core in cores)
    for number, core in enumerate(cores):
        rest = f"tile % {n_inside}" if number else "tile"
        n_inside //= core.extent
        text = f"({rest})" if number and n_inside > 1 else rest
        yield (
            f"{safe(core.var)} = {text} // {n_inside}"
            if n_inside > 1
            else f"{safe(core.var)} = {text}"
        )


def _grouped(cores: Sequence[Core]) -> Iterator[str]:
    """Yield the order of the last two loops in groups of rows, the others outside."""
    *outer, rows, columns = cores
    n_tiles = rows.extent * columns.extent
    n_group = GROUP_ROWS * columns.extent
    place = "tile"
    if outer:
        yield from _outside(outer, n_tiles)
        yield f"tile_inside = tile % {n_tiles}"
        place = "tile_inside"
    row, column = safe(rows.var), safe(columns.var)
    if rows.extent <= GROUP_ROWS:
        yield f"{row} = {place} % {rows.extent}"
        yield f"{column} = {place} // {rows.extent}"
        return
    yield f"first_{row} = {place} // {n_group} * {GROUP_ROWS}"
    yield f"group_{row} = tl.minimum({rows.extent} - first_{row}, {GROUP_ROWS})"
    yield f"{row} = first_{row} + {place} % {n_group} % group_{row}"
    yield f"{column} = {place} % {n_group} // group_{row}"


def _outside(cores: Sequence[Core], n_inside: int) -> Iterator[str]:
    n_each = prod(core.extent for core in cores) * n_inside
    for number, core in enumerate(cores):
        rest = f"tile % {n_each}" if number else "tile"
        n_each //= core.extent
        yield f"{safe(core.var)} = {rest} // {n_each}"
