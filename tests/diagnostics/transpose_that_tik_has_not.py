"""A float32 operand that must be transposed on its way to the cube, and is no whole matrix."""

import tilelang as tl


@tl.kernel("a[M, K]: float32, b[S, K, N]: float32 -> c[M, N]: float32")
def product(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    for _ in tl.cores(1):
        acc = tl.alloc_l0c((16, 16), "float32")
        a1, b1 = tl.alloc_l1((16, 16), "float32"), tl.alloc_l1((16, 16), "float32")
        tl.data_move(a1, a)
        tl.data_move(b1, b[0, 0:, 0:])
        tl.matmul(acc, a1, b1, init=True)
        out = tl.alloc_ub((16, 16), "float32")
        tl.data_move(out, acc)
        tl.data_move(c, out)


def run() -> None:
    product.source("tik", machine="ascend910b", M=16, N=16, K=16, S=2)
