"""Padding, tracked by value: what elements stem from, and where padding would change a result.

Design, "padding is tracked by value". An element is padding if overhang went into it, and otherwise
only padding and constants. A sum, a maximum or a matrix product may take padding in only where it
changes nothing.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import faults
from tilelang.backends.numpy.arithmetic import neutral_values
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.places import Place
from tilelang.backends.numpy.tiles import Run, Stem, Stems
from tilelang.ir.nodes import Reduce

Mask = NDArray[np.bool_]


def stems_of(run: Run, operand: Operand, place: Place) -> Stems:
    """Return what the operand's elements stem from; those that do not exist are overhang."""
    stems = run.tiles[operand.slot].stems
    if place.is_complete:
        return stems if isinstance(stems, Stem) else folded(place.read(stems, Stem.OVERHANG))
    if isinstance(stems, Stem):
        exists = place.existing(operand.shape)
        return folded(np.where(exists, np.int8(stems), np.int8(Stem.OVERHANG)))
    return folded(place.read(stems, Stem.OVERHANG))


def folded(stems: NDArray[np.int8]) -> Stems:
    """Return one number for all elements if they have the same."""
    if not stems.size:
        return Stem.DATA
    lowest = int(stems.min())
    return Stem(lowest) if lowest == stems.max() else stems


def mapped(
    stems: Sequence[Stems], shapes: Sequence[tuple[int, ...]], shape: tuple[int, ...]
) -> Stems:
    """Return what a `Map` to `shape` stems from, that loads arrays of `shapes`.

    Data that is broadcast does not count beside padding: the mean of a row says nothing about
    whether a column exists, so `x - mean` is padding where `x` is. Where all that is not broadcast
    is constant, one padding among the rest is enough.
    """
    full = [one for one, own in zip(stems, shapes, strict=True) if own == shape]
    rest = [one for one, own in zip(stems, shapes, strict=True) if own != shape]
    own = reduce(_highest, full, Stem.CONSTANTS)
    others = _swapped(reduce(_highest, map(_swapped, rest), Stem.CONSTANTS))
    if isinstance(own, Stem):
        return others if own is Stem.CONSTANTS else own
    return np.where(own == Stem.CONSTANTS, others, own).astype(np.int8)


_SWAP = np.array([Stem.CONSTANTS, Stem.DATA, Stem.OVERHANG], np.int8)


def _swapped(stems: Stems) -> Stems:
    """Return `stems` with overhang for data and data for overhang."""
    swapped = _SWAP[stems]
    return Stem(swapped) if isinstance(stems, Stem) else swapped


def _highest(one: Stems, other: Stems) -> Stems:
    if isinstance(one, Stem) and isinstance(other, Stem):
        return max(one, other)
    return np.maximum(one, other)


def reduced(run: Run, stmt: Reduce, src: Operand, place: Place) -> Stems:
    """Return what the elements of a reduction stem from.

    Raises:
        TileError: E0405 if padding changes an element that is no padding.
    """
    stems = stems_of(run, src, place)
    if isinstance(stems, Stem):
        return stems if src.shape[stmt.axis] else Stem.CONSTANTS
    found = highest_along(stems, stmt.axis)
    values = place.read(run.tiles[src.slot].values, 0)
    wrong = (stems == Stem.OVERHANG) & (found != Stem.OVERHANG)
    for neutral in neutral_values(stmt.op, src.buffer.dtype):
        wrong &= values != neutral
    if wrong.any():
        raise faults.reduces_padding(run, stmt, src, wrong, values)
    return folded(found)


def highest_along(stems: NDArray[np.int8], axis: int) -> NDArray[np.int8]:
    """Return the highest along `axis`, which keeps size 1; of nothing, constants."""
    return np.maximum.reduce(stems, axis=axis, keepdims=True, initial=Stem.CONSTANTS)
