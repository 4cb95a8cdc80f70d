"""`tilelang fuzz`: awkward shapes, tile parameters and numbers, until something breaks."""

from typing import Annotated, Any

import typer

from tilelang.check.fuzz import FuzzReport, read_scope
from tilelang.check.fuzz import fuzz as search
from tilelang.cli.find_kernel import find_kernel
from tilelang.cli.options import (
    AttributeOption,
    DimsOption,
    JsonOption,
    KernelArgument,
    MachineOption,
    SeedOption,
    TileOption,
    read_dtypes,
    read_keywords,
    read_names,
)
from tilelang.cli.tables import print_json, progress
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.kernel import Kernel


def fuzz(
    kernel: KernelArgument,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="60s", help="How long: seconds, 90s, 5m.")
    ] = None,
    runs: Annotated[
        int | None, typer.Option("--runs", metavar="N", help="How many runs, instead of a time.")
    ] = None,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", metavar="NAME", help="By default it is drawn too.")
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option("--backends", metavar="numpy,llvm", help="By default all that run here."),
    ] = None,
    machine: MachineOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Look for sizes, tile parameters and numbers on which a kernel or a backend is wrong.

    A failure is shrunk to the smallest one and printed as a test. What --dims, --tile, --attr and
    --dtype say is not drawn. The same seed draws the same. The exit status is 0 only if nothing
    failed.
    """
    fixed = read_keywords(dims, tile, attr)
    found = find_kernel(kernel)
    if not isinstance(found, Kernel):
        raise TileError(_fixed_program(kernel))
    scope = read_scope(found, None if dtype is None else read_dtypes(dtype), machine, fixed)
    with progress().status(f"fuzzing {kernel} ...") as status:
        report = search(
            found,
            backends=read_names(backends),
            budget=_budget(budget, runs),
            seed=seed,
            scope=scope,
            progress=status.update,
        )
    _show(report, as_json=as_json)
    raise typer.Exit(0 if report.ok else 1)


def _show(report: FuzzReport, *, as_json: bool) -> None:
    if as_json:
        data: Any = report.to_json()
        print_json(data)
    else:
        print(report)


def _budget(budget: str | None, runs: int | None) -> str:
    """Return the budget that --budget or --runs asks for.

    Raises:
        TileError: E0703 for both.
    """
    if budget is not None and runs is not None:
        message = f"--budget {budget} and --runs {runs} both say when to stop"
        raise TileError(Diagnostic("E0703", message, hint="leave one of them out"))
    return budget or ("60s" if runs is None else f"{runs} runs")


def _fixed_program(name: str) -> Diagnostic:
    return Diagnostic(
        "E0704",
        f"{name} is a program, whose sizes are fixed, and fuzzing draws sizes",
        hint="name the kernel that it was made from, or use `tilelang check`",
    )
