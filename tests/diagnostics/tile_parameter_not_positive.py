"""Tile parameters that are not positive ints."""

import numpy as np

from tilelang.kernels.gemm import gemm


def run() -> None:
    x = np.ones((32, 32), np.float16)
    gemm(x, x, m_tile=0, k_tile=16.0)
