"""The commands, in the order in which `tilelang --help` lists them."""

from typing import Annotated

import typer

from tilelang import __version__
from tilelang.cli import (
    check,
    compile,
    cycles,
    demo,
    fuzz,
    layout,
    listing,
    machine,
    run,
    sweep,
    tik,
)

app = typer.Typer(
    name="tilelang",
    help="Write tile-level accelerator kernels in Python, and trust them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tilelang-tik {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Write tile-level accelerator kernels in Python, and trust them."""


app.command()(demo.demo)
app.command()(listing.kernels)
app.command()(check.check)
app.command()(fuzz.fuzz)
app.command()(run.run)
app.command()(run.source)
app.command()(compile.compile)
app.command()(cycles.cycles)
app.command()(sweep.sweep)
app.command()(tik.package)
app.add_typer(tik.app, name="tik")
app.command()(layout.layout)
app.command()(machine.machine)
app.command()(listing.backends)
app.command()(listing.explain)
