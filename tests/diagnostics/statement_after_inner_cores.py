"""A statement below a nested `cores` loop."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        for j in tl.cores(4):
            t = tl.alloc_ub((16, 16), x.dtype)
            tl.data_move(t, x[i * 16, j * 16])
            tl.data_move(y[i * 16, j * 16], t)
        u = tl.alloc_ub((16, 16), x.dtype)
        u[:] = 0


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
