"""Two parts of a tile that one assignment exchanges, as it would copies."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16, 32), x.dtype)
    tl.data_move(t, x[0, 0])
    t[0:8, :], t[8:16, :] = t[8:16, :], t[0:8, :]
    tl.data_move(y, t)


def run() -> None:
    wrong.program(M=16, N=32, dtype="float32")
