"""An expression that a Python loop makes longer and longer."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def sum_up(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16,), x.dtype)
    tl.data_move(t, x)
    total = t * 1
    for _ in range(500):
        total = total + t
    t[:] = total
    tl.data_move(y, t)


def run() -> None:
    sum_up(np.zeros(16, np.float32))
