"""A window without a kernel."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    a0 = tl.alloc_l0a((16, 16), x.dtype)
    x1 = tl.alloc_l1((16, 8, 8), x.dtype)
    tl.load3d(a0, x1, kernel=(0, 3))


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
