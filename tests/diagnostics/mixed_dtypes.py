"""Two dtypes in one expression, and an assignment to a third kind."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        wide = tl.alloc_ub((16, 64), "float32")
        tl.data_move(t, x[i * 16, 0])
        wide[:] = tl.cast(t, "float32") * 0.5
        t[:] = t + wide
        t[:] = wide
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
