"""A move whose tile spans another number of dimensions."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        row = tl.alloc_ub((64,), x.dtype)
        tl.data_move(row, x[i, 0])
        tl.data_move(y[i, :], row)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
