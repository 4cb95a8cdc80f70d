"""`tilelang cycles`: how long a kernel takes on a chip, by its backend's cycle model, and why."""

from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

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
from tilelang.cli.tables import Row, console, print_json, show
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.machines import Machine, find_machine

COLUMNS = {
    "pipe": "pipe",
    "busy_cycles": "busy cycles",
    "share": "share",
    "instructions": "instructions",
    "waits": "cycles it waited for",
}


class Report(Protocol):
    """What a cycle model found out, for people."""

    def rows(self) -> list[Row]:
        """Return what each pipe did."""
        ...

    def summary(self) -> Row:
        """Return every number that is not a pipe's."""
        ...

    def trace(self) -> str:
        """Return the timeline as a Chrome trace."""
        ...

    def page(self) -> str:
        """Return the report with its timeline as an HTML page."""
        ...


@runtime_checkable
class Reporter(Protocol):
    """A backend whose cycle model can also say why."""

    def cycle_report(self, program: Program, machine: Machine, *, timeline: bool) -> Report:
        """Return the report on `program`, verified but not lowered; `timeline`: keep that too."""
        ...


def cycles(
    kernel: KernelArgument,
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    machine: MachineOption = None,
    backend: Annotated[
        str, typer.Option("--backend", metavar="NAME", help="Whose cycle model.")
    ] = "tik",
    trace: Annotated[
        Path | None,
        typer.Option("--trace", metavar="FILE.json", help="Write a trace, which Perfetto opens."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a drawn timeline.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how long a kernel takes on a chip that need not be here, and which pipe is to blame."""
    problem = find_problem(kernel, dtype, dims, tile, attr)
    found = find_backend(backend)
    target = find_machine(machine or found.machine)
    wanted = trace is not None or html is not None
    report = _reporter(found).cycle_report(problem.program(target.name), target, timeline=wanted)
    if trace is not None:
        trace.write_text(report.trace(), encoding="utf-8")
    if html is not None:
        html.write_text(report.page(), encoding="utf-8")
    if as_json:
        print_json({**report.summary(), "pipes": report.rows()})
        return
    _print(report.summary())
    show(report.rows(), COLUMNS, as_json=False)


def _reporter(backend: Backend) -> Reporter:
    if isinstance(backend, Reporter):
        return backend
    message = f"the backend {backend.name!r} has no cycle model that gives reasons"
    raise TileError(Diagnostic("E0904", message, hint="use --backend tik"))


def _print(found: Row) -> None:
    """Print the summary in words."""

    def number(name: str) -> float:
        value = found[name]
        return float(value) if isinstance(value, int | float) else float("inf")

    moved = found["bytes"]
    assert isinstance(moved, dict)
    ways = ", ".join(f"{path} {n_bytes:,}" for path, n_bytes in moved.items())
    out = console()
    out.print(
        f"{found['program']} on {found['machine']}: {number('cycles'):,.0f} cycles, "
        f"{number('seconds') * 1e6:,.1f} µs (a model, not a measurement)",
        style="bold",
    )
    out.print(
        f"{found['critical_pipe']} is busiest. Launch {number('launch_cycles'):,.0f} cycles, "
        f"busiest of {found['cores']} cores {number('core_cycles'):,.0f}, "
        f"memory {number('memory_cycles'):,.0f}."
    )
    out.print(
        f"Cubes: {number('cube_utilisation'):.1%} of their peak, "
        f"{number('flop_per_second') / 1e12:.3g} of {number('roof_flop_per_second') / 1e12:.3g} "
        f"TFLOPS that the roofline allows at {number('flop_per_byte'):.3g} flop a byte "
        f"(ridge {number('ridge_flop_per_byte'):.3g})."
    )
    out.print(f"Bytes: {ways}; of memory {number('memory_bytes'):,.0f}.\n")
