"""`as_matrix` of a matrix."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    w1 = tl.alloc_l1((64, 64), x.dtype)
    tl.data_move(w1, tl.as_matrix(x))


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
