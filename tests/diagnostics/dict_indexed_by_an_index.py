"""A dict of Python that is indexed by a loop."""

import tilelang as tl

FACTORS: dict[object, float] = {0: 1.0, 1: 2.0}


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(2):
        t = tl.alloc_ub((16, 32), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        t *= FACTORS[i]
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=32, N=32, dtype="float32")
