"""A machine with a slip of the pen."""

import numpy as np

from tilelang.kernels.gemm import gemm


def run() -> None:
    x = np.ones((32, 32), np.float16)
    gemm(x, x, machine="ascent910")
