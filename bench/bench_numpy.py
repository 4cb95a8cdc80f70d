"""The numpy executor: `OPENBLAS_NUM_THREADS=1 pytest bench/bench_numpy.py`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from bench.numpy_gemm import GOAL, Problem, measure
from tilelang.kernels.softmax import softmax

Array = NDArray[Any]

PROBLEM = Problem()


def test_a_gemm_by_a_plain_loop(benchmark: BenchmarkFixture):
    """Time the loop that others are compared with."""
    c = np.empty((PROBLEM.size, PROBLEM.size), np.float32)
    benchmark(PROBLEM.plain, *PROBLEM.inputs(), c)


@pytest.mark.parametrize("strict", [True, False])
def test_a_gemm(benchmark: BenchmarkFixture, strict: bool):
    """Time the shipped kernel."""
    c = np.empty((PROBLEM.size, PROBLEM.size), np.float32)
    benchmark(PROBLEM.compile(strict=strict), *PROBLEM.inputs(), c)


def test_compiling_a_gemm(benchmark: BenchmarkFixture):
    """Time tracing, verifying and lowering."""
    benchmark(PROBLEM.compile, strict=True)


@pytest.mark.parametrize("strict", [True, False])
def test_vector_work_with_overhang(benchmark: BenchmarkFixture, strict: bool):
    """Time a kernel of maps and reductions, where every tile has padding."""
    x = np.random.default_rng(0).standard_normal((500, 1000)).astype(np.float32)
    benchmark(softmax, x, strict=strict)


def test_strictness_keeps_the_goal():
    """Compare medians of interleaved runs."""
    seconds: Mapping[str, float] = measure(PROBLEM)
    assert seconds["strict"] <= GOAL * seconds["plain loop"]
