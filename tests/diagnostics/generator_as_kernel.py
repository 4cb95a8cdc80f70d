"""A kernel that is a generator, so that calling it runs nothing."""

import tilelang as tl


def run() -> None:
    @tl.kernel("x[N]: T -> y[N]: T")
    def wrong(x: tl.Tensor, y: tl.Tensor):  # pyright: ignore[reportUnusedFunction]
        yield tl.data_move(y, x)
