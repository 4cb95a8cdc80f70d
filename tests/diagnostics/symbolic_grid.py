"""A grid whose extent is a loop index."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        for j in tl.cores(i):
            t = tl.alloc_ub((16, 64), x.dtype)
            tl.data_move(y[j, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
