"""A product in a loop whose default `init` forgets the iterations before."""

import tilelang as tl


@tl.kernel("a[M, K]: T, b[K, N]: T -> c[M, N]: acc(T)")
def wrong(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    acc = tl.alloc_l0c((32, 32), tl.acc(a.dtype))
    for k in tl.for_range(2):
        a1 = tl.alloc_l1((32, 16), a.dtype)
        b1 = tl.alloc_l1((16, 32), b.dtype)
        tl.data_move(a1, a[0, k * 16])
        tl.data_move(b1, b[k * 16, 0])
        tl.matmul(acc, a1, b1)
    out = tl.alloc_ub((32, 32), c.dtype)
    tl.data_move(out, acc)
    tl.data_move(c, out)


def run() -> None:
    wrong.program(M=32, N=32, K=32, dtype="float16")
