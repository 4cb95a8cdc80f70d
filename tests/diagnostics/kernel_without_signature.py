"""`@tl.kernel` without a signature."""

import tilelang as tl


def run() -> None:
    @tl.kernel  # pyright: ignore[reportArgumentType]
    def wrong(x: tl.Tensor, y: tl.Tensor) -> None: ...  # pyright: ignore[reportUnusedFunction]
