"""A kernel that returns its result as a function would."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> object:
    t = tl.alloc_ub((32, 32), x.dtype)
    tl.data_move(t, x)
    tl.data_move(y, t)
    return t


def run() -> None:
    wrong.program(M=32, N=32, dtype="float32")
