"""Chunks that do not divide a tile."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((64, 64), x.dtype)
        for r in tl.chunks(t, rows=24):
            t[r : r + 24, :] = 0


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
