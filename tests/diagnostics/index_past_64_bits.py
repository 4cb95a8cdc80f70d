"""A start and a bound that machine integers cannot hold."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 2**64 % 7, 0])
        for k in tl.for_range(10**25):
            tl.data_move(t, x[tl.minimum(k * 2**64, 3), 0])
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
