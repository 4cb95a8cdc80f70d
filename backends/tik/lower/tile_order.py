"""Which tile of a grid a number stands for: what runs at the same time shares rows and columns.

Cores take consecutive numbers, and what several of them read at the same time comes from memory
once. Row by row, the tiles of 32 cores lie in a row or two, and nearly every core reads columns of
its own. So rows are taken in groups, and inside a group tiles are counted column by column.
"""

from collections.abc import Sequence

from tilelang.ir import index as ix
from tilelang.ir.index import Index


def tile_position(extents: Sequence[int], tile: Index, n_cores: int) -> tuple[Index, ...]:
    """Return the position of tile number `tile` in a grid of `extents`, which `n_cores` share."""
    long = [axis for axis, extent in enumerate(extents) if extent > 1]
    if len(long) != 2:
        return _row_major(extents, tile)
    n_rows, n_columns = (extents[axis] for axis in long)
    group = _group_of_rows(n_rows, n_columns, n_cores)
    if group == 1:
        return _row_major(extents, tile)
    size = group * n_columns
    row, column = ix.modulo(tile, group), ix.floor_div(ix.modulo(tile, size), group)
    if group < n_rows:
        row = ix.add(ix.scale(ix.floor_div(tile, size), group), row)
    position = [ix.ZERO] * len(extents)
    position[long[0]], position[long[1]] = row, column
    return tuple(position)


def _row_major(extents: Sequence[int], tile: Index) -> tuple[Index, ...]:
    position: list[Index] = []
    inside = 1
    for axis in reversed(range(len(extents))):
        value = ix.floor_div(tile, inside)
        inside *= extents[axis]
        is_first = all(extent == 1 for extent in extents[:axis])
        position.insert(0, value if is_first else ix.modulo(value, extents[axis]))
    return tuple(position)


def _group_of_rows(n_rows: int, n_columns: int, n_cores: int) -> int:
    """Return the rows of a group, which divide the grid's; 1 if groups are no better than rows.

    The fewer rows and columns are under way at once, the better.
    """
    if n_rows * n_columns <= n_cores:
        return 1

    def under_way(group: int) -> int:
        rows, columns = -(-n_cores // n_columns), -(-n_cores // group)
        return max(group, rows) + min(n_columns, columns)

    groups = (group for group in range(2, min(n_rows, n_cores) + 1) if n_rows % group == 0)
    best = min(groups, key=lambda group: (under_way(group), -group), default=1)
    return best if under_way(best) < under_way(1) else 1
