"""A result beside what it should be: errors, and shares of the bound, element by element."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.check.oracle import Enclosure, wide
from tilelang.check.oracle.formats import DOUBLE, FORMATS
from tilelang.dtypes import DType

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One result of one run.

    `share` is an element's distance from the middle of what is allowed, relative to half its width
    and half a unit of the last place: below 1 inside, above 1 outside, 0 for exact agreement.
    """

    found: Array
    enclosure: Enclosure
    error: Array
    """Distance from the program in float64."""
    share: Array

    @property
    def wrong(self) -> Mask:
        """Which elements no correct backend gives."""
        return self.share > 1

    @property
    def n_unbounded(self) -> int:
        """How many elements cannot be judged."""
        return int(np.count_nonzero(self.enclosure.is_unbounded))

    @property
    def max_error(self) -> float:
        """The largest distance from the program in float64; infinity if one is NaN."""
        return float(np.max(self.error, initial=0.0))

    @property
    def max_share(self) -> float:
        """The largest share of the bound."""
        return float(np.max(self.share, initial=0.0))


def compare(found: Array, enclosure: Enclosure, dtype: DType) -> Comparison:
    """Return how `found`, a logical array of `dtype`, compares with what it should be."""
    with np.errstate(all="ignore"):
        numbers = wide(found)
        spacing = _spacing(enclosure, dtype)
        share = _shares(numbers, enclosure, spacing)
        error = np.abs(numbers.astype(np.float64) - enclosure.value)
        same = (numbers == enclosure.value) | (np.isnan(numbers) & np.isnan(enclosure.value))
        error = np.where(same, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))
        error = np.where(enclosure.is_unbounded, 0.0, error)
    return Comparison(numbers, enclosure, error, share)


_SLACK = 2.0**8
"""The reference is another algorithm, with rounding errors of its own, some of them larger."""


def compare_reference(expected: Array, enclosure: Enclosure, dtype: DType) -> Comparison:
    """Return how a program in float64, see `enclose`, compares with its reference.

    What was found is the program's: the reference says what it should be, as far as both round.
    """
    with np.errstate(all="ignore"):
        if dtype.is_float:
            room = _SLACK * (enclosure.high - enclosure.low + DOUBLE.spacing(enclosure.value))
        else:
            expected, room = np.rint(expected).astype(np.int64), np.int64(0)
        low = expected - (enclosure.high - enclosure.value) - room
        high = expected + (enclosure.value - enclosure.low) + room
    if dtype.is_float:  # an infinity or NaN that the program makes for certain, and a pole
        certain = ~np.isfinite(enclosure.value) & ~enclosure.is_unbounded
        low, high = np.where(certain, expected, low), np.where(certain, expected, high)
        low = np.where(enclosure.is_unbounded, -np.inf, low)
        high = np.where(enclosure.is_unbounded, np.inf, high)
    return compare(enclosure.value, Enclosure(expected, low, high), dtype)


def _spacing(enclosure: Enclosure, dtype: DType) -> Array | float:
    if not dtype.is_float:
        return 1.0
    low, high = enclosure.low, enclosure.high
    middle = np.where(np.isfinite(low), low, high)
    return FORMATS[dtype].spacing(middle)


def _shares(numbers: Array, enclosure: Enclosure, spacing: Array | float) -> Array:
    low, high = enclosure.low.astype(np.float64), enclosure.high.astype(np.float64)
    inside = (low <= numbers) & (numbers <= high)
    inside |= np.isnan(low) & np.isnan(numbers)
    distance = np.abs(numbers - (low / 2 + high / 2))
    share = distance / (high / 2 - low / 2 + spacing / 2)
    beyond = np.where(np.isfinite(share), np.maximum(share, np.nextafter(1.0, 2.0)), np.inf)
    within = np.where(np.isfinite(share), np.minimum(share, 1.0), 0.0)
    share = np.where(inside, within, beyond)
    return np.where(enclosure.is_unbounded, 0.0, share)
