"""Matrix product: `c = a @ b`.

Any M, N, K (K = 0 gives zeros); float16 and bfloat16 into float32, float32 where the cube takes it,
int8 into int32 (which wraps). Every output tile belongs to one core; the sum over k is taken in
order in L0C.
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

import tilelang as tl
from tilelang.product_tiles import product_tiles


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def gemm(
    a: tl.Tensor,
    b: tl.Tensor,
    c: tl.Tensor,
    *,
    m_tile: int = 128,
    n_tile: int = 128,
    k_tile: int = 64,
) -> None:
    """Set c to a @ b, one tile of c per core, accumulated in float32 (int32 for integers)."""
    (M, K), N = a.shape, b.shape[1]
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))
        for k in tl.for_range(max(tl.ceildiv(K, k_tile), 1), stages=2):  # K = 0: padding alone
            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)
            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)
            tl.data_move(a1, a[i * m_tile, k * k_tile])
            tl.data_move(b1, b[k * k_tile, j * n_tile])
            tl.matmul(acc, a1, b1, init=k == 0)
        out = tl.alloc_ub((m_tile, n_tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * m_tile, j * n_tile], out)


@gemm.tiles
def gemm_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return the tiles of `tilelang.product_tiles`."""
    return product_tiles(dims["M"], dims["N"], dims["K"], dtypes["T"], machine)


@gemm.reference
def gemm_reference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the product in float64 (int64 for integers)."""
    return a @ b
