"""Files as a user would write them, for tests that name a file on the command line."""

DOUBLE = '''\
"""Twice a vector of rows."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def double(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 16, n_tile: int = 32) -> None:
    """y = x + x."""
    M, N = x.shape
    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):
        here = tl.alloc_ub((m_tile, n_tile), x.dtype)
        tl.data_move(here, x[i * m_tile, j * n_tile])
        here[:] = here + here
        tl.data_move(y[i * m_tile, j * n_tile], here)


@double.reference
def meaning(x):
    return 2 * x
'''

WRONG = DOUBLE.replace("2 * x", "3 * x").replace("double", "triple")
"""A kernel that does not do what its reference says."""

UNALIGNED = """\
import tilelang as tl


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def product(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, *, tile: int = 20) -> None:
    acc = tl.alloc_l0c((tile, tile), tl.acc(a.dtype))
    a1 = tl.alloc_l1((tile, tile), a.dtype)
    b1 = tl.alloc_l1((tile, tile), b.dtype)
    tl.data_move(a1, a[0, 0])
    tl.data_move(b1, b[0, 0])
    tl.matmul(acc, a1, b1, init=True)
    out = tl.alloc_ub((tile, tile), c.dtype)
    tl.data_move(out, acc)
    tl.data_move(c[0, 0], out)
"""
"""A kernel with a tile that no cube takes."""
