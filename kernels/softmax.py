"""Softmax along rows: `y[m, n] = exp(x[m, n] - max(x[m])) / sum(exp(x[m] - max(x[m])))`.

x[M, N] and y[M, N] in one dtype (float16, bfloat16, float32), row-major; computed in float32. Any
M and N; a row of nothing but -inf gives NaN. Other axes: pass a view with that axis last.

Rows that fit one tile are read once. Longer ones are read twice: the first pass keeps the maximum
so far and the sum relative to it, the second writes (Milakov and Gimelshein, "Online normalizer
calculation for softmax", 2018).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.row_tiles import row_tiles

LOWEST = float(np.finfo(np.float32).min)
"""The least maximum of a row: -inf minus -inf would be NaN, also where -inf is only the fill."""
FLOATS = "cast it to float16, bfloat16 or float32 first"
"""What to do with integers, whose results would not be whole."""


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def softmax(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 16, n_tile: int = 512) -> None:
    """Set y to the softmax of every row of x, blocks of rows on cores."""
    tl.require(x.dtype.is_float, f"`x` is {x.dtype}, wanted a float", FLOATS)
    M, N = x.shape
    for i in tl.cores(tl.ceildiv(M, m_tile)):
        if n_tile >= N:
            _short_rows(x, y, i * m_tile, (m_tile, n_tile))
        else:
            _long_rows(x, y, i * m_tile, (m_tile, n_tile))


@softmax.tiles
def softmax_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return tiles that hold whole rows where these fit: those of `tilelang.row_tiles`."""
    return row_tiles(dims["N"], machine)


def _short_rows(x: tl.Tensor, y: tl.Tensor, row: tl.IndexLike, shape: tuple[int, int]) -> None:
    """Write rows that are one tile long."""
    wide = _load(x, row, 0, shape)
    top = tl.alloc_ub((shape[0], 1), "float32")
    total = tl.alloc_ub((shape[0], 1), "float32")
    top[:] = tl.reduce_max(wide, axis=1)
    top[:] = tl.maximum(top, LOWEST)
    wide[:] = tl.exp(wide - top)
    total[:] = tl.reduce_sum(wide, axis=1)
    total[:] = 1 / total  # so that each element costs a product, no division
    wide[:] = wide * total
    _store(y, row, 0, wide)


def _long_rows(x: tl.Tensor, y: tl.Tensor, row: tl.IndexLike, shape: tuple[int, int]) -> None:
    """Write rows of several tiles, in two passes over them."""
    n_tiles = tl.ceildiv(x.shape[1], shape[1])
    top = tl.alloc_ub((shape[0], 1), "float32")
    total = tl.alloc_ub((shape[0], 1), "float32")
    top[:] = LOWEST
    total[:] = 0
    for j in tl.for_range(n_tiles):
        wide = _load(x, row, j * shape[1], shape)
        new_top = tl.alloc_ub((shape[0], 1), "float32")
        part = tl.alloc_ub((shape[0], 1), "float32")
        new_top[:] = tl.reduce_max(wide, axis=1)
        new_top[:] = tl.maximum(new_top, top)
        wide[:] = tl.exp(wide - new_top)
        part[:] = tl.reduce_sum(wide, axis=1)
        total[:] = total * tl.exp(top - new_top) + part
        top[:] = new_top
    total[:] = 1 / total
    for j in tl.for_range(n_tiles):
        wide = _load(x, row, j * shape[1], shape)
        wide[:] = tl.exp(wide - top) * total
        _store(y, row, j * shape[1], wide)


def _load(
    x: tl.Tensor, row: tl.IndexLike, column: tl.IndexLike, shape: tuple[int, int]
) -> tl.Tensor:
    """Return a tile of `x` in float32; past the end of a row it is -inf, which adds nothing."""
    narrow = tl.alloc_ub(shape, x.dtype)
    wide = tl.alloc_ub(shape, "float32")
    tl.data_move(narrow, x[row, column], pad=float("-inf"))
    wide[:] = tl.cast(narrow, "float32")
    return wide


def _store(y: tl.Tensor, row: tl.IndexLike, column: tl.IndexLike, wide: tl.Tensor) -> None:
    """Store a float32 tile into `y`, rounded to its dtype."""
    narrow = tl.alloc_ub(wide.shape, y.dtype)
    narrow[:] = tl.cast(wide, y.dtype)
    tl.data_move(y[row, column], narrow)


@softmax.reference
def softmax_reference(x: NDArray[Any]) -> NDArray[Any]:
    """Return the softmax of every row in float64."""
    powers = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)
