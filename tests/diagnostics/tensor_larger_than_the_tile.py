"""A tensor that is moved whole into a tile of another size."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16, 32), x.dtype)
    tl.data_move(t, x)
    tl.data_move(y, t)


def run() -> None:
    wrong.program(M=15, N=32, dtype="float32")
