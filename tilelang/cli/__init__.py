"""The command line `tilelang`.

Only this package imports typer and rich. A `TileError` is printed to the standard error as it is
and ends the command with status 1; a wrong use of an option ends it with 2.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import typer

from tilelang.cli.app import app
from tilelang.diagnostics import Diagnostic, TileError

__all__ = ["main"]

_TYPER = Path(typer.__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (or those of the process) name, and exit."""
    try:
        app(None if arguments is None else list(arguments))
    except TileError as error:
        print(TileError(*_as_said(error)), file=sys.stderr)
        raise SystemExit(1) from None


def _as_said(error: TileError) -> Iterator[Diagnostic]:
    """Yield the mistakes; one in what the command line says has no line of Python to show."""
    for diagnostic in error.diagnostics:
        location = diagnostic.location
        if location and _TYPER in Path(location.file).parents:
            yield replace(diagnostic, location=None)
        else:
            yield diagnostic
