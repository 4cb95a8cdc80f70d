"""Checks that the cores of a stage do not touch each other's elements of tensors in GM.

Cores run in ascending order, each with tokens above those of the cores before it. So an element
was touched by another core exactly if its token is below the running core's first one, and one
minimum over a region finds it.
"""

from collections.abc import Iterable

import numpy as np

from tilelang.backends.numpy import faults
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.places import Place
from tilelang.backends.numpy.tiles import Run, Shared, Tile

_NOBODY = np.iinfo(np.int32).max
"""The token of an element that no core touched: above all others."""


def begin(run: Run, stage: Shared, written: Iterable[int], read: Iterable[int]) -> None:
    """Start to record who touches the tiles in the slots `written`; readers of those in `read`."""
    run.stage = stage
    for slot in written:
        tile = run.tiles[slot]
        tile.writers = np.full(tile.buffer.shape, _NOBODY, np.int32)
    for slot in set(read) & set(written):
        tile = run.tiles[slot]
        tile.readers = np.full(tile.buffer.shape, _NOBODY, np.int32)


def end(run: Run) -> None:
    """Stop recording: all writes of the stage are visible to the next."""
    run.stage = None
    for tile in run.tiles:
        tile.writers = tile.readers = None


def check_write(run: Run, operand: Operand, place: Place) -> None:
    """Record that the running core writes `place`; raise if another core touched it."""
    tile: Tile = run.tiles[operand.slot]
    if tile.writers is None or run.stage is None:
        return
    tokens = place.read(tile.writers, _NOBODY)
    if tokens.size and tokens.min() < run.first_token:
        raise faults.written_twice(run, operand, run.stage, tokens)
    if tile.readers is not None:
        tokens = place.read(tile.readers, _NOBODY)
        if tokens.size and tokens.min() < run.first_token:
            raise faults.raced(run, operand, run.stage, tokens, ("read", "writes"))
    place.write(tile.writers, run.first_token + operand.number)


def check_read(run: Run, operand: Operand, place: Place) -> None:
    """Record that the running core reads `place`; raise if another core wrote there."""
    tile: Tile = run.tiles[operand.slot]
    if tile.writers is None or run.stage is None:
        return
    tokens = place.read(tile.writers, _NOBODY)
    if tokens.size and tokens.min() < run.first_token:
        raise faults.raced(run, operand, run.stage, tokens, ("wrote", "reads"))
    if tile.readers is not None:
        tokens = place.read(tile.readers, _NOBODY)
        place.write(tile.readers, np.minimum(tokens, run.first_token + operand.number))
