"""Quantised matrix product: integers in, requantised per output channel.

`y[m, n] = sum over k of (a[m, k] - a_zero) * (b[n, k] - b_zero) * scale[n] + offset[n]`.

a[M, K] and b[N, K] (weights, k innermost: the cube loads int8 without a transpose) in int8, summed
exactly in int32, which wraps; scale[N] in float32. The dtype of `offset`[N] is that of y[M, N]:
* int8: the product with `scale` is rounded to the nearest even integer, then the zero point of the
  output, `offset`, is added, and the result saturates (as ONNX's QLinearMatMul);
* float16, bfloat16 or float32: dequantised, `offset` is a bias.
Multiplication by `scale` is in float32. Any M, N, K. uint8 data: subtract 128 from it, and from
its zero point.

Zero points are known before the kernel runs, so they are attributes, and cost nothing where 0.
Elsewhere a_zero takes the sums of b's rows and b_zero those of a's, from UB, once a tile.

Source: Jacob et al., "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", 2018, section 2.3.
"""

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl

EPILOGUE_ROWS = 32
"""Rows of the accumulator that are in UB at once."""


@tl.kernel(
    "a[M, K]: int8, b[N, K]: int8, scale[N]: float32, offset[N]: Y; a_zero, b_zero -> y[M, N]: Y"
)
def quantized_gemm(  # noqa: PLR0913 - five tensors, two attributes and three tile sizes
    a: tl.Tensor,
    b: tl.Tensor,
    scale: tl.Tensor,
    offset: tl.Tensor,
    y: tl.Tensor,
    *,
    a_zero: int = 0,
    b_zero: int = 0,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 128,
) -> None:
    """Set y to the requantised (a - a_zero) @ (b - b_zero).T, one tile of y per core."""
    tl.require(
        y.dtype.is_float or y.dtype is tl.DType.INT8,
        f"`offset`, which y is like, is {y.dtype}, wanted int8 or a float",
        "requantise to int8, or take the sums as they are from gemm",
    )
    (M, K), N = a.shape, b.shape[0]
    n_rows = gcd(m_tile, EPILOGUE_ROWS)
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), "int32")
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):  # K = 0: padding alone
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((n_tile, k_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[j * n_tile, k * k_tile])
            tl.matmul(acc, a1, b1.T, init=k == 0)
        factor = tl.alloc_ub((n_tile,), scale.dtype)
        addend = tl.alloc_ub((n_tile,), y.dtype)
        columns = tl.alloc_ub((1, n_tile), "int32")
        sums = tl.alloc_ub((m_tile, 1), "int32")
        tl.data_move(factor, scale[j * n_tile])
        tl.data_move(addend, offset[j * n_tile])
        columns[:] = K * a_zero * b_zero
        sums[:] = 0
        if a_zero:
            _add_sums(columns, b.view((1,), (0,)), (0, j * n_tile), k_tile, -a_zero)
        if b_zero:
            _add_sums(sums, a, (i * m_tile, 0), k_tile, -b_zero)
        for row in tl.chunks(acc, rows=n_rows):
            total = tl.alloc_ub((n_rows, n_tile), acc.dtype)
            out = tl.alloc_ub((n_rows, n_tile), y.dtype)
            tl.data_move(total, acc[row, 0])
            if a_zero or b_zero:
                total[:] = total + columns + sums[row : row + n_rows, :]
            out[:] = _requantised(total, factor, addend)
            tl.data_move(y[i * m_tile + row, j * n_tile], out)


def _requantised(total: tl.Tensor, factor: tl.Tensor, addend: tl.Tensor) -> tl.Expression:
    """Return int32 sums times `factor` plus `addend`, by column and in the dtype of `addend`."""
    scaled = tl.cast(total, factor.dtype) * factor
    if addend.dtype.is_integer:
        scaled = tl.cast(tl.cast(scaled, "int32"), factor.dtype)  # to nearest even
    return tl.cast(scaled + tl.cast(addend, factor.dtype), addend.dtype)


def _add_sums(
    sums: tl.Tensor,
    matrix: tl.Tensor,
    start: tuple[tl.IndexLike, tl.IndexLike],
    k_tile: int,
    factor: int,
) -> None:
    """Add `factor` times the sums of `matrix`, from `start` on, along the axis of size 1 in `sums`.

    int8 is summed in int32; past the end of the matrix it is 0.
    """
    axis = sums.shape.index(1)
    shape = (k_tile, sums.shape[1]) if axis == 0 else (sums.shape[0], k_tile)
    for k in tl.for_range(tl.ceildiv(matrix.shape[axis], k_tile)):
        tile = tl.alloc_ub(shape, matrix.dtype)
        part = tl.alloc_ub(sums.shape, sums.dtype)
        row, column = (k * k_tile, start[1]) if axis == 0 else (start[0], k * k_tile)
        tl.data_move(tile, matrix[row, column])
        part[:] = tl.reduce_sum(tile, axis=axis)
        sums += part * factor


@quantized_gemm.reference
def quantized_gemm_reference(
    a: NDArray[Any],
    b: NDArray[Any],
    scale: NDArray[Any],
    offset: NDArray[Any],
    *,
    a_zero: int,
    b_zero: int,
) -> NDArray[Any]:
    """Return y in float64; for an integer `offset`, the int8 values.

    These have no tolerance, so `scale` is multiplied in float32 then, as the definition says.
    """
    total = ((a - a_zero) @ (b - b_zero).T).astype(np.int32)
    if np.issubdtype(offset.dtype, np.floating):
        return total * scale + offset
    rounded = np.rint(total.astype(np.float32) * scale.astype(np.float32))
    return np.clip(rounded + offset, -128, 127)
