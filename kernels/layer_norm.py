"""Layer normalisation: `y[m] = (x[m] - mean) / sqrt(variance + epsilon) * gamma + beta`.

x[M, N], gamma[N], beta[N] and y[M, N] in one dtype (float16, bfloat16, float32), row-major; mean
and (biased) variance of every row in float32, the variance from deviations, so that a large mean
does not cancel it. Any M and N. Several last axes: pass a reshaped array.

Rows that fit one tile are read once, longer ones three times: for the mean, the variance, and y.
Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.row_tiles import row_tiles

FLOATS = "cast it to float16, bfloat16 or float32 first"
"""What to do with integers, whose results would not be whole."""


@tl.kernel("x[M, N]: T, gamma[N]: T, beta[N]: T; epsilon -> y[M, N]: T")
def layer_norm(  # noqa: PLR0913 - four tensors, an attribute and two tile sizes
    x: tl.Tensor,
    gamma: tl.Tensor,
    beta: tl.Tensor,
    y: tl.Tensor,
    *,
    epsilon: float = 1e-5,
    m_tile: int = 16,
    n_tile: int = 512,
) -> None:
    """Set y to gamma * x with mean 0 and variance 1 in every row, plus beta; rows on cores."""
    tl.require(x.dtype.is_float, f"`x` is {x.dtype}, wanted a float", FLOATS)
    tl.require(epsilon >= 0, f"`epsilon` is {epsilon}, wanted 0 or more", "pass one such as 1e-5")
    M, N = x.shape
    for i in tl.cores(tl.ceildiv(M, m_tile)):
        if n_tile >= N:
            _short_rows((x, gamma, beta, y), i * m_tile, (m_tile, n_tile), epsilon)
        else:
            _long_rows((x, gamma, beta, y), i * m_tile, (m_tile, n_tile), epsilon)


@layer_norm.tiles
def layer_norm_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return tiles that hold whole rows where these fit: those of `tilelang.row_tiles`."""
    return row_tiles(dims["N"], machine)


def _short_rows(
    tensors: tuple[tl.Tensor, tl.Tensor, tl.Tensor, tl.Tensor],
    row: tl.IndexLike,
    shape: tuple[int, int],
    epsilon: float,
) -> None:
    """Write rows that are one tile long; `tensors` are those of `layer_norm`."""
    x, gamma, beta, y = tensors
    n_columns = x.shape[1]
    mean = tl.alloc_ub((shape[0], 1), "float32")
    scale = tl.alloc_ub((shape[0], 1), "float32")
    wide = _load(x, row, 0, shape)
    mean[:] = tl.reduce_sum(wide, axis=1)
    mean[:] = mean / max(n_columns, 1)
    scale[:] = tl.reduce_sum(_squares(wide, mean, n_columns), axis=1)
    scale[:] = tl.rsqrt(scale / max(n_columns, 1) + epsilon)
    wide[:] = (wide - mean) * scale
    _store(y, (row, 0), wide, gamma, beta)


def _long_rows(
    tensors: tuple[tl.Tensor, tl.Tensor, tl.Tensor, tl.Tensor],
    row: tl.IndexLike,
    shape: tuple[int, int],
    epsilon: float,
) -> None:
    """Write rows of several tiles, in three passes over them."""
    x, gamma, beta, y = tensors
    n_columns = x.shape[1]
    mean = tl.alloc_ub((shape[0], 1), "float32")
    scale = tl.alloc_ub((shape[0], 1), "float32")
    _statistics(x, row, shape, mean, scale)
    scale[:] = tl.rsqrt(scale / n_columns + epsilon)
    for j in tl.for_range(tl.ceildiv(n_columns, shape[1])):
        wide = _load(x, row, j * shape[1], shape)
        wide[:] = (wide - mean) * scale
        _store(y, (row, j * shape[1]), wide, gamma, beta)


def _statistics(
    x: tl.Tensor, row: tl.IndexLike, shape: tuple[int, int], mean: tl.Tensor, squares: tl.Tensor
) -> None:
    """Set `mean`, and `squares` to the sums of squared deviations, of rows of several tiles."""
    N, n_tile = x.shape[1], shape[1]
    mean[:] = 0
    squares[:] = 0
    for j in tl.for_range(tl.ceildiv(N, n_tile)):
        part = tl.alloc_ub((shape[0], 1), "float32")
        part[:] = tl.reduce_sum(_load(x, row, j * n_tile, shape), axis=1)
        mean += part
    mean[:] = mean / N
    for j in tl.for_range(tl.ceildiv(N, n_tile)):
        part = tl.alloc_ub((shape[0], 1), "float32")
        wide = _load(x, row, j * n_tile, shape)
        part[:] = tl.reduce_sum(_squares(wide, mean, N - j * n_tile), axis=1)
        squares += part


def _load(
    x: tl.Tensor, row: tl.IndexLike, column: tl.IndexLike, shape: tuple[int, int]
) -> tl.Tensor:
    """Return a tile of `x` in float32, 0 past the end of a row."""
    narrow = tl.alloc_ub(shape, x.dtype)
    wide = tl.alloc_ub(shape, "float32")
    tl.data_move(narrow, x[row, column])
    wide[:] = tl.cast(narrow, "float32")
    return wide


def _squares(wide: tl.Tensor, mean: tl.Tensor, n_columns: tl.IndexLike) -> tl.Tensor:
    """Return the squared deviations in the first `n_columns` columns, and 0 behind them."""
    squares = tl.alloc_ub(wide.shape, "float32")
    squares[:] = wide - mean
    squares[:] = tl.where(tl.position(1) < n_columns, squares * squares, 0)
    return squares


def _store(
    y: tl.Tensor,
    start: tuple[tl.IndexLike, tl.IndexLike],
    wide: tl.Tensor,
    gamma: tl.Tensor,
    beta: tl.Tensor,
) -> None:
    """Store `wide * gamma + beta` into `y`, rounded to its dtype; `wide` is lost."""
    n_tile = wide.shape[1]
    factor, addend = tl.alloc_ub((n_tile,), y.dtype), tl.alloc_ub((n_tile,), y.dtype)
    tl.data_move(factor, gamma[start[1]])
    tl.data_move(addend, beta[start[1]])
    wide[:] = wide * tl.cast(factor, "float32") + tl.cast(addend, "float32")
    narrow = tl.alloc_ub(wide.shape, y.dtype)
    narrow[:] = tl.cast(wide, y.dtype)
    tl.data_move(y[start[0], start[1]], narrow)


@layer_norm.reference
def layer_norm_reference(
    x: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any], epsilon: float
) -> NDArray[Any]:
    """Return the normalised rows in float64."""
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred**2).mean(axis=1, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * gamma + beta
