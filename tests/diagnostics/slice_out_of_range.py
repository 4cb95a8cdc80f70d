"""A region on chip that leaves its buffer."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((64, 64), x.dtype)
        for k in tl.for_range(4):
            tl.data_move(t[k * 32 : k * 32 + 32, :], x[i * 16, 0])
        tl.data_move(y[i * 64, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
