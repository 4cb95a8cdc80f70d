"""`tilelang compile`: the machine code of a kernel, for a chip that need not be here."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from tilelang.backend import Backend, find_backend
from tilelang.cli.options import (
    AttributeOption,
    DimsOption,
    DTypeOption,
    JsonOption,
    KernelArgument,
    MachineOption,
    TileOption,
)
from tilelang.cli.problem import find_problem
from tilelang.cli.tables import Row, progress, show
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.machines import find_machine

COLUMNS = {
    "kernel": "kernel",
    "arch": "arch",
    "n_warps": "warps",
    "registers": "registers",
    "spilled_bytes": "spilled bytes",
    "shared": "shared bytes",
    "matrix": "matrix instruction",
    "pipeline": "operands",
    "verdict": "verdict",
}


def compile(
    kernel: KernelArgument,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    backend: Annotated[
        str, typer.Option("--backend", metavar="NAME", help="Who compiles it.")
    ] = "triton",
    arch: Annotated[
        str, typer.Option("--arch", metavar="sm_90", help="The chip: sm_80, sm_90, gfx942, ...")
    ] = "sm_90",
    machine: MachineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile a kernel for a chip that need not be here, and report what it takes.

    The exit status is 0 only if every kernel compiles, and fits the chip's shared memory.
    """
    problem = find_problem(kernel, dtype, dims, tile, attr)
    found = find_backend(backend)
    target = machine or found.machine
    program = problem.program(target)
    with progress().status(f"compiling {program.name} for {arch} ..."):
        reports = _compile_for(found)(program, find_machine(target), arch)
    show([_row(report) for report in reports], COLUMNS, as_json=as_json)
    raise typer.Exit(0 if all(report["fits"] for report in reports) else 1)


def _compile_for(backend: Backend) -> Callable[..., Sequence[dict[str, Any]]]:
    """Return the backend's way to compile for another chip, which is no part of the protocol."""
    compile_for = getattr(backend, "compile_for", None)
    if compile_for is None:
        raise TileError(
            Diagnostic(
                "E1309",
                f"the backend {backend.name!r} compiles for the computer it runs on, and no other",
                hint="use --backend triton; `tilelang source` shows what other backends generate",
            )
        )
    return compile_for


def _row(report: dict[str, Any]) -> Row:
    """Return `report` with its shared memory and verdict in words."""
    used, limit = report["shared_bytes"], report["shared_limit"]
    verdict = "ok" if report["fits"] else report["error"] or "too much shared memory"
    if verdict == "ok" and report["spilled_bytes"]:
        verdict = "fits, but spills registers"
    return {**report, "shared": f"{used:,} of {limit:,}", "verdict": verdict}
