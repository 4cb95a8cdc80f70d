"""`tilelang check`: a kernel on every backend that runs here, against its reference."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tilelang.backend import find_backend
from tilelang.check import Report, runnable
from tilelang.check import Row as CheckRow
from tilelang.check.families import families
from tilelang.check.procedure import judge_backend
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
from tilelang.cli.tables import Row, print_json, progress, show

COLUMNS = {
    "backend": "backend",
    "machine": "machine",
    "milliseconds": "ms",
    "max_error": "max error",
    "share": "of bound",
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
    picture: Annotated[
        str | None,
        typer.Option("--picture", metavar="FILE.svg", help="Where to draw the error of a failure."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a kernel against its reference, and every backend against the kernel.

    Inputs come in families: signed, positive, and three on which nothing rounds. The exit status is
    0 only if every backend stays within a bound derived from the program and from what the backend
    promises. A .tile file has no reference: its backends alone are checked.
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
            report = _check_program(problem, names, machine, seed)
    _print(report, as_json)
    if picture is not None:
        drawn = report.save_picture(picture)
        print(f"the error is drawn in {drawn}" if drawn else "nothing to draw", file=sys.stderr)
    raise typer.Exit(0 if report.ok else 1)


def _check_program(
    given: ReadProgram, names: Sequence[str] | None, machine: str | None, seed: int
) -> Report:
    """Return a report on a program, which has no reference to be compared with."""
    drawn = list(families(given.parsed, seed))
    rows: list[CheckRow] = []
    for name in names if names is not None else runnable():
        target = machine or find_backend(name).machine
        rows.append(judge_backend(given.program(target), name, target, drawn))
    sizes = ", ".join(f"{buffer.name}: {buffer}" for buffer in given.parsed.inputs)
    return Report(given.parsed.name, sizes, seed, tuple(rows))


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        data: Any = report.to_json()
        print_json(data)
        return
    print(f"{report.kernel}  {report.problem}  seed {report.seed}\n")
    show([row_of(row) for row in report.all_rows], COLUMNS, as_json=False)
    for row in report.all_rows:
        if row.explanation:
            print(f"\n{row.backend}")
        for sentence in row.explanation:
            print(f"  {sentence}")
    for error in dict.fromkeys(row.verdict for row in report.rows if "\n" in row.verdict):
        print(f"\n{error}", file=sys.stderr)


def row_of(row: CheckRow) -> Row:
    """Return a row for `COLUMNS`; of an error, its code alone."""
    return {
        "backend": row.backend,
        "machine": row.where,
        "milliseconds": None if row.seconds is None else row.seconds * 1e3,
        "max_error": row.max_error,
        "share": row.share,
        "verdict": _short(row.verdict),
    }


def _short(verdict: str) -> str:
    code = re.search(r"error\[E\d+\]", verdict)
    return code[0] if code else verdict
