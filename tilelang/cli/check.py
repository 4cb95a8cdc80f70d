"""`tilelang check`: a kernel on every backend that runs here, against its reference."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tilelang.backend import find_backend
from tilelang.check import Report, runnable
from tilelang.check import Row as CheckRow
from tilelang.check import check as check_kernel
from tilelang.check.families import families
from tilelang.check.fuzz.budget import read_time
from tilelang.check.isolation import Elsewhere
from tilelang.check.procedure import Judge, inputs_text
from tilelang.check.process import Process
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
    typed,
)
from tilelang.cli.problem import ReadProgram, SizedKernel, find_problem
from tilelang.cli.tables import Row, print_json, progress, show

LIMIT = "10m"
"""Far longer than a correct backend takes for what people check."""

COLUMNS = {
    "backend": "backend",
    "machine": "machine",
    "milliseconds": "ms",
    "max_error": "max error",
    "share": "of bound",
    "verdict": "verdict",
}


def check(
    context: typer.Context,
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
    limit: Annotated[
        str, typer.Option("--limit", metavar="10m", help="How long one backend may take.")
    ] = LIMIT,
    as_json: JsonOption = False,
) -> None:
    """Check a kernel against its reference, and every backend against the kernel.

    Inputs come in families: signed, positive, and three on which nothing rounds. The exit status is
    0 only if every backend stays within a bound derived from the program and from what the backend
    promises. A .tile file has no reference: its backends alone are checked. They run in another
    process, so that one that crashes is an error and ends nothing.
    """
    problem = find_problem(kernel, dtype, dims, tile, attr)
    with (
        progress().status(f"checking {kernel} ..."),
        Process(read_time(limit)) as process,
    ):
        again = typed(context, without=("backends", "as_json", "picture", "limit"))
        judge = Elsewhere(process, again, kernel if isinstance(problem, SizedKernel) else None)
        report = _report(problem, judge, read_names(backends), machine, seed)
    _print(report, as_json)
    if picture is not None:
        drawn = report.save_picture(picture)
        print(f"the error is drawn in {drawn}" if drawn else "nothing to draw", file=sys.stderr)
    raise typer.Exit(0 if report.ok else 1)


def _report(
    problem: SizedKernel | ReadProgram,
    judge: Judge,
    names: Sequence[str] | None,
    machine: str | None,
    seed: int,
) -> Report:
    """Return a report; on a program, which has no reference to be compared with, a shorter one."""
    if isinstance(problem, SizedKernel):
        keywords = {"dtype": problem.dtype, **problem.keywords}
        return check_kernel(
            problem.kernel, judge, backends=names, machine=machine, seed=seed, keywords=keywords
        )
    return _check_program(problem, judge, names, machine, seed)


def _check_program(
    given: ReadProgram,
    judge: Judge,
    names: Sequence[str] | None,
    machine: str | None,
    seed: int,
) -> Report:
    drawn = list(families(given.parsed, seed))
    rows: list[CheckRow] = []
    for name in names if names is not None else runnable():
        target = machine or find_backend(name).machine
        rows.append(judge(given.program(target), name, target, drawn, is_named=True))
    return Report(given.parsed.name, inputs_text(given.parsed), seed, tuple(rows))


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
    for error in dict.fromkeys(row.verdict for row in report.all_rows if "\n" in row.verdict):
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
