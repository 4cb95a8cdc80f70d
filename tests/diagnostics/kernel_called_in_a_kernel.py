"""A kernel called on the tensors of another kernel that is being traced."""

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def inner(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((64,), x.dtype)
    tl.data_move(t, x)
    tl.data_move(y, t)


@tl.kernel("x[N]: T -> y[N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    inner(x)


def run() -> None:
    wrong.program(N=64, dtype="float16")
