"""Stages of vector work that bring a row-major tensor into blocks of channels, and back.

The tensor is [N, C, H, W] or [O, C, R, S]. Rows of positions of some channels go to UB whole, are
turned round there, and leave as one block of channels for each position. Of weights, which have few
positions, rows are outputs: turned round once for all positions, then once for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Core, Loop, LoopKind, Move, Stage
from tilelang.ir.region import Buffer, Memory, Permute, Region, whole
from tilelang.layouts import FRACTAL_ROWS, ND, LayoutKind

ROW = 512
"""Positions of a tile: so many that a transfer pays no start-up (16 KiB, davinci.md 2.3)."""
_SQUARES_BYTES = 1 << 16
"""A square for each position of weights; three times that must fit UB."""
_BY_CHANNEL = ((0,), (1,), (2, 3))
_BY_POSITION = ((0,), (2, 3), (1,))
_IN_ORDER = ((0,), (1,), (2,))
_ROTATED = ((1,), (2,), (0,))
_SWAPPED = ((1,), (0,))


View: TypeAlias = tuple[tuple[int, ...], ...]
"""Dimensions of a tensor by axis of a view."""
Places: TypeAlias = Callable[[Index], Index]
"""Which output of row-major weights is at a place in those in blocks."""


def blocking_stage(
    tensor: Buffer, blocked: Buffer, output_at: Places = lambda place: place
) -> Stage:
    """Return the stage that fills `blocked`, a tensor in blocks of channels, from `tensor`.

    A core takes one block of channels of one image, and some positions; of weights, a block of
    channels of a block of outputs. `output_at` keeps the outputs of a block together.
    """
    n_images, n_channels, n_positions = sizes_of(blocked)
    side = side_of(tensor)
    n_bytes = side * side * n_positions * tensor.dtype.n_bytes
    if blocked.layout.kind is LayoutKind.FRACTAL_Z and n_bytes <= _SQUARES_BYTES:
        return _weights_stage(tensor, blocked, output_at)
    n_columns = min(-(-n_positions // side) * side, ROW)
    tile = BlockTile(blocked, side, n_columns)
    image, channel, position = (f"{blocked.name}_{name}" for name in ("n", "c1", "p"))
    start = ix.scale(ix.variable(position), n_columns)
    place = (ix.variable(image), ix.scale(ix.variable(channel), side), start)
    source = tile.by_channel(tensor, (output_at(place[0]), *place[1:]))
    body: Body = (
        *tile.allocations,
        Move(whole(tile.rows), source, 0, tensor.loc),
        Move(whole(tile.columns), tile.swapped(tile.rows), 0, tensor.loc),
        Move(tile.by_position(blocked, place), whole(tile.columns), 0, tensor.loc),
    )
    grid = (
        Core(image, n_images),
        Core(channel, -(-n_channels // side)),
        Core(position, -(-n_positions // n_columns)),
    )
    return Stage(grid, body, tensor.loc)


def _weights_stage(tensor: Buffer, blocked: Buffer, output_at: Places) -> Stage:
    """Return the stage that fills `blocked`, which is FRACTAL_Z, from weights [O, C, R, S]."""
    n_outputs, n_channels, n_positions = sizes_of(blocked)
    side = side_of(tensor)
    output, channel, position = (f"{blocked.name}_{name}" for name in ("o1", "c1", "p"))
    lines = _tile(blocked, "lines", (side, side * n_positions))  # [outputs, channels * positions]
    turned = _tile(blocked, "turned", (side, n_positions, side))  # [channels, positions, outputs]
    squares = _tile(blocked, "squares", (n_positions, side, side))  # [positions, outputs, channels]
    starts = (ix.scale(ix.variable(output), side), ix.scale(ix.variable(channel), side))
    of = (output_at(starts[0]), ix.scale(starts[1], n_positions))
    square = (ix.variable(position), ix.ZERO, ix.ZERO)
    one = (None, side, side)
    turning = Move(
        region_of(squares, _IN_ORDER, square, one),
        region_of(turned, _ROTATED, square, one),
        0,
        tensor.loc,
    )
    zeros = (ix.ZERO, ix.ZERO, ix.ZERO)
    extent = (side, side, n_positions)
    body: Body = (
        *(Alloc(tile, tile.loc) for tile in (lines, turned, squares)),
        Move(whole(lines), region_of(tensor, ((0,), (1, 2, 3)), of, lines.shape), 0, tensor.loc),
        Move(
            region_of(turned, ((0, 1), (2,)), zeros[:2], lines.shape[::-1]),
            region_of(lines, _SWAPPED, zeros[:2], lines.shape[::-1]),
            0,
            tensor.loc,
        ),
        _loop(position, n_positions, (turning,), tensor),
        Move(
            region_of(blocked, _BY_CHANNEL, (*starts, ix.ZERO), extent),
            region_of(squares, _ROTATED, zeros, extent),
            0,
            tensor.loc,
        ),
    )
    grid = (Core(output, -(-n_outputs // side)), Core(channel, -(-n_channels // side)))
    return Stage(grid, body, tensor.loc)


def unblocking_stage(tensor: Buffer, blocked: Buffer) -> Stage:
    """Return the stage that fills `tensor` from `blocked`, which is in blocks of channels.

    Rows end inside blocks of 32 bytes, of which no two cores may write one. Those of a whole block
    of channels end with a block, those of an image perhaps not: then one core does them all.
    Where a row is a block or longer, tiles are full: the last one covers some of that before it.
    Of shorter ones a tile has all channels, so that several make a block.
    """
    n_images, n_channels, n_positions = sizes_of(tensor)
    side = side_of(tensor)
    rounded = -(-n_channels // side) * side
    n_columns = min(n_positions // side * side, ROW) or side
    tile = BlockTile(blocked, side if n_positions >= side else rounded, n_columns)
    image, channel, position = (f"{blocked.name}_{name}" for name in ("n", "c1", "p"))
    start = ix.scale(ix.variable(position), n_columns)
    last = ix.constant(max(n_positions - n_columns, 0))
    place = (
        ix.variable(image),
        ix.scale(ix.variable(channel), tile.n_channels),
        ix.minimum(start, last),
    )
    body: Body = (
        *tile.allocations,
        Move(whole(tile.columns), tile.by_position(blocked, place), 0, tensor.loc),
        Move(whole(tile.rows), tile.swapped(tile.columns), 0, tensor.loc),
        Move(tile.by_channel(tensor, place), whole(tile.rows), 0, tensor.loc),
    )
    body = (_loop(position, -(-n_positions // n_columns), body, tensor),)
    grid = (Core(image, n_images), Core(channel, rounded // tile.n_channels))
    if n_images == 1 or n_channels * n_positions % tensor.dtype.k0 == 0:
        return Stage(grid, body, tensor.loc)
    for core in reversed(grid):
        body = (_loop(core.var, core.extent, body, tensor),)
    return Stage((), body, tensor.loc)


def side_of(tensor: Buffer) -> int:
    """Return the rows and columns of squares that every chip turns round: whole blocks."""
    return max(FRACTAL_ROWS, tensor.dtype.k0)


def sizes_of(tensor: Buffer) -> tuple[int, int, int]:
    """Return images (of weights, outputs), channels, and positions of each."""
    return tensor.shape[0], tensor.shape[1], prod(tensor.shape[2:])


def region_of(
    buffer: Buffer,
    groups: View,
    start: tuple[Index, ...],
    extent: tuple[int | None, ...],
) -> Region:
    """Return the part of `buffer`, seen by `groups` of dimensions, that begins at `start`."""
    return Region(buffer, Permute(groups), start, (1,) * len(start), extent, buffer.loc)


def _tile(blocked: Buffer, name: str, shape: tuple[int, ...]) -> Buffer:
    """Return a row-major tile of UB for what goes to or from `blocked`."""
    return Buffer(f"{blocked.name}_{name}", Memory.UB, blocked.dtype, shape, ND, blocked.loc)


def _loop(var: str, extent: int, body: Body, tensor: Buffer) -> Loop:
    return Loop(var, ix.constant(extent), LoopKind.SERIAL, 1, body, tensor.loc)


@dataclass(frozen=True, slots=True)
class BlockTile:
    """Some channels of some positions in UB, both ways: `rows` of positions, `columns` of them."""

    blocked: Buffer
    n_channels: int
    n_positions: int

    @property
    def rows(self) -> Buffer:
        """[channels, positions]."""
        return _tile(self.blocked, "rows", (self.n_channels, self.n_positions))

    @property
    def columns(self) -> Buffer:
        """[positions, channels]."""
        return _tile(self.blocked, "columns", (self.n_positions, self.n_channels))

    @property
    def allocations(self) -> Body:
        """The statements that create both."""
        return tuple(Alloc(tile, tile.loc) for tile in (self.rows, self.columns))

    def by_channel(self, tensor: Buffer, place: tuple[Index, Index, Index]) -> Region:
        """Return the part of `tensor` at `place`, (image, channel, position), as `rows`."""
        extent = (None, self.n_channels, self.n_positions)
        return region_of(tensor, _BY_CHANNEL, place, extent)

    def by_position(self, tensor: Buffer, place: tuple[Index, Index, Index]) -> Region:
        """Return the part of `tensor` at `place`, (image, channel, position), as `columns`."""
        image, channel, position = place
        extent = (None, self.n_positions, self.n_channels)
        return region_of(tensor, _BY_POSITION, (image, position, channel), extent)

    def swapped(self, tile: Buffer) -> Region:
        """Return all of `tile`, one of the two, the other way round."""
        return region_of(tile, _SWAPPED, (ix.ZERO, ix.ZERO), tile.shape[::-1])
