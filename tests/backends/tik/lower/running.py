"""Lowers a kernel, runs it in the emulator and in the strict executor, and compares."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.correctness import assert_correct, logical
from tilelang.arguments import allocate, physical_kinds
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.backends.tik import BACKEND as TIK
from tilelang.backends.tik.backend import TikExecutable
from tilelang.backends.tik.lower import lower_kernels
from tilelang.backends.tik.recorder import record_source
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.kernel import Kernel
from tilelang.machines import find_machine

Array = NDArray[Any]


def program_of(kernel: Kernel, machine: str = "ascend910", **keywords: Any) -> Program:
    return kernel.program(machine=machine, **keywords)


def inputs_of(program: Program, seed: int = 0) -> list[Array]:
    """Return physical inputs: floats of either sign near 1, small integers of either sign."""
    random = np.random.default_rng(seed)
    arrays: list[Array] = []
    for buffer in program.inputs:
        arrays.append(buffer.layout.pack(_values(buffer, random).astype(buffer.dtype.numpy)))
    return arrays


def _values(buffer: Buffer, random: np.random.Generator) -> Array:
    if buffer.dtype.is_integer:
        return random.integers(0, 200, buffer.shape).astype(np.uint8).view(np.int8)
    values = random.standard_normal(buffer.shape)
    if buffer.name == "var":
        return np.abs(values)
    # What float16 cannot hold saturates on these chips.
    return values * 0.001 if buffer.name == "scale" else values


def run(
    program: Program, machine: str, inputs: Sequence[Array]
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the results (logical) of the emulator and of the strict executor."""
    target = find_machine(machine)
    executable = TikExecutable(lower_kernels(program, target), program)
    for kernel in executable.kernels:
        lowered = kernel.program
        again = record_source(executable.source, lowered.name, soc=lowered.soc)
        assert repr(again) == repr(lowered), executable.source  # NaN is not equal to itself
    found, wanted = (allocate(physical_kinds(program.results), None) for _ in range(2))
    executable(*inputs, *found)
    NUMPY.compile(program, target)(*inputs, *wanted)
    return tuple(logical(program, found, results=True)), tuple(
        logical(program, wanted, results=True)
    )


def assert_agrees(kernel: Kernel, machine: str = "ascend910", **keywords: Any) -> None:
    """Fail unless script, recording and emulator agree, within the bound of the program."""
    program = program_of(kernel, machine, **keywords)
    inputs = inputs_of(program)
    found, _ = run(program, machine, inputs)
    assert_correct(program, logical(program, inputs, results=False), found, TIK.numerics)
