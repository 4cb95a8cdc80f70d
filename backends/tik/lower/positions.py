"""Indices along an axis as numbers."""

from collections.abc import Sequence

from tilelang.backends.tik.instructions import (
    Lanes,
    Operand,
    StoreElement,
    TikType,
    VectorOp,
    add,
)
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.fills import duplicate
from tilelang.backends.tik.lower.forms import SPREAD_LANES
from tilelang.backends.tik.lower.values import Number, Tile, Value, Workbench
from tilelang.ir.index import Index

_FIRST = 16
"""Elements that the scalar unit writes; vector instructions double them."""


def position_tile(bench: Workbench, counts: Sequence[int], axis: int, start: Index) -> Value:
    """Return `start`, `start` + 1, ... along `axis` as int32, of size 1 along the others."""
    if counts[axis] == 1:
        return Number(bench.writer.expr(start), TikType.INT32)
    shape = [n if i == axis else 1 for i, n in enumerate(counts)]
    tile = bench.scratch(TikType.INT32, shape)
    first = bench.writer.expr(start)
    if axis < len(counts) - 1:
        for row in bench.writer.repeated("row", counts[axis]):
            place = tile.box.operand(bench.writer, tile.box.axes[axis].offset(row))
            value = add(first, bench.writer.expr(row))
            number = bench.writer.scalar("position", TikType.INT32, value)
            duplicate(bench.writer, Lanes(place), SPREAD_LANES, 1, number)
        return tile
    for column in bench.writer.repeated("column", min(_FIRST, counts[axis])):
        place = Operand(tile.box.form.name, TikType.INT32, bench.writer.expr(column))
        bench.writer.write(StoreElement(place, add(first, bench.writer.expr(column))))
    done = _FIRST
    while done < counts[axis]:
        size = min(done, counts[axis] - done)
        step = bench.tile(Number(done, TikType.INT32), len(counts))
        parts = [_columns(tile, at, size) for at in (done, 0)]
        bench.apply(VectorOp.ADD, parts[0], parts[1], step)
        done += size
    return tile


def _columns(tile: Tile, start: int, size: int) -> Tile:
    counts = (*tile.shape[:-1], size)
    starts = (0,) * (len(counts) - 1) + (start,)
    box: Box = tile.box.part(starts, counts)
    return Tile(box)
