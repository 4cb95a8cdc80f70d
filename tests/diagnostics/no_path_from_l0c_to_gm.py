"""A move for which the chip has no path."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        acc = tl.alloc_l0c((16, 64), "float32")
        a1 = tl.alloc_l1((16, 64), x.dtype)
        b1 = tl.alloc_l1((64, 64), x.dtype)
        tl.data_move(a1, x[i * 16, 0])
        tl.data_move(b1, x[0, 0])
        tl.matmul(acc, a1, b1)
        tl.data_move(y[i * 16, 0], acc)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
