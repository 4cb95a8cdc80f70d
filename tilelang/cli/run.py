"""`tilelang run` and `tilelang source`: one backend, one program."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from tilelang.arguments import allocate, physical_kinds
from tilelang.backend import Backend, find_backend
from tilelang.check import random_inputs
from tilelang.cli.options import (
    AttributeOption,
    DimsOption,
    DTypeOption,
    JsonOption,
    KernelArgument,
    MachineOption,
    SeedOption,
    TileOption,
)
from tilelang.cli.problem import SizedKernel, find_problem
from tilelang.cli.tables import Row, progress, show
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.ir.region import Buffer
from tilelang.machines import find_machine

BackendOption = Annotated[
    str, typer.Option("--backend", metavar="NAME", help="`tilelang backends` lists them.")
]


def run(
    kernel: KernelArgument,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    backend: BackendOption = "numpy",
    machine: MachineOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run a kernel or a .tile file on random data and describe its results.

    The numpy backend runs strictly: what is undefined, races or overruns is an error.
    """
    problem = find_problem(kernel, dtype, dims, tile, attr)
    found = find_backend(backend)
    target = machine or found.machine
    program = problem.program(target)
    own = problem.kernel if isinstance(problem, SizedKernel) else None
    inputs = random_inputs(program, seed, own)
    with progress().status(f"running {program.name} on {backend} ..."):
        seconds, results = run_program(program, found, target, inputs)
    columns = {"name": "result", "type": "type", "min": "min", "mean": "mean", "max": "max"}
    rows = [
        _summary(buffer, array, seconds)
        for buffer, array in zip(program.results, results, strict=True)
    ]
    show(rows, columns | {"seconds": "seconds"}, as_json=as_json)


def source(
    kernel: KernelArgument,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    backend: BackendOption = "numpy",
    machine: MachineOption = None,
    asm: Annotated[
        bool, typer.Option("--asm", help="the machine's assembly instead (llvm)")
    ] = False,
) -> None:
    """Print what a backend makes of a kernel: TIK, Triton, LLVM IR; numpy shows the program."""
    problem = find_problem(kernel, dtype, dims, tile, attr)
    found = find_backend(backend)
    target = machine or found.machine
    executable = found.compile(problem.program(target), find_machine(target))
    text = getattr(executable, "assembly", None) if asm else executable.source
    if text is None:
        message = f"backend {backend!r} makes no assembly"
        raise TileError(Diagnostic("E0617", message, hint="use --backend llvm, or leave --asm out"))
    print(text.rstrip("\n"))


def run_program(
    program: Program, backend: Backend, machine: str, inputs: Sequence[NDArray[Any]]
) -> tuple[float, Sequence[NDArray[Any]]]:
    """Return the seconds that `program` took on physical inputs, and its results, physical.

    Raises:
        TileError: E0616 if `backend` does not run on this computer; what the run finds.
    """
    if backend.runs_here is not None:
        hint = "use --backend numpy, which runs everywhere"
        message = f"backend {backend.name!r} does not run here: {backend.runs_here}"
        raise TileError(Diagnostic("E0616", message, hint=hint))
    executable = backend.compile(program, find_machine(machine))
    results = allocate(physical_kinds(program.results), None)
    started = time.perf_counter()
    executable(*inputs, *results)
    return time.perf_counter() - started, results


def _summary(buffer: Buffer, array: NDArray[Any], seconds: float) -> Row:
    values = buffer.layout.unpack(array, buffer.shape).astype(np.float64)
    row: Row = {"name": buffer.name, "type": str(buffer), "seconds": seconds}
    if values.size == 0:
        return {**row, "min": None, "mean": None, "max": None}
    found = {"min": values.min(), "mean": values.mean(), "max": values.max()}
    return {**row, **{name: float(value) for name, value in found.items()}}
