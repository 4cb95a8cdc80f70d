"""An attribute of the signature that the function does not take."""

import tilelang as tl


def run() -> None:
    @tl.kernel("x[M, N]: T; shift -> y[M, N]: T")
    def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
        del x, y

    del wrong
