"""Rows of softmax, layer_norm and batch_norm against torch in the same dtype."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cpu_kernels.row import Row
from bench.cpu_kernels.turns import Run, find_torch, medians
from tilelang.backends.llvm import BACKEND
from tilelang.kernel import Kernel
from tilelang.kernels.batch_norm import batch_norm, batch_norm_training
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.softmax import softmax
from tilelang.machines import find_machine

MATRICES = ((1024, 1024), (4096, 768), (128, 32000), (1000, 1003))
MAPS = ((8, 64, 56, 56), (32, 256, 14, 14), (32, 512, 7, 7))
DTYPES = ("float32", "float16")
GOAL = 1.0
"""Of every row: torch's speed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A kernel on x of a shape; channels and statistics of maps are float32."""

    kernel: Kernel
    shape: tuple[int, ...]
    dtype: str

    @property
    def name(self) -> str:
        """The case as the table has it."""
        return f"{self.kernel.name} {'x'.join(map(str, self.shape))} {self.dtype}"


def cases() -> Iterator[Case]:
    """Yield what is measured, in the order of the table."""
    for dtype in DTYPES:
        for kernel in (softmax, layer_norm):
            yield from (Case(kernel, shape, dtype) for shape in MATRICES)
        for kernel in (batch_norm, batch_norm_training):
            yield from (Case(kernel, shape, dtype) for shape in MAPS)


def rows(quick: bool) -> Iterator[Row]:
    """Yield every case; the quick ones are the first shape of each kernel."""
    n_rounds = 7 if quick else 41
    for case in cases():
        if not quick or case.shape in (MATRICES[0], MAPS[0]):
            yield _row(case, n_rounds)


def _row(case: Case, n_rounds: int) -> Row:
    program = case.kernel.program(**_sizes(case))
    run = BACKEND.compile(program, find_machine("host"), n_threads=1)
    rng = np.random.default_rng(0)
    inputs = [(rng.random(b.shape) + 0.5).astype(b.dtype.numpy) for b in program.inputs]
    results = [np.empty(b.shape, b.dtype.numpy) for b in program.results]
    runs: dict[str, Run] = {"ours": lambda: run(*inputs, *results)}
    if peer := _torch(case, inputs):
        runs["torch"] = peer
    times = medians(runs, n_rounds)
    if "torch" not in times:
        return Row(case.name, times["ours"], goal=GOAL)
    return Row(case.name, times["ours"], "torch", times["torch"], GOAL)


def _sizes(case: Case) -> dict[str, Any]:
    names = "MN" if len(case.shape) == 2 else "NCHW"
    sizes: dict[str, Any] = dict(zip(names, case.shape, strict=True))
    own = {"T": case.dtype} if names == "MN" else {"T": case.dtype, "P": "float32"}
    return {**sizes, "dtype": own}


def _torch(case: Case, inputs: list[NDArray[Any]]) -> Run | None:
    """Return what torch calls the same, on the same numbers."""
    torch = find_torch()
    if torch is None:
        return None
    functional = torch.nn.functional
    x, *others = map(torch.from_numpy, inputs)
    calls: dict[str, Callable[[], object]] = {
        "softmax": lambda: torch.softmax(x, -1),
        "layer_norm": lambda: functional.layer_norm(x, x.shape[1:], *others),
        "batch_norm": lambda: functional.batch_norm(x, *others[2:], *others[:2]),
        "batch_norm_training": lambda: functional.batch_norm(x, None, None, *others, True),
    }
    return calls[case.kernel.name]
