"""Rows of linear against our own GEMM of the same sizes: what bias and activation cost.

Weights are scaled as layers start with them, so that sums are about 1. Sums of 22, which unscaled
ones make of K = 512, meet numbers below 1e-38 in GELU, which divisions and products take 60 cycles
for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from bench.cpu_kernels.row import Row
from bench.cpu_kernels.turns import Run, medians
from tilelang.backends.llvm import BACKEND
from tilelang.kernel import Kernel
from tilelang.kernels.gemm import gemm
from tilelang.kernels.linear import Activation, linear
from tilelang.machines import find_machine

SIZES = ((512, 512, 512), (1024, 1024, 1024), (128, 1024, 1024), (128, 3072, 768))
DTYPES = ("float32", "float16", "bfloat16")
GOAL = 0.97
"""Of our GEMM's speed on row-major weights."""
_TURN = "turning weights round takes 15 us for 512 by 512, however few the rows"
REASONS: Mapping[Activation, str] = {
    Activation.NONE: _TURN,
    Activation.RELU: _TURN,
    Activation.GELU: "27 vector instructions for 16 sums (bfloat16: 34), one waiting for "
    "the other: 12 cycles (17), where K = 512 takes 256 (128)",
}
"""Why an activation misses the goal, where it does."""


def rows(quick: bool) -> Iterator[Row]:
    """Yield every size, dtype and activation; gemm is the peer, in the same run."""
    for dtype in DTYPES:
        for m, n, k in SIZES[:1] if quick else SIZES:
            sizes = {"M": m, "N": n, "K": k, "dtype": dtype}
            runs = {kind.name: _ours(linear, activation=kind, **sizes) for kind in Activation}
            times = medians({**runs, "gemm": _ours(gemm, **sizes)}, 7 if quick else 21)
            for kind in Activation:
                name = f"linear {m}x{n}x{k} {kind.name} {dtype}"
                row = Row(name, times[kind.name], "our gemm", times["gemm"], GOAL)
                yield replace(row, note=REASONS[kind]) if row.is_short else row


def _ours(kernel: Kernel, **keywords: Any) -> Run:
    program = kernel.program(**keywords)
    run = BACKEND.compile(program, find_machine("host"), n_threads=1)
    rng = np.random.default_rng(0)
    inputs = [
        (rng.standard_normal(b.shape) / sqrt(b.shape[-1])).astype(b.dtype.numpy)
        if b.name in ("w", "b")
        else rng.standard_normal(b.shape).astype(b.dtype.numpy)
        for b in program.inputs
    ]
    results = [np.empty(b.shape, b.dtype.numpy) for b in program.results]
    return lambda: run(*inputs, *results)
