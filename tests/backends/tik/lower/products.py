"""Products for cube cores alone: operands in either order, results in any dtype and layout."""

import tilelang as tl
from tilelang.kernel import Kernel

CHIP = "ascend910b"


def product(a: str = "a[M, K]: T", b: str = "b[N, K]: T", c: str = "c[M, N]: acc(T)") -> Kernel:
    """Return a kernel `c = a @ b` in tiles; an operand declared [K, M] or [N, K] is transposed."""

    @tl.kernel(f"{a}, {b} -> {c}")
    def kernel(
        a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, *, tile: int = 32, k_tile: int = 32
    ) -> None:
        (M, N), K = c.shape, a.shape[0 if TURNED_A else 1]
        for i, j in tl.cores(tl.ceildiv(M, tile), tl.ceildiv(N, tile)):
            acc = tl.alloc_l0c((tile, tile), tl.acc(a.dtype))
            for k in tl.for_range(tl.ceildiv(K, k_tile)):
                a1 = tl.alloc_l1((k_tile, tile) if TURNED_A else (tile, k_tile), a.dtype)
                b1 = tl.alloc_l1((tile, k_tile) if TURNED_B else (k_tile, tile), b.dtype)
                m, n, depth = i * tile, j * tile, k * k_tile
                tl.data_move(a1, a[depth, m] if TURNED_A else a[m, depth])
                tl.data_move(b1, b[n, depth] if TURNED_B else b[depth, n])
                left, right = a1.T if TURNED_A else a1, b1.T if TURNED_B else b1
                tl.matmul(acc, left, right, init=k == 0)
            out = tl.alloc_ub((tile, tile), c.dtype)
            tl.data_move(out, acc)
            tl.data_move(c[i * tile, j * tile], out)

    TURNED_A, TURNED_B = a.startswith("a[K"), b.startswith("b[N")
    return kernel
