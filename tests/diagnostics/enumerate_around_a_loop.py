"""`enumerate` around a traced loop."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for n, i in enumerate(tl.cores(4)):
        t = tl.alloc_ub((16, 64), x.dtype)
        t[:] = n


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
