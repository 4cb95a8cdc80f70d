"""A function whose parameters are not the tensors of its signature."""

import tilelang as tl


def run() -> None:
    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def wrong(x: tl.Tensor, z: tl.Tensor, *, tile: int = 0) -> None:
        del x, z, tile

    del wrong
