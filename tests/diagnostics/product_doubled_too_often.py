"""An expression whose every use copies all of it."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def power(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16,), x.dtype)
    tl.data_move(t, x)
    product = t * 1
    for _ in range(16):
        product = product * product
    t[:] = product
    tl.data_move(y, t)


def run() -> None:
    power(np.zeros(16, np.float32))
