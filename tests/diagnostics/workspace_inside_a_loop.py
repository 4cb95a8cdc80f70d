"""`alloc_gm` inside a stage."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        w = tl.alloc_gm((64, 64), x.dtype)
        tl.data_move(w[i * 16, 0], x[i * 16, 0])


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
