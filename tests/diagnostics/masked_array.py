"""A masked array, whose mask no tile has."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: T -> y[N]: T")
def copy(x: tl.Tensor, y: tl.Tensor, *, tile: int = 16) -> None:
    for i in tl.cores(tl.ceildiv(x.shape[0], tile)):
        t = tl.alloc_ub((tile,), x.dtype)
        tl.data_move(t, x[i * tile])
        tl.data_move(y[i * tile], t)


def run() -> None:
    copy(np.ma.masked_array(np.ones(8, np.float32), mask=np.arange(8) > 3))
