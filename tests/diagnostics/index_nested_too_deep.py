"""An index that a Python loop nests deeper and deeper."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def clamp(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16,), x.dtype)
    tl.data_move(t, x)
    for i in tl.for_range(4):
        k = i
        for _ in range(100):
            k = tl.minimum(k + 1, 2 * i + 3)
        t += tl.cast(k, "float32")
    tl.data_move(y, t)


def run() -> None:
    clamp(np.zeros(16, np.float32))
