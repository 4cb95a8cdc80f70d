"""Stages between rows of positions, one for each channel of each image, and blocks of channels.

A row-major map [N, G * C, H, W] is such rows. Those of a group go to UB, are filled up to whole
blocks of channels by rows of zeros, and turned round. The way back ends in rows with room behind
each, so that tiles need not fill blocks of 32 bytes together; `ragged_rows` stores rows without
that room. A map in blocks of channels is made rows first where groups begin inside its blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tilelang.backends.tik.lower.block_stages import (
    ROW,
    BlockTile,
    View,
    region_of,
    side_of,
    sizes_of,
)
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Body, Core, If, Move, Stage
from tilelang.ir.region import Buffer, Permute, Region, view_shape, whole

_OF_RANK: Mapping[int, View] = {2: ((0,), (1,)), 4: ((0, 1), (2, 3))}
"""A tensor seen as rows of positions."""


def grouping_stage(rows: Buffer, blocked: Buffer, name: str) -> Stage:
    """Return the stage that fills `blocked` from `rows`: a row-major map, or a matrix of rows.

    What it creates is called `name` and more.
    """
    part = _Part.of(blocked, name)
    view = _OF_RANK[rows.rank]

    def load(n_rows: int) -> Body:
        return (Move(part.rows(0, n_rows), part.of_rows(rows, n_rows), 0, rows.loc),)

    def load_last(n_rows: int) -> Body:
        n_zero = part.tile.n_channels - n_rows
        past_the_end = (ix.constant(view_shape(rows, Permute(view))[0]), ix.ZERO)
        zeros = region_of(rows, view, past_the_end, (n_zero, part.tile.n_positions))
        return (*load(n_rows), Move(part.rows(n_rows, n_zero), zeros, 0, rows.loc))

    body = (
        *part.tile.allocations,
        *part.branch(full=load, last=load_last),
        Move(whole(part.tile.columns), part.tile.swapped(part.tile.rows), 0, rows.loc),
        Move(part.of_blocked, whole(part.tile.columns), 0, rows.loc),
    )
    return Stage(part.grid, body, rows.loc)


def ungrouping_stage(blocked: Buffer, rows: Buffer, name: str) -> Stage:
    """Return the stage that fills the matrix `rows` from `blocked`.

    A row has room for whole tiles of positions: see `padded_rows`. What it creates is called `name`
    and more.
    """
    part = _Part.of(blocked, name)

    def store(n_rows: int) -> Body:
        return (Move(part.of_rows(rows, n_rows), part.rows(0, n_rows), 0, blocked.loc),)

    body = (
        *part.tile.allocations,
        Move(whole(part.tile.columns), part.of_blocked, 0, blocked.loc),
        Move(whole(part.tile.rows), part.tile.swapped(part.tile.columns), 0, blocked.loc),
        *part.branch(full=store, last=store),
    )
    return Stage(part.grid, body, blocked.loc)


def padded_rows(blocked: Buffer) -> tuple[int, int]:
    """Return the shape of the rows of `blocked`, each as long as a whole number of tiles."""
    part = _Part.of(blocked, blocked.name)
    n_images, n_channels, _ = sizes_of(blocked)
    return n_images * n_channels, part.grid[2].extent * part.tile.n_positions


@dataclass(frozen=True, slots=True)
class _Part:
    """What a core takes of maps in blocks: one block of channels of an image, some positions."""

    blocked: Buffer
    tile: BlockTile
    grid: tuple[Core, Core, Core]
    n_channels: int
    """Of an image; the last block may have fewer than others."""

    @staticmethod
    def of(blocked: Buffer, name: str) -> "_Part":
        """Return the parts of `blocked`, whose tiles are squares of every chip side by side."""
        n_images, n_channels, n_positions = sizes_of(blocked)
        side = side_of(blocked)
        n_columns = min(-(-n_positions // side) * side, ROW)
        counts = (n_images, -(-n_channels // side), -(-n_positions // n_columns))
        names = (f"{name}_{word}" for word in ("n", "c1", "p"))
        image, channel, position = (Core(*one) for one in zip(names, counts, strict=True))
        tile = BlockTile(replace(blocked, name=name), side, n_columns)
        return _Part(blocked, tile, (image, channel, position), n_channels)

    @property
    def place(self) -> tuple[Index, Index, Index]:
        """Where it begins: image, channel, position."""
        image, channel, position = (ix.variable(core.var) for core in self.grid)
        tile = self.tile
        return image, ix.scale(channel, tile.n_channels), ix.scale(position, tile.n_positions)

    @property
    def of_blocked(self) -> Region:
        """The part itself."""
        return self.tile.by_position(self.blocked, self.place)

    def rows(self, first: int, n_rows: int) -> Region:
        """Return some rows of the tile of rows."""
        rows = self.tile.rows
        start = (ix.constant(first), ix.ZERO)
        return region_of(rows, ((0,), (1,)), start, (n_rows, rows.shape[1]))

    def of_rows(self, rows: Buffer, n_rows: int) -> Region:
        """Return so many rows of the part in `rows`, a row-major map or a matrix."""
        image, channel, position = self.place
        row = ix.add(ix.scale(image, self.n_channels), channel)
        extent = (n_rows, self.tile.n_positions)
        return region_of(rows, _OF_RANK[rows.rank], (row, position), extent)

    def branch(self, *, full: Callable[[int], Body], last: Callable[[int], Body]) -> Body:
        """Return what blocks of channels do: `full` for all rows, or `last` for those left."""
        side = self.tile.n_channels
        n_full, n_left = divmod(self.n_channels, side)
        if not n_left:
            return full(side)
        if not n_full:
            return last(n_left)
        is_last = cond.equal(ix.variable(self.grid[1].var), ix.constant(n_full))
        return (If(is_last, last(n_left), full(side), self.blocked.loc),)
