"""A traced loop in a generator that nobody resumes."""

import tilelang as tl

kept: list[object] = []


def every_second_row():
    for r in tl.for_range(8):
        yield 2 * r


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        tl.data_move(t, x[i * 16, 0])
        rows = every_second_row()
        t[next(rows)] = 0
        kept.append(rows)
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
