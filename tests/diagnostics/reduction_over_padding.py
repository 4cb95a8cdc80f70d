"""A maximum over columns that lie outside the tensor."""

import numpy as np

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, 1]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(tl.ceildiv(x.shape[0], 16)):
        t = tl.alloc_ub((16, 64), x.dtype)
        m = tl.alloc_ub((16, 1), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        m[:] = tl.reduce_max(t, 1)
        tl.data_move(y[i * 16, 0], m)


def run() -> None:
    wrong(-np.ones((16, 50), np.float16))
