"""Whether a wrong result is the right one in another order: transposed, or in another layout."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.check.diagnosis.case import Case
from tilelang.dtypes import DType
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

Order = NDArray[np.int64]
"""For each element the number, from 1, of the one that is in its place; 0 where none is."""

_MATRIX_KINDS = (LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN, LayoutKind.NN)
FRACTAL = 16


def recognise(case: Case) -> Iterator[str]:
    """Yield a sentence for the first order in which the result would be right."""
    enclosure = case.comparison.enclosure
    for sentence, order in orders(case.result.shape, case.result.dtype):
        low, high = (apply(order, end) for end in (enclosure.low, enclosure.high))
        if case.is_explained_by(low, high):
            yield f"the numbers are right, but in another order: {sentence}"
            return


def orders(shape: tuple[int, ...], dtype: DType) -> Iterator[tuple[str, Order]]:
    """Yield the ways in which a matrix, the last two axes of `shape`, may be out of order."""
    if len(shape) < 2 or 0 in shape:
        return
    numbers = np.arange(1, np.prod(shape) + 1, dtype=np.int64).reshape(shape)
    m, n = shape[-2:]
    if m == n and m > 1:
        yield "it is transposed", numbers.swapaxes(-1, -2)
    yield "each fractal of 16 x 16 is transposed", _by_fractal(numbers, "transpose")
    yield "pairs of fractals in a row are swapped", _by_fractal(numbers, "swap")
    layouts = [ND, *(layout_for(kind, dtype) for kind in _MATRIX_KINDS)]
    for written, read in permutations(layouts, 2):
        order = _reread(numbers, written, read)
        if order is not None:
            yield f"it is laid out {written} where {read} is wanted", order


def apply(order: Order, array: NDArray[Any]) -> NDArray[np.float64]:
    """Return `array` in `order`, NaN where nothing is known."""
    flat = np.concatenate([[np.nan], array.astype(np.float64).ravel()])
    return flat[order]


def _by_fractal(numbers: Order, way: str) -> Order:
    m, n = numbers.shape[-2:]
    rows, columns = (-(-extent // FRACTAL) * FRACTAL for extent in (m, n))
    padded = np.zeros((*numbers.shape[:-2], rows, columns), np.int64)
    padded[..., :m, :n] = numbers
    split = padded.reshape(*numbers.shape[:-2], rows // FRACTAL, FRACTAL, -1, FRACTAL)
    if way == "transpose":
        changed = split.swapaxes(-1, -3)
    else:
        n_pairs = split.shape[-2] // 2
        changed = split.copy()
        changed[..., : 2 * n_pairs, :] = np.stack(
            [split[..., 1 : 2 * n_pairs : 2, :], split[..., 0 : 2 * n_pairs : 2, :]], axis=-2
        ).reshape(*split.shape[:-2], 2 * n_pairs, FRACTAL)
    return changed.reshape(padded.shape)[..., :m, :n]


def _reread(numbers: Order, written: Layout, read: Layout) -> Order | None:
    physical = written.pack(numbers)
    shape = read.physical_shape(numbers.shape)
    if physical.size != np.prod(shape):
        return None
    order = read.unpack(physical.reshape(shape), numbers.shape)
    return None if np.array_equal(order, numbers) else np.asarray(order)
