"""A search for an index in a list."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(2):
        t = tl.alloc_ub((16, 32), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        t += tl.where(i in (0, 3), tl.cast(1, "float32"), 0)
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=32, N=32, dtype="float32")
