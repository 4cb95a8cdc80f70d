"""Element-wise tiles of the llvm backend against numpy, on one thread.

    python -m bench.cpu_elementwise [--quick]

Tiles of 64 K elements, which stay in a second-level cache. One call of ours goes through a tile
eight times, so that what is measured is the tile; numpy writes into arrays that exist. Both take
turns; printed are medians in 1e9 elements a second and their ratio. What a call costs beside its
kernel is measured last.
"""

import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.backends.llvm import BACKEND, LlvmExecutable
from tilelang.machines import find_machine

Array = NDArray[Any]

ROWS, COLUMNS, REPEATS = 16, 4096, 8


def _double(x: Any) -> Any:
    return x + x


def _sigmoid(x: Array, out: Array) -> Array:
    """Set `out` to the sigmoid of `x` in four passes, as numpy has it."""
    np.exp(np.negative(x, out), out)
    return np.divide(1, np.add(out, 1, out), out)


OPERATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Array, Array], Array], str, float]] = {
    "exp float32": (tl.exp, np.exp, "float32", 3),
    "sigmoid float32": (tl.sigmoid, _sigmoid, "float32", 3),
    "tanh float32": (tl.tanh, np.tanh, "float32", 1.2),
    "ln float32": (tl.ln, np.log, "float32", 0),
    "add float32": (_double, lambda x, out: np.add(x, x, out), "float32", 0),
    "exp float16": (tl.exp, np.exp, "float16", 0),
    "tanh float16": (tl.tanh, np.tanh, "float16", 0),
    "add float16": (_double, lambda x, out: np.add(x, x, out), "float16", 20),
    "relu float16": (tl.relu, lambda x, out: np.maximum(x, np.float16(0), out=out), "float16", 0),
}
"""Ours, numpy's, the dtype, and the ratio that is wanted at least (0: none)."""


def compiled(operation: Callable[[Any], Any], dtype: str) -> LlvmExecutable:
    """Return the program that applies an operation to one tile."""

    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def apply(x: tl.Tensor, y: tl.Tensor) -> None:
        for _ in tl.for_range(REPEATS):
            before = tl.alloc_ub((ROWS, COLUMNS), x.dtype)
            after = tl.alloc_ub((ROWS, COLUMNS), x.dtype)
            tl.data_move(before, x)
            after[:] = operation(before)
            tl.data_move(y, after)

    program = apply.program(M=ROWS, N=COLUMNS, dtype=dtype)
    return BACKEND.compile(program, find_machine("host"), n_threads=1)


def main() -> None:
    """Measure every operation and print the table."""
    parser = ArgumentParser(prog="python -m bench.cpu_elementwise", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    n_rounds = 15 if parser.parse_args().quick else 101
    print("| operation | ours | numpy | ours / numpy | wanted |", "|---|---|---|---|---|", sep="\n")
    for name, (operation, reference, dtype, wanted) in OPERATIONS.items():
        x = (np.random.default_rng(0).random((ROWS, COLUMNS)) + 0.5).astype(dtype)
        out, run = np.empty_like(x), compiled(operation, dtype)
        own, other = _medians(partial(run, x, out), partial(reference, x, out), n_rounds)
        own /= REPEATS
        rates = f"{x.size / own / 1e9:.2f} | {x.size / other / 1e9:.2f} | {other / own:.2f}"
        print(f"| {name} | {rates} | {wanted or ''} |", flush=True)
    print(f"\na call costs {1e6 * _call_cost():.1f} us beside its kernel")


def _medians(
    first: Callable[[], object], second: Callable[[], object], n_rounds: int
) -> tuple[float, float]:
    """Return the median seconds of both, which take turns."""
    samples: tuple[list[float], list[float]] = [], []
    for _ in range(n_rounds):
        for run, taken in zip((first, second), samples, strict=True):
            start = time.perf_counter()
            for _ in range(10):
                run()
            taken.append((time.perf_counter() - start) / 10)
    return statistics.median(samples[0]), statistics.median(samples[1])


def _call_cost() -> float:
    """Return the seconds of a call on three arrays that computes next to nothing."""

    @tl.kernel("x[N]: float32, y[N]: float32 -> z[N]: float32")
    def add(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
        left, right = tl.alloc_ub((16,), x.dtype), tl.alloc_ub((16,), x.dtype)
        tl.data_move(left, x)
        tl.data_move(right, y)
        left[:] = left + right
        tl.data_move(z, left)

    run = BACKEND.compile(add.program(N=16), find_machine("host"), n_threads=1)
    arrays = [np.zeros(16, np.float32) for _ in range(3)]
    samples: list[float] = []
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(100):
            run(*arrays)
        samples.append((time.perf_counter() - start) / 100)
    return statistics.median(samples)


if __name__ == "__main__":
    main()
