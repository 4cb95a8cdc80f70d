"""Sums of many terms, in an order that nobody knows: matrix products and reductions.

A sum of n terms in floating point is off by at most `n u size`, where `size` adds up the terms'
absolute values; by much less where rounding errors are independent (see `Rounding.sum_error`). An
accumulator therefore carries the size and the number of its terms, and its error is computed once,
when it is read, whatever loops its terms came from. Where all terms are multiples of one power of
two and `size` stays below 2**24 of it, every partial sum is representable: the error is zero.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.check.oracle.formats import DOUBLE, FORMATS, Ends, nearest
from tilelang.check.oracle.planes import (
    HIGH,
    LOW,
    VALUE,
    Array,
    Planes,
    assemble,
    is_known,
    is_unbounded,
    loosened,
    wrapped,
)
from tilelang.check.oracle.rounding import Rounding
from tilelang.dtypes import DType
from tilelang.ir.nodes import ReduceOp

Terms: TypeAlias = NDArray[Any]
"""Planes of sums that are not rounded yet: TOTAL to GRID."""

TOTAL, CENTRE, RADIUS, SIZE, COUNT, GRID = range(6)
"""The float64 value; the exact sum is in CENTRE +- RADIUS; SIZE and COUNT of the terms, which are
multiples of 2**GRID."""
N_PLANES = 6

LARGEST = FORMATS[DType.FLOAT32].largest
EXACT_BITS = FORMATS[DType.FLOAT32].n_bits


@dataclass(frozen=True, slots=True)
class Operand:
    """A matrix whose elements lie in `centre` +- `radius` (None for 0), and the value's own."""

    value: Array
    centre: Array
    radius: Array | None
    loose: Array | None
    """Which elements may be anything."""

    @property
    def size(self) -> Array:
        """The largest absolute value of each element."""
        size = np.abs(self.centre)
        return size if self.radius is None else size + self.radius

    @property
    def grid(self) -> float:
        """The exponent of the lowest bit of any element; minus infinity if not all are known."""
        if self.radius is not None:
            return -np.inf
        return float(lowest_bits(self.centre).min(initial=np.inf))


def as_operand(planes: Planes, ends: Ends) -> Operand:
    """Return an operand whose ends are `ends`; `planes` has its value."""
    low, high = ends
    loose = (low == -np.inf) & (high == np.inf)
    if not loose.any():
        loose = None
    else:
        low, high = np.where(loose, 0.0, low), np.where(loose, 0.0, high)
    same = (low == high) | np.isnan(low)  # infinities too, of which no mean can be taken
    if same.all():
        return Operand(planes[VALUE], low, None, loose)
    centre = np.where(same, low, low / 2 + high / 2)
    return Operand(planes[VALUE], centre, np.where(same, 0.0, high / 2 - low / 2), loose)


def multiply(a: Planes, b: Planes, dtype: DType, rounding: Rounding) -> Terms:
    """Return the sums of products of two float matrices, operands of `dtype`."""
    left, right = (
        as_operand(one, rounding.operand((one[LOW], one[HIGH]), dtype)) for one in (a, b)
    )
    terms = np.empty((N_PLANES, a.shape[1], b.shape[2]))
    terms[TOTAL] = left.value @ right.value
    shared = left.value is left.centre and right.value is right.centre
    terms[CENTRE] = terms[TOTAL] if shared else left.centre @ right.centre
    terms[SIZE] = _finite(left.size) @ _finite(right.size)
    terms[RADIUS] = _product_radius(left, right)
    terms[COUNT] = _n_terms(left.size, right.size)
    terms[GRID] = left.grid + right.grid
    if left.loose is not None:
        terms[RADIUS][left.loose.any(1)] = np.inf
    if right.loose is not None:
        terms[RADIUS][:, right.loose.any(0)] = np.inf
    return terms


def _finite(x: Array) -> Array:
    return np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)


def _product_radius(left: Operand, right: Operand) -> Array | float:
    """Return how far the exact sum of products may be from that of the centres."""
    radius: Array | float = 0.0
    if left.radius is not None:
        radius = radius + left.radius @ right.size
    if right.radius is not None:
        radius = radius + np.abs(left.centre) @ right.radius
    return radius


def _n_terms(left: Array, right: Array) -> Array | float:
    """Return how many products are not zero."""
    if left.all() and right.all():
        return float(left.shape[1])
    return (left != 0).astype(np.float32) @ (right != 0).astype(np.float32)


def lowest_bits(x: Array) -> Array:
    """Return the exponent of each number's lowest bit; infinity of zero."""
    fraction, exponent = np.frexp(_finite(x))
    digits = np.ldexp(fraction, 53).astype(np.int64)
    bit = (digits & -digits).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.where(bit == 0, np.inf, np.log2(bit) + exponent - 53)


def as_terms(planes: Planes) -> Terms:
    """Return what is in an accumulator after numbers were moved there: sums of one term."""
    operand = as_operand(planes, (planes[LOW], planes[HIGH]))
    terms = np.empty((N_PLANES, *planes.shape[1:]))
    terms[TOTAL], terms[CENTRE] = operand.value, operand.centre
    terms[RADIUS] = 0.0 if operand.radius is None else operand.radius
    terms[SIZE], terms[COUNT] = _finite(operand.size), 1
    terms[GRID] = lowest_bits(operand.centre) if operand.radius is None else -np.inf
    if operand.loose is not None:
        terms[RADIUS][operand.loose] = np.inf
    return terms


def add(one: Terms, other: Terms) -> Terms:
    """Return the sums of both together."""
    total = one + other
    np.minimum(one[GRID], other[GRID], out=total[GRID])
    return total


def rounded(terms: Terms, rounding: Rounding, *, rounds_products: bool) -> Planes:
    """Return the planes of accumulators when they are read."""
    total, centre, radius, size, count, grid = terms
    error = rounding.sum_error(size, count, rounds_products=rounds_products)
    with np.errstate(over="ignore", under="ignore"):
        representable = size <= np.exp2(grid + EXACT_BITS)
    representable |= (count <= 1) & (not rounds_products)
    exact = (radius == 0) & representable & (np.exp2(grid) >= rounding.least_sum)
    # The rest is what this sum itself lost, in float64.
    spread = np.where(exact, 0.0, radius + error + size * count * 2.0**-52)
    if rounding.form is not DOUBLE:
        spread = np.where(size > LARGEST, np.inf, spread)  # may overflow on the way
    spread = np.where(np.isnan(spread), np.inf, spread)
    known = ~np.isfinite(centre) & (radius == 0) & (spread < np.inf)
    low = np.where(known, centre, np.where(spread == np.inf, -np.inf, centre - spread))
    high = np.where(known, centre, np.where(spread == np.inf, np.inf, centre + spread))
    if rounding.form is not DOUBLE:
        low, high = nearest(low, DType.FLOAT32), nearest(high, DType.FLOAT32)
    return assemble(total, (low, high))


# Integers -----------------------------------------------------------------------------------------


def multiply_integers(a: Planes, b: Planes) -> Planes:
    """Return the planes of a product of two int8 matrices, before it wraps.

    Float64 holds every such sum exactly.
    """
    left, right = a.astype(np.float64), b.astype(np.float64)
    value = left[VALUE] @ right[VALUE]
    if is_known(a) and is_known(b):
        return np.broadcast_to(value.astype(np.int64), (3, *value.shape))
    one, other = (as_operand(x, (x[LOW], x[HIGH])) for x in (left, right))
    centre, radius = one.centre @ other.centre, _product_radius(one, other)
    ends = np.floor(centre - radius), np.ceil(centre + radius)
    return np.stack([value, *ends]).astype(np.int64)


# Reductions ---------------------------------------------------------------------------------------


def reduce(op: ReduceOp, x: Planes, axis: int, dtype: DType, rounding: Rounding) -> Planes:
    """Return the planes of a reduction along `axis` of `x`, of elements of `dtype`."""
    along = axis + 1
    if op is ReduceOp.SUM:
        return _float_sum(x, along, rounding) if dtype.is_float else _integer_sum(x, along)
    function, of_none = (np.maximum, -np.inf) if op is ReduceOp.MAX else (np.minimum, np.inf)
    if not dtype.is_float:
        lowest, highest = int(np.iinfo(dtype.value).min), int(np.iinfo(dtype.value).max)
        of_none = lowest if op is ReduceOp.MAX else highest
        return function.reduce(x, axis=along, keepdims=True, initial=of_none)
    found = function.reduce(x, axis=along, keepdims=True, initial=of_none)
    loose = np.asarray(is_unbounded(x).any(axis=axis, keepdims=True))
    return loosened(found, loose)


def _integer_sum(x: Planes, along: int) -> Planes:
    value, low, high = x.sum(axis=along, keepdims=True)
    return wrapped(value, (low, high), DType.INT32)


def _float_sum(x: Planes, along: int, rounding: Rounding) -> Planes:
    terms = as_terms(x)
    total = terms.sum(axis=along, keepdims=True)
    total[GRID] = terms[GRID].min(axis=along - 1, keepdims=True, initial=np.inf)
    total[COUNT] = (terms[SIZE] != 0).sum(axis=along - 1, keepdims=True)
    return rounded(total, rounding, rounds_products=False)
