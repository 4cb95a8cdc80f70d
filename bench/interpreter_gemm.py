"""How the strict numpy executor compares with Triton's interpreter on the same GEMM and tiles.

Run `python -m bench.interpreter_gemm` from the root, with triton installed. Both run in turn in one
process and medians are compared; numpy's matrix product runs on one thread. The Triton kernel is
its pointer form with masks, as a user would write it.
"""

# pyright: basic, reportMissingImports=false, reportCallIssue=false

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.numpy_gemm import ONE_THREAD, Problem, interleaved_medians

GOAL = 5.0
"""Triton's interpreter takes at least this many times as long (issue 2)."""
ENVIRONMENT = {**ONE_THREAD, "TRITON_INTERPRET": "1"}


class _Storage:
    """The part of a torch storage that the interpreter asks for, over a numpy array."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def data_ptr(self) -> int:
        return self._array.ctypes.data

    def cpu(self) -> "_Storage":
        return self

    def copy_(self, _: "_Storage") -> "_Storage":
        return self


class _Argument:
    """A numpy array with the methods of a torch tensor that the interpreter calls."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array, self.dtype, self.shape = array, array.dtype, array.shape

    def data_ptr(self) -> int:
        return self.array.ctypes.data

    def untyped_storage(self) -> _Storage:
        return _Storage(self.array)

    def new_empty(self, *_: object, **__: object) -> "_Argument":
        return _Argument(self.array)

    def set_(self, *_: object) -> "_Argument":
        return self

    def storage_offset(self) -> int:
        return 0

    def size(self) -> tuple[int, ...]:
        return self.array.shape

    def stride(self) -> tuple[int, ...]:
        return tuple(step // self.array.itemsize for step in self.array.strides)


def interpreted(problem: Problem, a: NDArray[Any], b: NDArray[Any], c: NDArray[Any]) -> Any:
    """Return the call that fills `c` with `a @ b` in Triton's interpreter."""
    import triton
    import triton.language as tl

    @triton.jit
    def matmul(  # noqa: PLR0913 - Triton takes sizes and tiles one by one
        a, b, c, size, M_TILE: tl.constexpr, N_TILE: tl.constexpr, K_TILE: tl.constexpr
    ):
        rows = tl.program_id(0) * M_TILE + tl.arange(0, M_TILE)
        columns = tl.program_id(1) * N_TILE + tl.arange(0, N_TILE)
        acc = tl.zeros((M_TILE, N_TILE), dtype=tl.float32)
        for start in range(0, size, K_TILE):
            k = start + tl.arange(0, K_TILE)
            a_mask = (rows[:, None] < size) & (k[None, :] < size)
            b_mask = (k[:, None] < size) & (columns[None, :] < size)
            a_tile = tl.load(a + rows[:, None] * size + k[None, :], a_mask, other=0.0)
            b_tile = tl.load(b + k[:, None] * size + columns[None, :], b_mask, other=0.0)
            acc += tl.dot(a_tile, b_tile)
        mask = (rows[:, None] < size) & (columns[None, :] < size)
        tl.store(c + rows[:, None] * size + columns[None, :], acc, mask)

    grid = tuple(-(-problem.size // tile) for tile in (problem.m_tile, problem.n_tile))
    arguments = [_Argument(array) for array in (a, b, c)]
    tiles = (problem.m_tile, problem.n_tile, problem.k_tile)
    return lambda: matmul[grid](*arguments, problem.size, *tiles)


def main() -> None:
    """Print both times and their ratio."""
    problem = Problem()
    a, b = problem.inputs()
    c, theirs = (np.zeros((problem.size, problem.size), np.float32) for _ in range(2))
    strict = problem.compile(strict=True)
    seconds = interleaved_medians(
        {"strict": lambda: strict(a, b, c), "triton": interpreted(problem, a, b, theirs)},
        n_rounds=10,
    )
    assert np.abs(c - theirs).max() <= 1e-3 * np.abs(c).max(), "the two results differ"
    ratio = seconds["triton"] / seconds["strict"]
    print(f"GEMM {problem.size}^3 float16, tiles 128x128x64")
    print(f"  numpy backend, strict   {seconds['strict'] * 1e3:8.2f} ms")
    print(f"  Triton's interpreter    {seconds['triton'] * 1e3:8.2f} ms")
    print(f"  ratio                   {ratio:8.1f}      goal {GOAL:g}")


if __name__ == "__main__":
    if os.environ.items() >= ENVIRONMENT.items():
        main()
    else:  # Triton and BLAS read these when they are loaded
        command = [sys.executable, "-m", "bench.interpreter_gemm"]
        os.execve(sys.executable, command, {**os.environ, **ENVIRONMENT})
