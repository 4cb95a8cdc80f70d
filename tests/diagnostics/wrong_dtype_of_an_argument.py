"""An argument in float64."""

import numpy as np

from tilelang.kernels.gemm import gemm


def run() -> None:
    gemm(np.ones((32, 64)), np.ones((64, 32), np.float16))
