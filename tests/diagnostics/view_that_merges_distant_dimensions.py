"""A view that merges dimensions in the wrong order."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    seen = x.view((1, 0))
    t = tl.alloc_ub((64,), x.dtype)
    tl.data_move(t, seen[0])


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
