"""`else_scope` without a branch above it."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        with tl.else_scope():
            t[:] = 0


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
