"""Padding, tracked by value: what elements stem from, and where padding would change a result.

Design, "padding is tracked by value". An element is padding if overhang went into it, and otherwise
only padding and constants. A sum, a maximum or a matrix product may take padding in only where it
changes nothing.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import faults
from tilelang.backends.numpy.arithmetic import neutral_values
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.places import Place
from tilelang.backends.numpy.tiles import OVERHANG, Run, Stem, Stems
from tilelang.ir.nodes import Reduce

Mask = NDArray[np.bool_]


def stems_of(run: Run, operand: Operand, place: Place) -> Stems:
    """Return what the operand's elements stem from; those that do not exist are overhang."""
    stems = run.tiles[operand.slot].stems
    if isinstance(stems, np.ndarray):
        return folded(place.read(stems, OVERHANG))
    if place.is_complete:
        return stems
    return folded(np.where(place.existing(operand.shape), np.int8(stems), OVERHANG))


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
    if not rest or own is Stem.OVERHANG or own is Stem.DATA:
        return own
    others = _swapped(reduce(_highest, map(_swapped, rest), Stem.CONSTANTS))
    if own is Stem.CONSTANTS:
        return others
    constant = own == np.int8(Stem.CONSTANTS)
    return np.where(constant, others, own).astype(np.int8) if constant.any() else own


_SWAP = (Stem.CONSTANTS, Stem.DATA, Stem.OVERHANG)


def _swapped(stems: Stems) -> Stems:
    """Return `stems` with overhang for data and data for overhang."""
    return _SWAP[stems] if isinstance(stems, Stem) else np.array(_SWAP, np.int8)[stems]


def _highest(one: Stems, other: Stems) -> Stems:
    if one is Stem.CONSTANTS or other is Stem.DATA:
        return other
    if other is Stem.CONSTANTS or one is Stem.DATA:
        return one
    if isinstance(one, Stem) and isinstance(other, Stem):
        return Stem.OVERHANG
    return np.maximum(np.asarray(one, np.int8), np.asarray(other, np.int8))


def reduced(run: Run, stmt: Reduce, src: Operand, place: Place) -> Stems:
    """Return what the elements of a reduction stem from.

    Raises:
        TileError: E0405 if padding changes an element that is no padding.
    """
    stems = stems_of(run, src, place)
    if isinstance(stems, Stem):
        return stems if src.shape[stmt.axis] else Stem.CONSTANTS
    found = highest_along(stems, stmt.axis)
    taken_in = (stems == OVERHANG) & (found != OVERHANG)
    values = place.read(run.tiles[src.slot].values, 0)
    neutral = neutral_values(stmt.op, src.buffer.dtype)
    if not _is_one_of(neutral, values[taken_in]).all():
        wrong = taken_in & ~_is_one_of(neutral, values)
        raise faults.reduces_padding(run, stmt, src, wrong, values)
    return folded(found)


def _is_one_of(numbers: Sequence[float], values: NDArray[Any]) -> Mask:
    return reduce(np.logical_or, [values == number for number in numbers])


def highest_along(stems: NDArray[np.int8], axis: int) -> NDArray[np.int8]:
    """Return the highest along `axis`, which keeps size 1; of nothing, constants."""
    lowest = int(Stem.CONSTANTS)
    return np.maximum.reduce(stems, axis=axis, keepdims=True, initial=lowest)
