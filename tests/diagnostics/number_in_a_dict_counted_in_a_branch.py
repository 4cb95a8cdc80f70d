"""A number in a dict that a branch changes for what stands below."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    state = {"factor": 1}
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        with tl.if_scope(i == 0):
            state["factor"] = 3
        t *= state["factor"]
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
