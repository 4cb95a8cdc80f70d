"""Matrix product with the sum over k split between cores: `c = a @ b` for small M, N and large K.

a[M, K], b[K, N], row-major, and c[M, N] as `gemm`: float16, bfloat16 and float32 (where the cube
takes it) into float32, int8 into int32, which wraps. Any M, N, K.

Where c has fewer tiles than the chip has cores, `gemm` leaves cores idle. Here `splits` of them
share a tile of c: each sums its own range of k into a plane of workspace, and a second stage adds
the planes, in order, so that the result does not depend on which core was first.

Source: the two-stage form of split-K that vendor libraries use where there are no atomics.
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

import tilelang as tl
from tilelang.machines import find_machine

ROWS = 32
"""Rows of a tile that the second stage has in UB at once."""


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def split_k_gemm(  # noqa: PLR0913 - three tensors and four tile parameters
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 64,
    splits: int = 4,
) -> None:
    """Set c to a @ b in two stages: sums over ranges of k, and the sum of these."""
    (M, K), N = a.shape, b.shape[1]
    n_steps = max(tl.ceildiv(tl.ceildiv(K, k_tile), splits), 1)
    parts = tl.alloc_gm((splits, max(M, 1), max(N, 1)), c.dtype)
    for s, i, j in tl.cores(splits, tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), c.dtype)
        for k in tl.for_range(n_steps, stages=2):
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            first = (s * n_steps + k) * k_tile  # past K: zeros
            tl.data_move(a1, a[i * m_tile, first])
            tl.data_move(b1, b[first, j * n_tile])
            tl.matmul(acc, a1, b1, init=k == 0)
        part = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(part, acc)
        tl.data_move(parts[s, i * m_tile :, j * n_tile :], part)
    for i, j in tl.cores(tl.ceildiv(M, ROWS), tl.ceildiv(N, n_tile)):
        total = tl.alloc_ub((ROWS, n_tile), c.dtype)
        tl.data_move(total, parts[0, i * ROWS :, j * n_tile :])
        for s in tl.for_range(1, splits, stages=2):
            part = tl.alloc_ub((ROWS, n_tile), c.dtype)
            tl.data_move(part, parts[s, i * ROWS :, j * n_tile :])
            total += part
        tl.data_move(c[i * ROWS, j * n_tile], total)


@split_k_gemm.tiles
def split_k_gemm_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return as many splits as give every core of `machine` a tile, each of 4 steps or more."""
    n_tiles = max(tl.ceildiv(dims["M"], 128) * tl.ceildiv(dims["N"], 128), 1)
    n_steps = max(tl.ceildiv(dims["K"], 64), 1)
    return {"splits": max(min(find_machine(machine).n_cores // n_tiles, n_steps // 4), 1)}


@split_k_gemm.reference
def split_k_gemm_reference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the product in float64 (int64 for integers)."""
    return a @ b
