"""A fully connected layer: `y = activation(x @ w.T + b)`.

x[M, K], w[N, K], b[N] and y[M, N] in one dtype (float16, bfloat16; float32 where the cube takes
it), row-major, weights as PyTorch's `Linear` stores them. Sums, bias and activation are taken in
float32, and rounded once, at the end. Any M, N, K.

`activation` is NONE, RELU or GELU. GELU is the form with tanh, `x / 2 * (1 + tanh(z))` with
`z = sqrt(2 / pi) * (x + 0.044715 x^3)`, less than 5e-4 from the one with erf (Hendrycks and Gimpel,
"Gaussian error linear units", 2016). It is computed as `x * sigmoid(2 z)`, which is the same.
"""

from enum import IntEnum
from math import gcd, pi, sqrt
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.kernels.gemm import gemm_tiles

EPILOGUE_ROWS = 32
"""Rows of the accumulator that are in UB at once."""


class Activation(IntEnum):
    """What `linear` does to its sums."""

    NONE = 0
    RELU = 1
    GELU = 2


FLOATS = "cast it to float16, bfloat16 or float32 first"
"""What to do with integers, whose results would not be whole."""


@tl.kernel("x[M, K]: T, w[N, K]: T, b[N]: T; activation -> y[M, N]: T")
def linear(  # noqa: PLR0913 - four tensors, an attribute and three tile sizes
    x: tl.Tensor,
    w: tl.Tensor,
    b: tl.Tensor,
    y: tl.Tensor,
    *,
    activation: int = Activation.NONE,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 64,
) -> None:
    """Set y to activation(x @ w.T + b), one tile of y per core."""
    tl.require(x.dtype.is_float, f"`x` is {x.dtype}, wanted a float", FLOATS)
    kind = _activation(activation)
    (M, K), N = x.shape, w.shape[0]
    rows = gcd(m_tile, EPILOGUE_ROWS)
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(x.dtype))
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):  # K = 0: padding alone
            x1 = tl.alloc_l1((m_tile, k_tile), x.dtype)
            w1 = tl.alloc_l1((n_tile, k_tile), w.dtype)
            tl.data_move(x1, x[i * m_tile, k * k_tile])
            tl.data_move(w1, w[j * n_tile, k * k_tile])
            tl.matmul(acc, x1, w1.T, init=k == 0)
        bias = tl.alloc_ub((n_tile,), b.dtype)
        addend = tl.alloc_ub((n_tile,), acc.dtype)
        tl.data_move(bias, b[j * n_tile])
        addend[:] = tl.cast(bias, acc.dtype)
        for row in tl.chunks(acc, rows=rows):
            total = tl.alloc_ub((rows, n_tile), acc.dtype)
            out = tl.alloc_ub((rows, n_tile), y.dtype)
            tl.data_move(total, acc[row, 0])
            total += addend
            _activate(total, kind)
            out[:] = tl.cast(total, y.dtype)
            tl.data_move(y[i * m_tile + row, j * n_tile], out)


def _activation(number: int) -> Activation:
    """Return the activation that an attribute stands for.

    Raises:
        TileError: E0142 if it is none.
    """
    known = ", ".join(f"{it.value} ({it.name})" for it in Activation)
    tl.require(
        number in set(Activation),
        f"attribute `activation` is {number}, wanted one of {known}",
        "write activation=Activation.GELU, from `tilelang.kernels.linear`",
    )
    return Activation(number)


def _activate(tile: tl.Tensor, activation: Activation) -> None:
    """Apply `activation` to a float32 tile in UB, in place."""
    match activation:
        case Activation.NONE:
            pass
        case Activation.RELU:
            tile[:] = tl.relu(tile)
        case Activation.GELU:
            scale = 2 * sqrt(2 / pi)
            tile[:] = tile * tl.sigmoid(tile * (scale + scale * 0.044715 * tile * tile))
        case _:
            assert_never(activation)


linear.tiles(gemm_tiles)


@linear.reference
def linear_reference(
    x: NDArray[Any], w: NDArray[Any], b: NDArray[Any], activation: int
) -> NDArray[Any]:
    """Return the layer's output in float64."""
    y = x @ w.T + b
    if activation == Activation.RELU:
        return np.maximum(y, 0)
    if activation == Activation.GELU:
        inner = np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)
        return y / (1 + np.exp(-2 * inner))  # y / 2 * (1 + tanh(inner)), which would cancel
    return y
