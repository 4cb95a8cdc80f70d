"""A tile parameter and a size with names that calls use for something else."""

import tilelang as tl


def run() -> None:
    @tl.kernel("x[N, seed]: T -> y[N, seed]: T")
    def wrong(x: tl.Tensor, y: tl.Tensor, *, backend: int = 16, N: int = 16) -> None: ...  # pyright: ignore[reportUnusedFunction]
