"""An attribute of an object, and a variable of an inner function, that a traced loop moves on."""

from types import SimpleNamespace

import tilelang as tl


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    state, n = SimpleNamespace(offset=0), 0

    def add(t: tl.Tensor) -> None:
        nonlocal n
        t += n
        n += 1

    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        for _ in tl.for_range(4):
            tl.data_move(t, x[state.offset, 0])
            state.offset += 16
            add(t)
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
