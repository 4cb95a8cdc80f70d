"""Batch normalisation of feature maps, for inference (`batch_norm`) and training.

`y[n, c] = (x[n, c] - mean[c]) / sqrt(var[c] + epsilon) * gamma[c] + beta[c]`, with x[N, C, H, W]
and y in one dtype (float16, bfloat16, float32), NCHW, and vectors of C in one dtype, perhaps
another; computed in float32. Any N, C, H, W; for [N, C] give H = W = 1.

`batch_norm_training` takes mean and variance (biased) from x over N, H and W, and returns them too,
in float32; blending them into running ones is left to the caller. Three stages meet in workspace,
so the result does not depend on the number of cores: every image alone (mean and squared
deviations, merged tile by tile as Chan, Golub and LeVeque do, "Updating formulae and a pairwise
algorithm", 1979), all images of a channel, and y.

Source: Ioffe and Szegedy, "Batch normalization", 2015.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl

N_IMAGES = 64
"""Images whose statistics are in UB at once, at most."""

FLOATS = "cast it to float16, bfloat16 or float32 first"
"""What to do with integers, whose results would not be whole."""


@tl.kernel(
    "x[N, C, H, W]: T, gamma[C]: P, beta[C]: P, mean[C]: P, var[C]: P; epsilon -> y[N, C, H, W]: T"
)
def batch_norm(  # noqa: PLR0913 - six tensors, an attribute and two tile sizes
    x: tl.Tensor,
    gamma: tl.Tensor,
    beta: tl.Tensor,
    mean: tl.Tensor,
    var: tl.Tensor,
    y: tl.Tensor,
    *,
    epsilon: float = 1e-5,
    c_tile: int = 16,
    p_tile: int = 512,
) -> None:
    """Set y to x normalised by given means and variances: inference."""
    tl.require(x.dtype.is_float, f"`x` is {x.dtype}, wanted a float", FLOATS)
    tl.require(epsilon >= 0, f"`epsilon` is {epsilon}, wanted 0 or more", "pass one such as 1e-5")
    normalisation = (gamma, beta, mean, var)
    _normalise(x, y, normalisation, epsilon, (c_tile, p_tile))


@tl.kernel(
    "x[N, C, H, W]: T, gamma[C]: P, beta[C]: P; epsilon"
    " -> y[N, C, H, W]: T, mean[C]: float32, var[C]: float32"
)
def batch_norm_training(  # noqa: PLR0913 - six tensors, an attribute and two tile sizes
    x: tl.Tensor,
    gamma: tl.Tensor,
    beta: tl.Tensor,
    y: tl.Tensor,
    mean: tl.Tensor,
    var: tl.Tensor,
    *,
    epsilon: float = 1e-5,
    c_tile: int = 16,
    p_tile: int = 512,
) -> None:
    """Set y to x normalised by its own means and variances, results too: training."""
    tl.require(x.dtype.is_float, f"`x` is {x.dtype}, wanted a float", FLOATS)
    tl.require(epsilon >= 0, f"`epsilon` is {epsilon}, wanted 0 or more", "pass one such as 1e-5")
    n_points = x.shape[0] * x.shape[2] * x.shape[3]
    found = f"`x` is {list(x.shape)}, which has no points to take means of"
    tl.require(n_points > 0, found, "leave out the call for an empty batch")
    shape = (c_tile, p_tile)
    N, C = x.shape[:2]
    means = tl.alloc_gm((max(N, 1), max(C, 1)), "float32")
    squares = tl.alloc_gm((max(N, 1), max(C, 1)), "float32")
    _measure_images(x, means, squares, shape)
    _merge_images(means, squares, mean, var, n_points=x.shape[2] * x.shape[3], c_tile=c_tile)
    _normalise(x, y, (gamma, beta, mean, var), epsilon, shape)


def _measure_images(
    x: tl.Tensor, means: tl.Tensor, squares: tl.Tensor, shape: tuple[int, int]
) -> None:
    """Set `means[n, c]`, and `squares[n, c]` to the sum of squared deviations from it."""
    (N, C), n_points = x.shape[:2], x.shape[2] * x.shape[3]
    for n, i in tl.cores(N, tl.ceildiv(C, shape[0])):
        mean = tl.alloc_ub((shape[0], 1), "float32")
        total = tl.alloc_ub((shape[0], 1), "float32")
        mean[:] = 0
        total[:] = 0
        for j in tl.for_range(tl.ceildiv(n_points, shape[1])):
            before = j * shape[1]
            n_here = tl.minimum(n_points - before, shape[1])
            wide = _load(x, (n, i * shape[0], before), shape)
            _merge_tile(wide, mean, total, before, n_here)
        tl.data_move(means[n, i * shape[0] :], mean[:, 0])
        tl.data_move(squares[n, i * shape[0] :], total[:, 0])


def _merge_tile(
    wide: tl.Tensor, mean: tl.Tensor, total: tl.Tensor, before: tl.IndexLike, n_here: tl.IndexLike
) -> None:
    """Update mean and squared deviations of `before` columns by the `n_here` columns of `wide`."""
    step = tl.alloc_ub(mean.shape, "float32")
    part = tl.alloc_ub(mean.shape, "float32")
    here = tl.cast(n_here, "float32")
    both = tl.cast(before + n_here, "float32")
    step[:] = tl.reduce_sum(wide, axis=1)
    step[:] = step / here  # the mean of this tile
    wide[:] = wide - step
    wide[:] = tl.where(tl.position(1) < n_here, wide * wide, 0)
    part[:] = tl.reduce_sum(wide, axis=1)
    step[:] = step - mean
    total += part + step * step * (tl.cast(before, "float32") * here / both)
    mean += step * (here / both)


def _merge_images(
    means: tl.Tensor,
    squares: tl.Tensor,
    mean: tl.Tensor,
    var: tl.Tensor,
    *,
    n_points: int,
    c_tile: int,
) -> None:
    """Set mean and variance of every channel from those of its images of `n_points` each."""
    n_images = means.shape[0]
    n_rows = min(N_IMAGES, 1 << (n_images - 1).bit_length())
    for i in tl.cores(tl.ceildiv(mean.shape[0], c_tile)):
        middle = tl.alloc_ub((1, c_tile), "float32")
        total = tl.alloc_ub((1, c_tile), "float32")
        middle[:] = 0
        total[:] = 0
        for j in tl.for_range(tl.ceildiv(n_images, n_rows)):
            rows = tl.alloc_ub((n_rows, c_tile), "float32")
            part = tl.alloc_ub((1, c_tile), "float32")
            tl.data_move(rows, means[j * n_rows, i * c_tile])
            part[:] = tl.reduce_sum(rows, axis=0)
            middle += part
        middle[:] = middle / n_images
        for j in tl.for_range(tl.ceildiv(n_images, n_rows)):
            rows = tl.alloc_ub((n_rows, c_tile), "float32")
            inner = tl.alloc_ub((n_rows, c_tile), "float32")
            part = tl.alloc_ub((1, c_tile), "float32")
            tl.data_move(rows, means[j * n_rows, i * c_tile])
            tl.data_move(inner, squares[j * n_rows, i * c_tile])
            rows[:] = rows - middle
            rows[:] = inner + rows * rows * n_points
            rows[:] = tl.where(j * n_rows + tl.position(0) < n_images, rows, 0)
            part[:] = tl.reduce_sum(rows, axis=0)
            total += part
        total[:] = total / max(n_images * n_points, 1)
        tl.data_move(mean[i * c_tile :], middle[0, :])
        tl.data_move(var[i * c_tile :], total[0, :])


def _normalise(
    x: tl.Tensor,
    y: tl.Tensor,
    normalisation: tuple[tl.Tensor, tl.Tensor, tl.Tensor, tl.Tensor],
    epsilon: float,
    shape: tuple[int, int],
) -> None:
    """Write y; `normalisation` is gamma, beta, mean and variance."""
    (N, C), n_points = x.shape[:2], x.shape[2] * x.shape[3]
    points = y.view((0,), (1,), (2, 3))
    for n, i, j in tl.cores(N, tl.ceildiv(C, shape[0]), tl.ceildiv(n_points, shape[1])):
        gamma, beta, mean, var = (_load_vector(v, i * shape[0], shape[0]) for v in normalisation)
        wide = _load(x, (n, i * shape[0], j * shape[1]), shape)
        gamma[:] = gamma * tl.rsqrt(var + epsilon)
        wide[:] = (wide - mean) * gamma + beta
        narrow = tl.alloc_ub(shape, y.dtype)
        narrow[:] = tl.cast(wide, y.dtype)
        tl.data_move(points[n, i * shape[0] :, j * shape[1] :], narrow)


def _load(
    x: tl.Tensor, start: tuple[tl.IndexLike, tl.IndexLike, tl.IndexLike], shape: tuple[int, int]
) -> tl.Tensor:
    """Return channels times points of one image in float32, from (image, channel, point)."""
    narrow = tl.alloc_ub(shape, x.dtype)
    wide = tl.alloc_ub(shape, "float32")
    tl.data_move(narrow, x.view((0,), (1,), (2, 3))[start[0], start[1] :, start[2] :])
    wide[:] = tl.cast(narrow, "float32")
    return wide


def _load_vector(vector: tl.Tensor, start: tl.IndexLike, size: int) -> tl.Tensor:
    """Return a column [size, 1] of a vector in float32."""
    narrow = tl.alloc_ub((size, 1), vector.dtype)
    wide = tl.alloc_ub((size, 1), "float32")
    tl.data_move(narrow[:, 0], vector[start:])
    wide[:] = tl.cast(narrow, "float32")
    return wide


@batch_norm.tiles
@batch_norm_training.tiles
def batch_norm_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return tiles that hold whole images where these fit, on a computer; else the defaults.

    2048 elements at least, so that setting up the channels of a tile costs little beside them.
    """
    if machine != "host":
        return {}
    n_points = dims["H"] * dims["W"]
    p_tile = min(max(tl.ceildiv(n_points, 16), 1) * 16, 4096)
    return {"c_tile": max(16, 2048 // p_tile), "p_tile": p_tile}


@batch_norm.inputs
def batch_norm_inputs(*inputs: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return inputs without a negative variance."""
    *others, var = inputs
    return *others, np.abs(var)


@batch_norm.reference
def batch_norm_reference(
    x: NDArray[Any],
    gamma: NDArray[Any],
    beta: NDArray[Any],
    mean: NDArray[Any],
    var: NDArray[Any],
    epsilon: float,
) -> NDArray[Any]:
    """Return the normalised maps in float64."""
    wide = [v[:, None, None] for v in (gamma, beta, mean, var)]
    return (x - wide[2]) / np.sqrt(wide[3] + epsilon) * wide[0] + wide[1]


@batch_norm_training.reference
def batch_norm_training_reference(
    x: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any], epsilon: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the normalised maps, the means and the variances, in float64."""
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    return batch_norm_reference(x, gamma, beta, mean, var, epsilon), mean, var
