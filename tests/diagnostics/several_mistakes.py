"""Three mistakes that are reported together."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        u = tl.alloc_ub((16, 64), "float32")
        tl.data_move(t, x[i * 16, 0])
        u[:] = t
        a1 = tl.alloc_l1((20, 64), x.dtype)
        tl.data_move(a1, x[i * 16, 0])
        tl.data_move(u, a1)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
