"""One run of a program on a backend, on arrays between poisoned margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.backend import Executable, find_backend
from tilelang.check.fuzz.margins import guarded
from tilelang.check.procedure import start
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A program, the backend and the machine that run it, and logical inputs."""

    program: Program
    backend: str
    machine: str
    inputs: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The backend cannot express the program."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the backend did wrong, as what follows its name; `error` is what it raised."""

    text: str
    error: TileError | None = None


Outcome: TypeAlias = tuple[Array, ...] | Refusal | Mistake
"""Logical results, or why there are none."""


def execute(job: Job) -> Outcome:
    """Compile and run `job`; what a backend raises but a `TileError` is let through."""
    try:
        executable = start(job.program, find_backend(job.backend), job.machine).executable
    except TileError as error:
        return Refusal(str(error))
    try:
        return _run(job, executable)
    except TileError as error:
        first = error.diagnostics[0]
        return Mistake(f"raises {first.code}: {first.message}", error)


def _run(job: Job, executable: Executable) -> Outcome:
    program = job.program
    inputs = [
        guarded(buffer.layout.pack(array))
        for buffer, array in zip(program.inputs, job.inputs, strict=True)
    ]
    results = [
        guarded(np.zeros(buffer.layout.physical_shape(buffer.shape), buffer.dtype.numpy))
        for buffer in program.results
    ]
    for result in results:
        result.poison()
    executable(*(one.array for one in (*inputs, *results)))
    for buffer, one in zip((*program.inputs, *program.results), (*inputs, *results), strict=True):
        if not one.is_intact:
            return Mistake(f"writes outside the array of `{buffer.name}`")
    return tuple(
        np.ascontiguousarray(buffer.layout.unpack(one.array, buffer.shape))
        for buffer, one in zip(program.results, results, strict=True)
    )
