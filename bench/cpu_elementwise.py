"""Element-wise tiles of the llvm backend against numpy, on one thread.

    python -m bench.cpu_elementwise [--quick] [--write]

Tiles of 64 K elements, which stay in a second-level cache. One call of ours goes through a tile
eight times, so that what is measured is the tile; numpy writes into arrays that exist. Both take
turns, by the processor's time; printed are medians in 1e9 elements a second and their ratio.
`--write` puts the table in a section of bench/RESULTS.md.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from bench.cpu_kernels.turns import medians
from bench.results import RESULTS, conditions, publish
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
    """Measure every operation, print the table, and write it if asked to."""
    parser = ArgumentParser(prog="python -m bench.cpu_elementwise", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    publish("Element-wise tiles, 1 thread", lines(quick=options.quick), write=options.write)


def lines(*, quick: bool) -> Iterator[str]:
    """Yield the lines of the section as they are measured."""
    yield from conditions(f"python -m bench.cpu_elementwise{' --quick' * quick} --write")
    yield f"Medians in 1e9 elements a second, of tiles of {ROWS * COLUMNS} elements."
    yield ""
    yield from ("| operation | ours | numpy | ours / numpy | wanted |", "|---|---|---|---|---|")
    for name, (operation, reference, dtype, wanted) in OPERATIONS.items():
        x = (np.random.default_rng(0).random((ROWS, COLUMNS)) + 0.5).astype(dtype)
        out, run = np.empty_like(x), compiled(operation, dtype)
        times = medians(
            {"ours": partial(run, x, out), "numpy": partial(reference, x, out)},
            15 if quick else 101,
        )
        own, other = times["ours"] / REPEATS, times["numpy"]
        rates = f"{x.size / own / 1e9:.2f} | {x.size / other / 1e9:.2f} | {other / own:.2f}"
        yield f"| {name} | {rates} | {wanted or ''} |"


if __name__ == "__main__":
    main()
