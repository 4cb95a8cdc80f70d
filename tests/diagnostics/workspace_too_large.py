"""Workspace that no computer holds."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    room = tl.alloc_gm((10**9, 10**9), x.dtype)
    t = tl.alloc_ub((16,), x.dtype)
    tl.data_move(t, x)
    tl.data_move(room[0, 0:16], t)
    tl.data_move(y, t)


def run() -> None:
    wrong(np.ones(16, np.float32))
