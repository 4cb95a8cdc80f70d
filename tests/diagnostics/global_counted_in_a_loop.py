"""A global that is counted up in a traced loop, once by the kernel and once by what it calls."""

import tilelang as tl

OFFSET = 0
STEPS = {"n": 0}


def step(t: tl.Tensor) -> None:
    t += STEPS["n"]
    STEPS["n"] += 1


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def wrong(x: tl.Tensor, y: tl.Tensor) -> None:
    global OFFSET
    for i in tl.cores(4):
        t = tl.alloc_ub((16, 64), x.dtype)
        for _ in tl.for_range(4):
            tl.data_move(t, x[OFFSET, 0])
            OFFSET += 16
            step(t)
        tl.data_move(y[i * 16, 0], t)


def run() -> None:
    wrong.program(M=64, N=64, dtype="float16")
