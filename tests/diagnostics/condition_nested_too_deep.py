"""A condition that a Python loop nests deeper and deeper."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def choose(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16,), x.dtype)
    tl.data_move(t, x)
    for i in tl.for_range(4):
        chosen = i == 0
        for k in range(100):
            chosen = (chosen | (i == k)) & (i != k + 7)
        with tl.if_scope(chosen):
            t += 1
    tl.data_move(y, t)


def run() -> None:
    choose(np.zeros(16, np.float32))
