"""Two buffers in a list that an iteration swaps for the next."""

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        tiles = [tl.alloc_ub((16, 64), x.dtype), tl.alloc_ub((16, 64), x.dtype)]
        tl.data_move(tiles[0], x[i * 16, 0])
        for _k in tl.for_range(4):
            tiles[1][:] = tiles[0] + 1
            tiles[0], tiles[1] = tiles[1], tiles[0]
        tl.data_move(y[i * 16, 0], tiles[0])


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
