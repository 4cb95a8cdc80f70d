"""A number that the dtype of the tile cannot hold."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), "int8")
        t[:] = 300
        u = tl.alloc_ub((16, 64), x.dtype)
        u[:] = tl.cast(t, x.dtype)
        tl.data_move(y[i * 16, 0], u)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
