"""Tiles that do not fit the memories of the chip."""

from tilelang.kernels.gemm import gemm


def run() -> None:
    gemm.program(
        M=4096,
        N=4096,
        K=4096,
        m_tile=512,
        n_tile=512,
        k_tile=512,
        dtype="float16",
        machine="ascend910",
    )
