"""Matrix product with its epilogue on the core: `c = relu(a @ b + bias)`.

a[M, K], b[K, N] in float16, bfloat16 or float32 (where the cube takes it) with float32 bias[N] and
c[M, N]; int8 with int32 ones, which wrap. Row-major; any M, N, K.

A file of its own beside `gemm`: a signature has no optional tensors, and who wants a plain product
should neither pass a bias nor read past one.

Source: the epilogue on NZ tiles in UB that vendor kernels use (TIK reference, vadd and vrelu).
"""

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.kernels.gemm import gemm_tiles

EPILOGUE_ROWS = 32
"""Rows of the accumulator that are in UB at once."""


@tl.kernel("a[M, K]: T, b[K, N]: T, bias[N]: acc(T) -> c[M, N]: acc(T)")
def gemm_bias_relu(  # noqa: PLR0913 - four tensors and three tile sizes
    a: tl.Tensor,
    b: tl.Tensor,
    bias: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 64,
) -> None:
    """Set c to relu(a @ b + bias), one tile of c per core, the epilogue in chunks of rows."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), c.dtype)
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):  # K = 0: padding alone
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[k * k_tile, j * n_tile])
            tl.matmul(acc, a1, b1, init=k == 0)
        addend = tl.alloc_ub((n_tile,), c.dtype)
        tl.data_move(addend, bias[j * n_tile])
        for row in tl.chunks(acc, rows=gcd(m_tile, EPILOGUE_ROWS)):
            out = tl.alloc_ub((gcd(m_tile, EPILOGUE_ROWS), n_tile), c.dtype)
            tl.data_move(out, acc[row, 0])
            out[:] = tl.relu(out + addend)
            tl.data_move(c[i * m_tile + row, j * n_tile], out)


gemm_bias_relu.tiles(gemm_tiles)


@gemm_bias_relu.reference
def gemm_bias_relu_reference(a: NDArray[Any], b: NDArray[Any], bias: NDArray[Any]) -> NDArray[Any]:
    """Return the product with its epilogue in float64 (int64, wrapped to int32, for integers)."""
    total = a @ b + bias
    if not np.issubdtype(total.dtype, np.floating):
        total = total.astype(np.int32)  # the wrap comes before the relu
    return np.maximum(total, 0)
