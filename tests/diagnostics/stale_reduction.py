"""A reduction that is stored after what it reads has changed."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        s = tl.alloc_ub((16, 1), "float32")
        total = tl.reduce_sum(t, 1)
        t[:] = 0
        s[:] = total
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
