"""Runs generated code in Triton's interpreter, many programs in one process."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.correctness import logical
from tilelang.backends.triton.compiler import Generated, generate
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.processes import ask, interpret_job, is_installed, read_results
from tilelang.check.inputs import meant
from tilelang.ir.nodes import Program
from tilelang.kernel import Kernel
from tilelang.machines import find_machine

Array = NDArray[Any]

needs_triton = pytest.mark.skipif(
    not is_installed(), reason="triton is not installed (pip install 'tilelang-tik[triton]')"
)
SM90 = find_machine("sm90")


@dataclass(frozen=True)
class Case:
    """A kernel at some sizes, in a dtype, with options of the backend."""

    kernel: Kernel
    dtype: str
    sizes: Mapping[str, int]
    options: Options = field(default_factory=lambda: Options(interpreter=True))

    def __str__(self) -> str:
        sizes = ",".join(f"{name}={size}" for name, size in self.sizes.items())
        form = "" if self.options.descriptors else "-pointers"
        return f"{self.kernel.name}-{self.dtype}-{sizes}{form}"

    def program(self) -> Program:
        return self.kernel.program(dtype=self.dtype, machine="sm90", **self.sizes)

    def inputs(self) -> list[Array]:
        """Return logical arrays that the kernel is meant for: floats in -1 .. 1, all integers."""
        program = self.program()
        drawn = logical(program, random_inputs(program, seed=3), results=False)
        return list(meant(self.kernel, program, drawn))

    def generated(self) -> Generated:
        return generate(self.program(), SM90, self.options)

    def job(self) -> "Job":
        program = self.program()
        together = zip(program.inputs, self.inputs(), strict=True)
        packed = [buffer.layout.pack(array) for buffer, array in together]
        return Job(program, self.generated(), packed)


@dataclass(frozen=True)
class Job:
    """A program, what was generated for it, and its physical inputs."""

    program: Program
    generated: Generated
    inputs: Sequence[Array]


def run_all(jobs: Sequence[Job]) -> list[list[Array] | str]:
    """Return the physical results of each job, or what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(number) for number in range(len(jobs))]
        for folder in folders:
            folder.mkdir()
        together = list(zip(jobs, folders, strict=True))
        answers = ask(
            "interpret",
            [
                interpret_job(job.program, job.generated, job.inputs, folder)
                for job, folder in together
            ],
        )
        return [
            "; ".join(answer["faults"]) or read_results(job.program, folder)
            for answer, (job, folder) in zip(answers, together, strict=True)
        ]


def run_cases(cases: Sequence[Case]) -> dict[str, list[Array] | str]:
    """Return logical results of every case on random inputs, by the case's name."""
    jobs = [case.job() for case in cases]
    found = run_all(jobs)
    return {
        str(case): one if isinstance(one, str) else logical(job.program, one, results=True)
        for case, job, one in zip(cases, jobs, found, strict=True)
    }


def random_inputs(program: Program, seed: int) -> list[Array]:
    generator = np.random.default_rng(seed)
    arrays: list[Array] = []
    for buffer in program.inputs:
        kind = buffer.dtype.numpy
        if buffer.dtype.is_float:
            values = generator.uniform(-1, 1, buffer.shape).astype(kind)
        else:
            ends = np.iinfo(buffer.dtype.value)
            values = generator.integers(ends.min, ends.max, buffer.shape, endpoint=True)
        arrays.append(buffer.layout.pack(values.astype(kind)))
    return arrays
