"""Padding in matrix products: which elements it makes padding, and where it changes a sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy import faults
from tilelang.backends.numpy import wording as say
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.padding import folded, highest_along, stems_of
from tilelang.backends.numpy.places import Place
from tilelang.backends.numpy.tiles import OVERHANG, Array, Run, Stem, Stems
from tilelang.diagnostics import TileError

Mask = NDArray[np.bool_]


def multiplied(
    run: Run, operands: Sequence[Operand], places: Sequence[Place], *, first: bool
) -> Stems:
    """Return what the elements of `dst = a @ b`, or of `dst += a @ b`, stem from.

    A product is padding if its row of `a` or its column of `b` is nothing but padding, and a sum if
    no data is added. Into all others padding may add nothing but zeros.

    Args:
        run: the running program.
        operands: dst, a and b.
        places: where these are.
        first: whether nothing is added to.

    Raises:
        TileError: E0406 if padding changes an element that is no padding.
    """
    dst, a, b = (_see(run, *found) for found in zip(operands, places, strict=True))
    rows, columns = a.highest(1), b.highest(0)
    only_padding = (rows == OVERHANG) | (columns == OVERHANG)
    stems = np.where(only_padding, OVERHANG, np.maximum(rows, columns))
    if not first:
        stems = np.maximum(stems, dst.stems)
        _check_sum(run, dst, stems != OVERHANG)
    _check_terms(run, a, b, stems != OVERHANG)
    return folded(stems)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An operand with its elements, and what they stem from: an array, or one number for all."""

    operand: Operand
    values: Array
    stems: NDArray[np.int8]

    def highest(self, axis: int) -> NDArray[np.int8]:
        """Return what is highest along an axis, which keeps size 1."""
        if self.stems.ndim and self.operand.shape[axis]:
            return highest_along(self.stems, axis)
        only = self.stems if self.operand.shape[axis] else np.int8(Stem.CONSTANTS)
        return np.reshape(only, (1, 1))

    @property
    def is_wrong(self) -> bool:
        """Whether some element is padding but not zero."""
        if not self.stems.ndim:
            return self.stems == OVERHANG and bool((self.values != 0).any())
        return bool((self.values[self.stems == OVERHANG] != 0).any())

    @property
    def wrong(self) -> Mask:
        """Which elements are padding but not zero."""
        return (self.stems == OVERHANG) & (self.values != 0)

    def name(self, run: Run, position: tuple[int, int]) -> str:
        """Return what users call the element at `position`, and its value."""
        element = self.operand.element(position, run.variables)
        name = say.element_name(self.operand.buffer, element)
        return f"{name}, which is {say.number(self.values[position])}"


def _see(run: Run, operand: Operand, place: Place) -> _Seen:
    stems = np.asarray(stems_of(run, operand, place), np.int8)
    return _Seen(operand, place.read(run.tiles[operand.slot].values, 0), stems)


def _check_sum(run: Run, dst: _Seen, counts: Mask) -> None:
    """Raise if the sum so far is padding, and not 0, where the new sum `counts`."""
    if dst.is_wrong and (dst.wrong & counts).any():
        position = say.first_true(dst.wrong & counts)
        found = f"is {say.number(dst.values[position])}, and data is added to it"
        raise faults.multiplies_padding(run, dst.operand, position, found)


def _check_terms(run: Run, a: _Seen, b: _Seen, counts: Mask) -> None:
    """Raise if a factor that is padding makes a term other than 0 in a sum that `counts`."""
    if not a.is_wrong and not b.is_wrong:
        return
    wrong_a, wrong_b = a.wrong, b.wrong
    some_a, some_b = a.values != 0, b.values != 0
    wrong = counts & ((_n_common(wrong_a, some_b) + _n_common(some_a, wrong_b)) > 0)
    if wrong.any():
        m, n = say.first_true(wrong)
        terms = (wrong_a[m] & some_b[:, n]) | (some_a[m] & wrong_b[:, n])
        k = say.first_true(terms)[0]
        raise _wrong_term(run, (a, (m, k)), (b, (k, n)))


def _wrong_term(
    run: Run, of_a: tuple[_Seen, tuple[int, int]], of_b: tuple[_Seen, tuple[int, int]]
) -> TileError:
    """Return the error for a product of two elements of which one is padding."""
    (padded, own), (other, beside) = (of_a, of_b) if of_a[0].wrong[of_a[1]] else (of_b, of_a)
    value = say.number(padded.values[own])
    found = f"is {value}, and is multiplied by {other.name(run, beside)}"
    return faults.multiplies_padding(run, padded.operand, own, found)


def _n_common(a: Mask, b: Mask) -> Array:
    """Return for how many k both `a[m, k]` and `b[k, n]` are true."""
    return np.matmul(a.astype(np.float32), b.astype(np.float32))
