"""What a call of the llvm backend costs beside its kernel, and what it takes to make a kernel.

    python -m bench.cpu_calls [--quick] [--write]

Calls are of a kernel that computes next to nothing: all that they take is the cost of a call. A
product is made in fresh processes, with an empty cache, then with what that left on disk. Printed
are medians; `--write` puts them in a section of bench/RESULTS.md.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import TypeAlias

import ml_dtypes
import numpy as np

import tilelang as tl
from bench.cpu_gemm import DTYPES
from bench.results import RESULTS, conditions, publish
from tilelang.backends.llvm import BACKEND
from tilelang.backends.llvm.runtime.cache import CACHE_VARIABLE
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine

Size: TypeAlias = tuple[int, int, int]

SIZES = ((16, 1024, 256), (512, 512, 512), (1000, 1003, 997), (4096, 4096, 4096))
"""What products are made for: M, N, K."""
CALLED = ("float32", "bfloat16", "int8")
_TILE = 16
_N_CALLS = 100
"""In a sample."""
_CALL_GOAL, _LOAD_GOAL, _MAKE_GOAL = 5e-6, 5e-3, 0.2


def main() -> None:
    """Measure both tables, print them, and write them if asked to."""
    parser = ArgumentParser(prog="python -m bench.cpu_calls", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and processes")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--make", metavar="CASE", help="make one kernel and say how long it took")
    options = parser.parse_args()
    if options.make:
        dtype, size = json.loads(options.make)
        print(json.dumps(_make(dtype, size)))
        return
    publish("Calls on this CPU", lines(quick=options.quick), write=options.write)


def lines(*, quick: bool) -> Iterator[str]:
    """Yield the lines of the section as they are measured."""
    yield from conditions(f"python -m bench.cpu_calls{' --quick' * quick} --write")
    yield ""
    yield f"A call beside its kernel, us ({_CALL_GOAL * 1e6:.0f} wanted at most):"
    yield ""
    yield from (f"| | {' | '.join(CALLED)} |", "|---|---|---|---|")
    costs = [_call_costs(dtype, 50 if quick else 400) for dtype in CALLED]
    for name in costs[0]:
        yield f"| {name} | {' | '.join(f'{1e6 * cost[name]:.1f}' for cost in costs)} |"
    yield ""
    yield f"A product in a fresh process, ms: traced; traced and made ({_MAKE_GOAL * 1e3:.0f} at"
    yield f"most wanted); loaded from disk instead of made ({_LOAD_GOAL * 1e3:.0f} at most)."
    yield ""
    yield from ("| dtype | M x N x K | traced | made | loaded |", "|---|---|---|---|---|")
    for dtype in DTYPES:
        for size in SIZES:
            traced, new, loaded = (1e3 * it for it in _making_costs(dtype, size, 1 if quick else 5))
            sizes = "x".join(map(str, size))
            yield f"| {dtype} | {sizes} | {traced:.1f} | {traced + new:.0f} | {loaded:.1f} |"


def _call_costs(dtype: str, n_rounds: int) -> dict[str, float]:
    """Return the seconds of each way to call a kernel that computes next to nothing."""
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    x, y, z = (np.zeros(2 * _TILE, kind) for _ in range(3))
    program = add.program(N=2 * _TILE, dtype=dtype)
    run = BACKEND.compile(program, find_machine("host"), n_threads=1)
    calls: dict[str, Callable[[], object]] = {
        "a compiled program": lambda: run(x, y, z),
        "a kernel": lambda: add(x, y, backend="llvm", n_threads=1),
        "a kernel with out=": lambda: add(x, y, backend="llvm", n_threads=1, out=z),
        "a kernel on two threads": lambda: add(x, y, backend="llvm", n_threads=2),
        "a kernel on two threads with out=": lambda: add(x, y, backend="llvm", n_threads=2, out=z),
    }
    return {name: _by_the_clock(call, n_rounds) for name, call in calls.items()}


def _by_the_clock(call: Callable[[], object], n_rounds: int) -> float:
    """Return the median seconds of a call; the processor's time would count idle workers too."""
    call()
    samples: list[float] = []
    for _ in range(n_rounds):
        start = time.perf_counter()
        for _ in range(_N_CALLS):
            call()
        samples.append((time.perf_counter() - start) / _N_CALLS)
    return statistics.median(samples)


@tl.kernel("x[N]: T, y[N]: T -> z[N]: T")
def add(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
    """Add a few numbers, in two cores."""
    for i in tl.cores(tl.ceildiv(x.shape[0], _TILE)):
        left, right = tl.alloc_ub((_TILE,), x.dtype), tl.alloc_ub((_TILE,), x.dtype)
        tl.data_move(left, x[i * _TILE])
        tl.data_move(right, y[i * _TILE])
        left[:] = left + right
        tl.data_move(z[i * _TILE], left)


def _making_costs(dtype: str, size: Size, n_processes: int) -> tuple[float, float, float]:
    """Return the seconds to trace a product, to make its machine code, and to load that instead."""
    traced: list[float] = []
    made: list[float] = []
    loaded: list[float] = []
    for _ in range(n_processes):
        with tempfile.TemporaryDirectory() as folder:
            for taken in (made, loaded):
                tracing, compiling = in_process(dtype, size, folder)
                traced.append(tracing)
                taken.append(compiling)
    return statistics.median(traced), statistics.median(made), statistics.median(loaded)


def in_process(dtype: str, size: Size, folder: str) -> tuple[float, float]:
    """Return the seconds to trace and to compile in a fresh process with this cache."""
    command = [sys.executable, "-m", "bench.cpu_calls", "--make", json.dumps([dtype, size])]
    environment = {**os.environ, CACHE_VARIABLE: folder}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    tracing, compiling = json.loads(answer.stdout)
    return tracing, compiling


def _make(dtype: str, size: Size) -> tuple[float, float]:
    m, n, k = size
    start = time.perf_counter()
    program = gemm.program(dtype=dtype, M=m, N=n, K=k)
    traced = time.perf_counter()
    BACKEND.compile(program, find_machine("host"))
    return traced - start, time.perf_counter() - traced


if __name__ == "__main__":
    main()
