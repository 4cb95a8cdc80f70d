"""Lowers a kernel, runs it in the emulator and in the strict executor, and compares."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.arguments import allocate, physical_kinds
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.backends.tik.backend import TikExecutable
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record_source
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.kernel import Kernel
from tilelang.machines import find_machine

Array = NDArray[Any]

ULP = {"float16": 2.0**-10, "float32": 2.0**-22}
"""What results of a few operations may differ by, of their size; sums get more."""


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
    lowered = lower_program(program, target)
    text = emit(lowered, comments=True)
    assert record_source(text, lowered.name, soc=lowered.soc) == lowered, text
    found, wanted = (allocate(physical_kinds(program.results), None) for _ in range(2))
    TikExecutable(lowered)(*inputs, *found)
    NUMPY.compile(program, target)(*inputs, *wanted)
    return _logical(program, found), _logical(program, wanted)


def _logical(program: Program, arrays: Sequence[Array]) -> tuple[Array, ...]:
    pairs = zip(program.results, arrays, strict=True)
    return tuple(buffer.layout.unpack(array, buffer.shape) for buffer, array in pairs)


def assert_agrees(
    kernel: Kernel, machine: str = "ascend910", *, slack: float = 1.0, **keywords: Any
) -> None:
    """Fail unless script, recording, emulator and strict executor agree about `kernel`."""
    program = program_of(kernel, machine, **keywords)
    for found, wanted in zip(*run(program, machine, inputs_of(program)), strict=True):
        assert_close(found, wanted, slack)


def assert_close(found: Array, wanted: Array, slack: float = 1.0) -> None:
    if found.dtype.kind in "iu":
        np.testing.assert_array_equal(found, wanted)
        return
    ulp = slack * ULP[found.dtype.name]
    finite = np.abs(wanted[np.isfinite(wanted)].astype(np.float64))
    scale = max(float(np.max(finite, initial=0)), 1e-30)
    np.testing.assert_allclose(
        found.astype(np.float64), wanted.astype(np.float64), rtol=2 * ulp, atol=ulp * scale
    )
