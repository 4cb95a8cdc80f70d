"""A move from one tensor to another."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    tl.data_move(y, x)


def run() -> None:
    wrong.program(M=32, N=32, dtype="float32")
