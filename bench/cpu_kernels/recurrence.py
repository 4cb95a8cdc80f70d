"""Rows of lstm_cell at batch 128 against torch: its LSTM in float32, its cell in bfloat16."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.cpu_kernels.row import Row
from bench.cpu_kernels.turns import Run, find_torch, medians
from tilelang.backends.llvm import BACKEND
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.machines import find_machine

BATCH = 128
SIZES = (512, 1024)
GOALS = {"float16": 1.3, "float32": 1.3, "bfloat16": 1.2}
"""The ratio that is wanted, by what ours reads."""


def rows(quick: bool) -> Iterator[Row]:
    """Yield a step of every size and dtype, as wide inside as its input."""
    for size in SIZES[:1] if quick else SIZES:
        for dtype, goal in GOALS.items():
            runs = {"ours": _ours(size, dtype), **_torch(size, dtype)}
            times = medians(runs, 7 if quick else 21)
            own = times.pop("ours")
            name = f"lstm_cell {BATCH} by {size} {dtype}"
            peer = next(iter(times), "")
            yield Row(name, own, peer, times.get(peer, 0.0), goal)


def _ours(size: int, dtype: str) -> Run:
    program = lstm_cell.program(dtype=dtype, B=BATCH, I=size, H=size)
    run = BACKEND.compile(program, find_machine("host"), n_threads=1)
    rng = np.random.default_rng(0)
    inputs = [(rng.random(b.shape) - 0.5).astype(b.dtype.numpy) for b in program.inputs]
    results = [np.empty(b.shape, b.dtype.numpy) for b in program.results]
    return lambda: run(*inputs, *results)


def _torch(size: int, dtype: str) -> dict[str, Run]:
    """Return torch's step: an LSTM of one step, faster than its cell, where it has that dtype."""
    torch = find_torch()
    if torch is None:
        return {}
    kind: Any = torch.bfloat16 if dtype == "bfloat16" else torch.float32
    x, h, c = (torch.rand(BATCH, size).to(kind) for _ in range(3))
    if dtype == "bfloat16":
        cell = torch.nn.LSTMCell(size, size).to(kind)
        return {"torch cell bfloat16": lambda: cell(x, (h, c))}
    layer = torch.nn.LSTM(size, size)
    return {"torch LSTM float32": lambda: layer(x[None], (h[None], c[None]))}
