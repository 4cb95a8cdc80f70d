"""Stages that take maps apart by groups of channels, into blocks of their own, and back.

A row-major map [N, G * C, H, W] has rows of positions, one for each channel of each image. Those of
a group go to UB, are filled up to whole blocks of channels by rows of zeros, and turned round. The
way back ends in rows of positions with room behind each, so that tiles need not fill blocks of 32
bytes together; `ragged_rows` then stores rows without that room.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
from tilelang.ir.region import Buffer, Region, whole

_ROWS = ((0, 1), (2, 3))
"""A map as one row of positions for each channel of each image."""


def grouping_stage(tensor: Buffer, blocked: Buffer) -> Stage:
    """Return the stage that fills `blocked`, an image in blocks for each group, from `tensor`."""
    part = _Part.of(blocked)

    def load(n_rows: int) -> Body:
        return (Move(part.rows(0, n_rows), part.of_tensor(tensor, _ROWS, n_rows), 0, tensor.loc),)

    def load_last(n_rows: int) -> Body:
        n_zero = part.tile.n_channels - n_rows
        past_the_end = (ix.constant(tensor.shape[0] * tensor.shape[1]), ix.ZERO)
        zeros = region_of(tensor, _ROWS, past_the_end, (n_zero, part.tile.n_positions))
        return (*load(n_rows), Move(part.rows(n_rows, n_zero), zeros, 0, tensor.loc))

    body = (
        *part.tile.allocations,
        *part.branch(full=load, last=load_last),
        Move(whole(part.tile.columns), part.tile.swapped(part.tile.rows), 0, tensor.loc),
        Move(part.of_blocked, whole(part.tile.columns), 0, tensor.loc),
    )
    return Stage(part.grid, body, tensor.loc)


def ungrouping_stage(blocked: Buffer, rows: Buffer) -> Stage:
    """Return the stage that fills `rows`, one for each channel of a group, from `blocked`.

    A row has room for whole tiles of positions: see `padded_rows`.
    """
    part = _Part.of(blocked)

    def store(n_rows: int) -> Body:
        target = part.of_tensor(rows, ((0,), (1,)), n_rows)
        return (Move(target, part.rows(0, n_rows), 0, blocked.loc),)

    body = (
        *part.tile.allocations,
        Move(whole(part.tile.columns), part.of_blocked, 0, blocked.loc),
        Move(whole(part.tile.rows), part.tile.swapped(part.tile.columns), 0, blocked.loc),
        *part.branch(full=store, last=store),
    )
    return Stage(part.grid, body, blocked.loc)


def padded_rows(blocked: Buffer) -> tuple[int, int]:
    """Return the shape of the rows of `blocked`, each as long as a whole number of tiles."""
    part = _Part.of(blocked)
    n_images, n_channels, _ = sizes_of(blocked)
    return n_images * n_channels, part.grid[2].extent * part.tile.n_positions


@dataclass(frozen=True, slots=True)
class _Part:
    """What a core takes of maps in blocks: one block of channels of an image, some positions."""

    tile: BlockTile
    grid: tuple[Core, Core, Core]
    n_channels: int
    """Of an image; the last block may have fewer than others."""

    @staticmethod
    def of(blocked: Buffer) -> "_Part":
        """Return the parts of `blocked`, whose tiles are squares of every chip side by side."""
        n_images, n_channels, n_positions = sizes_of(blocked)
        side = side_of(blocked)
        n_columns = min(-(-n_positions // side) * side, ROW)
        counts = (n_images, -(-n_channels // side), -(-n_positions // n_columns))
        names = (f"{blocked.name}_{name}" for name in ("n", "c1", "p"))
        image, channel, position = (Core(*one) for one in zip(names, counts, strict=True))
        tile = BlockTile(blocked, side, n_columns)
        return _Part(tile, (image, channel, position), n_channels)

    @property
    def place(self) -> tuple[Index, Index, Index]:
        """Where it begins: image, channel, position."""
        image, channel, position = (ix.variable(core.var) for core in self.grid)
        tile = self.tile
        return image, ix.scale(channel, tile.n_channels), ix.scale(position, tile.n_positions)

    @property
    def of_blocked(self) -> Region:
        """The part itself."""
        return self.tile.by_position(self.tile.blocked, self.place)

    def rows(self, first: int, n_rows: int) -> Region:
        """Return some rows of the tile of rows."""
        rows = self.tile.rows
        start = (ix.constant(first), ix.ZERO)
        return region_of(rows, ((0,), (1,)), start, (n_rows, rows.shape[1]))

    def of_tensor(self, tensor: Buffer, groups: View, n_rows: int) -> Region:
        """Return so many rows of the part in `tensor`, which `groups` see as rows."""
        image, channel, position = self.place
        row = ix.add(ix.scale(image, self.n_channels), channel)
        return region_of(tensor, groups, (row, position), (n_rows, self.tile.n_positions))

    def branch(self, *, full: Callable[[int], Body], last: Callable[[int], Body]) -> Body:
        """Return what blocks of channels do: `full` for all rows, or `last` for those left."""
        side = self.tile.n_channels
        n_full, n_left = divmod(self.n_channels, side)
        if not n_left:
            return full(side)
        if not n_full:
            return last(n_left)
        is_last = cond.equal(ix.variable(self.grid[1].var), ix.constant(n_full))
        return (If(is_last, last(n_left), full(side), self.tile.blocked.loc),)
