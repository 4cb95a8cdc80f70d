# pyright: basic, reportMissingImports=false
# A kernel of Triton is not typed Python, and Triton is an optional package.
"""The matrix product of Triton's tutorial 03, as a mark to be measured against (MIT licence).

https://triton-lang.org/main/getting-started/tutorials/03-matrix-multiplication.html: pointers that
are bumped, indices that wrap, tiles in groups of eight rows, and the CUDA configurations it tunes.
"""

import triton
import triton.language as tl

CONFIGURATIONS = [
    triton.Config({"BM": bm, "BN": bn, "BK": bk, "GROUP": 8}, num_stages=stages, num_warps=warps)
    for bm, bn, bk, stages, warps in (
        (128, 256, 64, 3, 8),
        (64, 256, 32, 4, 4),
        (128, 128, 32, 4, 4),
        (128, 64, 32, 4, 4),
        (64, 128, 32, 4, 4),
        (128, 32, 32, 4, 4),
        (64, 32, 32, 5, 2),
        (128, 256, 128, 3, 8),
        (128, 128, 128, 4, 4),
        (64, 256, 128, 4, 4),
    )
]


@triton.autotune(configs=CONFIGURATIONS, key=["M", "N", "K"])
@triton.jit
def matmul_kernel(  # noqa: PLR0913 - Triton takes sizes and strides one by one
    a,
    b,
    c,
    M,
    N,
    K,
    stride_am,
    stride_bk,
    stride_cm,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    GROUP: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Multiply row-major a [M, K] by b [K, N]."""
    pid = tl.program_id(axis=0)
    n_rows, n_columns = tl.cdiv(M, BM), tl.cdiv(N, BN)
    in_group = GROUP * n_columns
    first = pid // in_group * GROUP
    group = min(n_rows - first, GROUP)
    row = first + (pid % in_group) % group
    column = (pid % in_group) // group
    rows = (row * BM + tl.arange(0, BM)) % M
    columns = (column * BN + tl.arange(0, BN)) % N
    steps = tl.arange(0, BK)
    a_pointers = a + (rows[:, None] * stride_am + steps[None, :])
    b_pointers = b + (steps[:, None] * stride_bk + columns[None, :])
    acc = tl.zeros((BM, BN), dtype=tl.float32 if c.dtype.element_ty != tl.int32 else tl.int32)
    for k in range(0, tl.cdiv(K, BK)):
        left = tl.load(a_pointers, mask=steps[None, :] < K - k * BK, other=0)
        right = tl.load(b_pointers, mask=steps[:, None] < K - k * BK, other=0)
        acc = tl.dot(left, right, acc, input_precision=PRECISION, out_dtype=acc.dtype)
        a_pointers += BK
        b_pointers += BK * stride_bk
    out_rows = row * BM + tl.arange(0, BM)
    out_columns = column * BN + tl.arange(0, BN)
    pointers = c + stride_cm * out_rows[:, None] + out_columns[None, :]
    inside = (out_rows[:, None] < M) & (out_columns[None, :] < N)
    tl.store(pointers, acc.to(c.dtype.element_ty), mask=inside)


def matmul(a, b, c, precision):
    """Set c = a @ b; `precision` is that of float32 products, "ieee" or "tf32"."""
    (M, K), N = a.shape, b.shape[1]

    def grid(meta):
        return (triton.cdiv(M, meta["BM"]) * triton.cdiv(N, meta["BN"]),)

    strides = (a.stride(0), b.stride(0), c.stride(0))
    matmul_kernel[grid](a, b, c, M, N, K, *strides, PRECISION=precision)
