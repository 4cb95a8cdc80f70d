"""Running one program on both backends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.llvm import BACKEND as LLVM
from tilelang.backends.llvm import LlvmExecutable
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.machines import find_machine

Array = NDArray[Any]


def compiled(program: Program, **options: object) -> LlvmExecutable:
    """Return `program` as machine code."""
    return LLVM.compile(program, find_machine("host"), **options)


def results_of(program: Program, inputs: Sequence[Array], **options: object) -> list[Array]:
    """Return what the llvm backend makes of physical arrays."""
    results = _results(program)
    compiled(program, **options)(*inputs, *results)
    return results


def expected_of(program: Program, inputs: Sequence[Array]) -> list[Array]:
    """Return what the numpy backend makes of physical arrays."""
    results = _results(program)
    NUMPY.compile(program, find_machine("host"), strict=False)(*inputs, *results)
    return results


def small_integers(buffers: Sequence[Buffer], seed: int) -> list[Array]:
    """Return physical arrays of numbers so small that no sum of products rounds."""
    rng = np.random.default_rng(seed)
    return [
        np.ascontiguousarray(
            buffer.layout.pack(rng.integers(-3, 4, buffer.shape).astype(buffer.dtype.numpy))
        )
        for buffer in buffers
    ]


def assert_same(found: Array, wanted: Array) -> None:
    """Check that two arrays hold the same numbers, NaN in the same places."""
    kept = np.float32 if wanted.dtype.kind not in "iu" else wanted.dtype  # numpy has no bfloat16
    np.testing.assert_array_equal(found.astype(kept), wanted.astype(kept))


def _results(program: Program) -> list[Array]:
    return [
        np.full(buffer.layout.physical_shape(buffer.shape), 5, buffer.dtype.numpy)
        for buffer in program.results
    ]
