"""Columns at the end of a tile that fixpipe, 16 wide, would write past."""

import tilelang as tl


@tl.kernel("a[M, K]: float16, b[N, K]: float16 -> c[M, N]: float32")
def product(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    work = tl.alloc_gm((16, 40), "float16")
    for _ in tl.cores(1):
        acc = tl.alloc_l0c((16, 48), "float32")
        a1, b1 = tl.alloc_l1((16, 48), "float16"), tl.alloc_l1((48, 48), "float16")
        tl.data_move(a1, a[0, 0])
        tl.data_move(b1, b[0, 0])
        tl.matmul(acc, a1, b1.T, init=True)
        half = tl.alloc_ub((16, 48), "float16")
        tl.data_move(half, acc)
        tl.data_move(work[0, 0], half)
        tl.data_move(a1, work[0, 0])
        tl.matmul(acc, a1, b1.T, init=True)
        out = tl.alloc_ub((16, 48), "float32")
        tl.data_move(out, acc)
        tl.data_move(c[0, 0], out)


def run() -> None:
    product.source("tik", machine="ascend910b", M=16, N=40, K=40)
