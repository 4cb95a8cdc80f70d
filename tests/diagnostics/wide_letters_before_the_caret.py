"""Letters of two columns on the line before the place of the mistake."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    t = tl.alloc_ub((16, 64), x.dtype, name="图块")
    for i in tl.cores(4):
        t = [tl.alloc_ub((16, 64), x.dtype, name="图块"), tl.data_move(y[i, 0, 0], t)][0]


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
