"""A signature with a missing bracket."""

import tilelang as tl


def run() -> None:
    tl.kernel("x[M, N: T -> y[M, N]: T")(print)
