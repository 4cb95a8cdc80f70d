"""The commands, in the order in which `tilelang --help` lists them."""

import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from tilelang import __version__
from tilelang.cli import (
    check,
    compile,
    cycles,
    demo,
    fuzz,
    language,
    layout,
    listing,
    machine,
    run,
    sweep,
    tik,
)

_SIZE = re.compile(r"[A-Za-z_]\w*=[\w,=:+]+")


class Command(TyperCommand):
    """A command that says where sizes belong that stand alone: `tilelang check gemm M=16`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            typer.BadParameter: for what looks like a size and follows no option.
        """
        stray = [
            text
            for before, text in zip(["", *args], args, strict=False)
            if _SIZE.fullmatch(text) and not before.startswith("-")
        ]
        if stray:
            message = (
                f"{' '.join(stray)} follows no option: sizes are one text behind --dims "
                "(--dims M=16,N=16), tile parameters behind --tile, attributes behind --attr"
            )
            raise typer.BadParameter(message, ctx)
        return super().parse_args(ctx, args)


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


app.command(cls=Command)(demo.demo)
app.command(cls=Command)(listing.kernels)
app.command(cls=Command)(language.language)
app.command(cls=Command)(check.check)
app.command(cls=Command)(fuzz.fuzz)
app.command(cls=Command)(run.run)
app.command(cls=Command)(run.source)
app.command(cls=Command)(compile.compile)
app.command(cls=Command)(cycles.cycles)
app.command(cls=Command)(sweep.sweep)
app.command(cls=Command)(tik.package)
app.add_typer(tik.app, name="tik")
app.command(cls=Command)(layout.layout)
app.command(cls=Command)(machine.machine)
app.command(cls=Command)(listing.backends)
app.command(cls=Command)(listing.explain)
