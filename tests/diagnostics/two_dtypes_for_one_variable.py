"""Two arguments that give one dtype variable two types."""

import numpy as np

from tilelang.kernels.gemm import gemm


def run() -> None:
    gemm(np.ones((32, 64), np.float32), np.ones((64, 32), np.float16))
