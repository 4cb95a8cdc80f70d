"""Numbers that carry their bound: three planes, one array of shape (3, ...).

Plane VALUE is the program run in float64; a correct backend's number lies between LOW and HIGH.
Floats and integers are kept as float64 and int64; bools as three bools, of which LOW is "certainly
true" and HIGH "possibly true". A float that may be anything, NaN too, is *unbounded*: it reaches
from minus to plus infinity. Where LOW and HIGH are NaN, so is every correct number.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.check.oracle.formats import Ends
from tilelang.dtypes import DType

Array: TypeAlias = NDArray[Any]
Planes: TypeAlias = NDArray[Any]
"""An array whose first axis is VALUE, LOW, HIGH."""

VALUE, LOW, HIGH = range(3)


def storage(dtype: DType) -> np.dtype[Any]:
    """Return the numpy type of the planes of `dtype`."""
    if dtype is DType.BOOL:
        return np.dtype(np.bool_)
    return np.dtype(np.float64 if dtype.is_float else np.int64)


def limits(dtype: DType) -> tuple[int, int]:
    """Return the lowest and the highest integer of `dtype`."""
    found = np.iinfo(dtype.value)
    return int(found.min), int(found.max)


def exactly(array: Array, dtype: DType) -> Planes:
    """Return planes for numbers that are known."""
    return np.broadcast_to(array.astype(storage(dtype)), (3, *array.shape))


def undefined(shape: tuple[int, ...], dtype: DType) -> Planes:
    """Return planes for numbers that nobody wrote: anything is possible."""
    planes = np.empty((3, *shape), storage(dtype))
    if dtype.is_float:
        planes[VALUE], planes[LOW], planes[HIGH] = np.nan, -np.inf, np.inf
    else:
        planes[VALUE] = 0
        planes[LOW], planes[HIGH] = limits(dtype)
    return planes


def is_unbounded(planes: Planes) -> NDArray[np.bool_]:
    """Return which floats may be anything."""
    return (planes[LOW] == -np.inf) & (planes[HIGH] == np.inf)


def loosened(planes: Planes, loose: NDArray[np.bool_]) -> Planes:
    """Return float planes, changed: unbounded where `loose`."""
    planes[LOW] = np.where(loose, -np.inf, planes[LOW])
    planes[HIGH] = np.where(loose, np.inf, planes[HIGH])
    return planes


def is_known(planes: Planes) -> bool:
    """Return whether every correct backend has the same numbers, none of them NaN."""
    return bool((planes[LOW] == planes[HIGH]).all())


def assemble(value: Array, ends: Ends, *operands: Planes) -> Planes:
    """Return the planes of a float result.

    What was computed from something unbounded is unbounded, and so is what may be NaN but need not.
    """
    planes = np.stack(np.broadcast_arrays(value, *ends))
    if np.isfinite(planes).all() and all(np.isfinite(one).all() for one in operands):
        return planes
    low, high = planes[LOW], planes[HIGH]
    loose = np.isnan(low) ^ np.isnan(high)
    for operand in operands:  # even if both ends give NaN, as 0 times infinity does
        loose = loose | is_unbounded(operand)
    for operand in operands:
        loose = loose & ~np.isnan(operand[LOW])
    return loosened(planes, loose)


def wrapped(value: Array, ends: Ends, dtype: DType) -> Planes:
    """Return the planes of an integer result modulo the size of its type.

    Where the ends wrap differently, every number is possible.
    """
    lowest, highest = limits(dtype)
    size = highest - lowest + 1
    planes = np.stack(np.broadcast_arrays(value, *ends)).astype(np.int64)
    turns = (planes - lowest) // size
    planes -= turns * size
    torn = turns[LOW] != turns[HIGH]
    planes[LOW] = np.where(torn, lowest, planes[LOW])
    planes[HIGH] = np.where(torn, highest, planes[HIGH])
    return planes
