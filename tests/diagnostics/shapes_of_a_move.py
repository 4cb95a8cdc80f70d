"""A move between tiles of two shapes."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        u = tl.alloc_ub((16, 32), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        tl.data_move(u, t)
        tl.data_move(y[i * 16, 0], u)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
