"""Between which two numbers a correct result lies, once the exact one is known to an interval.

`FLOAT64` is the arithmetic of the program run in float64; `device` that of a backend. Rounding is
monotone, so the ends of an interval round as the numbers between them do.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from tilelang.check.oracle.formats import DOUBLE, FORMATS, Array, Ends, Format, nearest, to_bits
from tilelang.dtypes import DType
from tilelang.ir.expression import UnaryOp
from tilelang.numerics import Numerics

_TF32_BITS = 11


class Rounding(Protocol):
    """Where results lie whose exact value lies in an interval."""

    form: Format
    """Of accumulators."""
    least_sum: float
    """The least positive number that an accumulator certainly keeps."""

    def result(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for the result of one operation in `dtype`."""
        ...

    def product(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for a product, which may be part of a sum."""
        ...

    def quotient(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for a quotient."""
        ...

    def argument(self, ends: Ends, op: UnaryOp) -> Ends:
        """Return the ends for what a function is given."""
        ...

    def function(self, ends: Ends, op: UnaryOp, dtype: DType, x: Ends) -> Ends:
        """Return the ends for a function's value, where it is given `x`."""
        ...

    def cast(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for a number converted to `dtype`."""
        ...

    def kept(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for a number once it is a literal of `dtype`, or in a buffer of it."""
        ...

    def passed(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for a number that an operation passes on, as negation does."""
        ...

    def operand(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for an operand of the cube."""
        ...

    def loaded(self, ends: Ends, dtype: DType) -> Ends:
        """Return the ends for an element of an input."""
        ...

    def sum_error(self, size: Array, count: Array, *, rounds_products: bool) -> Array:
        """Return how far a sum may be off, of `count` terms whose sizes add up to `size`."""
        ...


class _Float64:
    """Every float is a float64, whatever its dtype."""

    form = DOUBLE
    least_sum = DOUBLE.least

    def result(self, ends: Ends, dtype: DType) -> Ends:
        return outward(ends)

    product = quotient = result

    def argument(self, ends: Ends, op: UnaryOp) -> Ends:
        return ends

    def function(self, ends: Ends, op: UnaryOp, dtype: DType, x: Ends) -> Ends:
        return _widened(ends, _OWN_ULPS, DOUBLE)

    def cast(self, ends: Ends, dtype: DType) -> Ends:
        return ends

    kept = passed = operand = loaded = cast

    def sum_error(self, size: Array, count: Array, *, rounds_products: bool) -> Array:
        return count * DOUBLE.unit_roundoff * size


FLOAT64: Rounding = _Float64()

_OWN_ULPS = 4.0
"""Of numpy's functions of float64."""
_FARTHEST = 128.0
"""Where functions of float32 have reached their limits: no error grows beyond."""
_NARROW_ULPS = 4.0
"""Units of float32, below any narrow type's own rounding: an assumption that costs nothing."""
_SPREAD = 6.0
"""Standard deviations: rounding errors that do not depend on each other add up to
`sqrt(n) u size` (Higham and Mary, "A new approach to probabilistic rounding error analysis",
2019); six of them are exceeded once in 10**8."""


class _Device:
    """A backend's floats, as its `Numerics` say; every type stores what it can hold."""

    form = FORMATS[DType.FLOAT32]

    def __init__(self, numerics: Numerics, *, is_random: bool) -> None:
        self._numerics = numerics
        self._is_random = is_random
        flushes = numerics.flushes_products or DType.FLOAT32 in numerics.flushes
        self.least_sum = self.form.least_normal if flushes else self.form.least

    def result(self, ends: Ends, dtype: DType) -> Ends:
        if self._numerics.fuses:  # an operand may be a product with more bits than its type has
            ends = outward(ends)
        return self._stored(ends, dtype)

    def product(self, ends: Ends, dtype: DType) -> Ends:
        low, high = self._stored(ends, dtype)
        if self._numerics.fuses:
            low, high = np.minimum(low, ends[0]), np.maximum(high, ends[1])
        return low, high

    def quotient(self, ends: Ends, dtype: DType) -> Ends:
        n_ulps = self._numerics.division_ulps
        return self.result(_widened(ends, n_ulps, self.form) if n_ulps else ends, dtype)

    def argument(self, ends: Ends, op: UnaryOp) -> Ends:
        if op not in self._numerics.flushes_arguments:
            return ends
        return _flushed(ends, self.form.least_normal)

    def function(self, ends: Ends, op: UnaryOp, dtype: DType, x: Ends) -> Ends:
        n_ulps: Array | float = self._numerics.ulps[op]
        if dtype is not DType.FLOAT32:
            n_ulps = max(n_ulps, _NARROW_ULPS)
        growth = self._numerics.ulps_per_unit.get(op)
        if growth is not None:
            size = np.maximum(np.abs(x[0]), np.abs(x[1]))
            n_ulps = n_ulps + growth * np.minimum(np.nan_to_num(size), _FARTHEST)
        return self._stored(_widened(ends, n_ulps, self.form), dtype)

    def cast(self, ends: Ends, dtype: DType) -> Ends:
        return self._limited(nearest(ends[0], dtype), nearest(ends[1], dtype), dtype)

    def kept(self, ends: Ends, dtype: DType) -> Ends:
        return nearest(ends[0], dtype), nearest(ends[1], dtype)

    def passed(self, ends: Ends, dtype: DType) -> Ends:
        return self._limited(*ends, dtype)

    def operand(self, ends: Ends, dtype: DType) -> Ends:
        if dtype in self._numerics.flushes_products:
            ends = _flushed(ends, FORMATS[dtype].least_normal)
        if dtype is not DType.FLOAT32 or not self._numerics.uses_tf32:
            return ends
        low, high = ends
        form = Format(_TF32_BITS, -126, self.form.largest)
        step = np.where(to_bits(low, form) == low, 0.0, form.spacing(low))
        below = low - step
        step = np.where(to_bits(high, form) == high, 0.0, form.spacing(high))
        return below, high + step

    def loaded(self, ends: Ends, dtype: DType) -> Ends:
        return self._flushed(*ends, dtype)

    def sum_error(self, size: Array, count: Array, *, rounds_products: bool) -> Array:
        n_roundings = np.maximum(count - 1 + rounds_products, 0)
        if self._numerics.truncates_sums:
            n_units = 2 * n_roundings
        else:
            n_units = n_roundings
            if self._is_random:
                n_units = np.minimum(n_units, _SPREAD * np.sqrt(n_roundings))
        error = n_units * self.form.unit_roundoff
        lost = np.maximum(count, 1) * self.least_sum
        return size * error / (1 - np.minimum(error, 0.5)) + lost

    def _stored(self, ends: Ends, dtype: DType) -> Ends:
        low, high = (nearest(end, dtype) for end in ends)
        if dtype in self._numerics.keeps_wide:
            wide = [nearest(end, DType.FLOAT32) for end in ends]
            low, high = np.minimum(low, wide[0]), np.maximum(high, wide[1])
        return self._limited(low, high, dtype)

    def _limited(self, low: Array, high: Array, dtype: DType) -> Ends:
        if dtype in self._numerics.saturates:
            largest = FORMATS[dtype].largest
            low = np.where(high == np.inf, np.minimum(low, largest), low)
            high = np.where(low == -np.inf, np.maximum(high, -largest), high)
        return self._flushed(low, high, dtype)

    def _flushed(self, low: Array, high: Array, dtype: DType) -> Ends:
        if dtype not in self._numerics.flushes:
            return low, high
        return _flushed((low, high), FORMATS[dtype].least_normal)


def _flushed(ends: Ends, least: float) -> Ends:
    """Return the ends if numbers closer to zero than `least` may be zero."""
    low, high = ends
    low = np.where((low > 0) & (low < least), 0.0, low)
    return low, np.where((high < 0) & (high > -least), 0.0, high)


def device(numerics: Numerics, *, is_random: bool) -> Rounding:
    """Return the arithmetic of a backend.

    `is_random` says whether the errors of a sum's terms may be taken as independent.
    """
    return _Device(numerics, is_random=is_random)


def outward(ends: Ends) -> Ends:
    """Return the neighbours in float64, below and above; infinity has none."""
    low, high = ends
    below = np.where(np.isinf(low), low, np.nextafter(low, -np.inf))
    return below, np.where(np.isinf(high), high, np.nextafter(high, np.inf))


def _widened(ends: Ends, n_ulps: Array | float, form: Format) -> Ends:
    low, high = ends
    spread: Callable[[Array], Array] = form.spacing
    # 2**-20 more: these ends were computed in float64, which rounds too
    factor = n_ulps + 2.0**-20
    below = np.where(np.isfinite(low), low - factor * spread(low), low)
    return below, np.where(np.isfinite(high), high + factor * spread(high), high)
