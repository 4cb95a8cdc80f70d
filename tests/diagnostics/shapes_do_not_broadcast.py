"""Shapes that do not broadcast, in an expression and an assignment."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        bias = tl.alloc_ub((32,), x.dtype)
        row = tl.alloc_ub((1, 64), x.dtype)
        bias[:] = 1
        tl.data_move(t, x[i * 16, 0])
        t[:] = t + bias
        row[:] = t
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
