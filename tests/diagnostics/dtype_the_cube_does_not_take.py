"""float32 on a cube that multiplies float16."""

from tilelang.kernels.gemm import gemm


def run() -> None:
    gemm.program(M=64, N=64, K=64, dtype="float32", machine="ascend910")
