"""A kernel whose grid does not cover its result."""

import numpy as np

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(x.shape[0] // 16):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong(np.ones((70, 64), np.float16))
