"""`tilelang check`: a kernel on every backend that runs here, against its reference."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tilelang.backend import backend_names, find_backend
from tilelang.check import Report
from tilelang.check import Row as CheckRow
from tilelang.cli.options import (
    AttributeOption,
    DimsOption,
    DTypeOption,
    JsonOption,
    KernelArgument,
    MachineOption,
    SeedOption,
    TileOption,
    read_names,
)
from tilelang.cli.problem import ReadProgram, SizedKernel, find_problem
from tilelang.cli.run import run_program
from tilelang.cli.tables import Row, print_json, progress, show
from tilelang.diagnostics import TileError

COLUMNS = {
    "backend": "backend",
    "machine": "machine",
    "milliseconds": "ms",
    "max_error": "max error",
    "share": "of the bound",
    "verdict": "verdict",
}


def check(
    kernel: KernelArgument,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    backends: Annotated[
        str | None,
        typer.Option("--backends", metavar="numpy,llvm", help="By default all that run here."),
    ] = None,
    machine: MachineOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run a kernel on random data on every backend and compare with its reference.

    The exit status is 0 only if every backend stays within the bound. A .tile file has no
    reference: it is verified and run strictly.
    """
    problem = find_problem(kernel, dtype, dims, tile, attr)
    names = read_names(backends)
    with progress().status(f"checking {kernel} ..."):
        if isinstance(problem, SizedKernel):
            report = problem.kernel.check(
                backends=names,
                dtype=problem.dtype,
                machine=machine,
                seed=seed,
                **problem.keywords,
            )
        else:
            report = _run_everywhere(problem, names, machine, seed)
    _print(report, as_json)
    raise typer.Exit(0 if report.ok else 1)


def _run_everywhere(
    given: ReadProgram, names: Sequence[str] | None, machine: str | None, seed: int
) -> Report:
    """Return a report on a program without a reference: whether each backend runs it."""
    rows = tuple(_run_on(given, name, machine, seed) for name in names or _runnable())
    sizes = ", ".join(f"{buffer.name}: {buffer}" for buffer in given.parsed.inputs)
    return Report(given.parsed.name, sizes, seed, rows)


def _runnable() -> list[str]:
    return [name for name in backend_names() if find_backend(name).runs_here is None]


def _run_on(given: ReadProgram, name: str, machine: str | None, seed: int) -> CheckRow:
    backend = find_backend(name)
    target = machine or backend.machine
    try:
        seconds, _ = run_program(given.program(target), backend, target, seed)
    except TileError as error:
        return CheckRow(name, target, None, None, None, str(error))
    return CheckRow(name, target, seconds, None, None, "ok")


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        data: Any = report.to_json()
        print_json(data)
        return
    print(f"{report.kernel}  {report.problem}  seed {report.seed}\n")
    show([row_of(row) for row in report.rows], COLUMNS, as_json=False)
    for error in dict.fromkeys(row.verdict for row in report.rows if "\n" in row.verdict):
        print(f"\n{error}", file=sys.stderr)


def row_of(row: CheckRow) -> Row:
    """Return a row for `COLUMNS`; of an error, its code alone."""
    return {
        "backend": row.backend,
        "machine": row.machine,
        "milliseconds": None if row.seconds is None else row.seconds * 1e3,
        "max_error": row.max_error,
        "share": row.share,
        "verdict": _short(row.verdict),
    }


def _short(verdict: str) -> str:
    code = re.search(r"error\[E\d+\]", verdict)
    return code[0] if code else verdict
