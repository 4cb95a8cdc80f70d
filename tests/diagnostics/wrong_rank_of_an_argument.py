"""An argument with too many dimensions."""

import numpy as np

from tilelang.kernels.gemm import gemm


def run() -> None:
    gemm(np.ones((1, 32, 64), np.float16), np.ones((64, 32), np.float16))
