"""A variable that a branch sets and the next step of a Python loop reads."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        factor = 1
        for step in range(2):
            t *= factor
            with tl.if_scope(i == step):
                factor = 5
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
