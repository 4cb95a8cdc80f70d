"""What strictness costs: a GEMM on the numpy executor against a plain loop over the same tiles.

Run `python -m bench.numpy_gemm` from the root. Every contender runs in turn in one process, and
medians are compared; numpy's matrix product runs on one thread.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backend import Executable, find_backend
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

Array = NDArray[Any]

GOAL = 6.0
"""Strict, at most this many times the plain loop (issue 2)."""
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")}


@dataclass(frozen=True, slots=True)
class Problem:
    """Sizes of a square product and of its tiles, in elements."""

    size: int = 512
    m_tile: int = 128
    n_tile: int = 128
    k_tile: int = 64

    def inputs(self) -> tuple[Array, Array]:
        """Return random float16 operands."""
        random = np.random.default_rng(0)
        shape = (self.size, self.size)
        first, second = (random.standard_normal(shape) for _ in range(2))
        return first.astype(np.float16), second.astype(np.float16)

    def compile(self, *, strict: bool) -> Executable:
        """Return the shipped kernel for this problem."""
        program = gemm.program(
            dtype="float16",
            M=self.size,
            N=self.size,
            K=self.size,
            m_tile=self.m_tile,
            n_tile=self.n_tile,
            k_tile=self.k_tile,
        )
        return find_backend("numpy").compile(program, find_machine("host"), strict=strict)

    def plain(self, a: Array, b: Array, c: Array) -> None:
        """Fill `c` with `a @ b`, the same tiles in the same order, nothing checked."""
        for i in range(0, self.size, self.m_tile):
            for j in range(0, self.size, self.n_tile):
                target = c[i : i + self.m_tile, j : j + self.n_tile]
                acc = np.zeros(target.shape, np.float32)
                for k in range(0, self.size, self.k_tile):
                    a1 = a[i : i + self.m_tile, k : k + self.k_tile].astype(np.float32)
                    b1 = b[k : k + self.k_tile, j : j + self.n_tile].astype(np.float32)
                    acc += a1 @ b1
                target[...] = acc


def interleaved_medians(
    contenders: Mapping[str, Callable[[], None]], *, n_rounds: int
) -> Mapping[str, float]:
    """Return the median seconds of each, all run once a round; the first rounds do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_number in range(n_rounds + 3):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            if round_number >= 3:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in seconds.items()}


def measure(problem: Problem, *, n_rounds: int = 30) -> Mapping[str, float]:
    """Return the median seconds of the plain loop, of the strict executor, and of the other."""
    a, b = problem.inputs()
    c = np.empty((problem.size, problem.size), np.float32)
    strict, fast = problem.compile(strict=True), problem.compile(strict=False)
    contenders: dict[str, Callable[[], None]] = {
        "plain loop": lambda: problem.plain(a, b, c),
        "strict": lambda: strict(a, b, c),
        "strict=False": lambda: fast(a, b, c),
    }
    return interleaved_medians(contenders, n_rounds=n_rounds)


def main() -> None:
    """Print a table of times and ratios."""
    problems = (Problem(), Problem(k_tile=128), Problem(m_tile=64, n_tile=64), Problem(500))
    print(f"{'size':>5} {'tile':>12} {'contender':<13} {'time':>9} {'ratio':>6}   goal {GOAL:g}")
    for problem in problems:
        tile = f"{problem.m_tile}x{problem.n_tile}x{problem.k_tile}"
        seconds = measure(problem)
        for name, value in seconds.items():
            ratio = value / seconds["plain loop"]
            print(f"{problem.size:>5} {tile:>12} {name:<13} {value * 1e3:6.2f} ms {ratio:6.2f}")


if __name__ == "__main__":
    if os.environ.items() >= ONE_THREAD.items():
        main()
    else:  # BLAS reads these when it is loaded, which has happened
        command = [sys.executable, "-m", "bench.numpy_gemm"]
        os.execve(sys.executable, command, {**os.environ, **ONE_THREAD})
