"""The command line `tilelang`.

Only this package imports typer and rich. A `TileError` is printed to the standard error as it is
and ends the command with status 1; a wrong use of an option ends it with 2. Any other exception of
a user's file is shown from that file on.
"""

import sys
from collections.abc import Sequence

from tilelang.cli.app import app
from tilelang.cli.tracebacks import show_exception
from tilelang.cli.wording import as_said
from tilelang.diagnostics import Diagnostic, TileError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (or those of the process) name, and exit."""
    try:
        app(None if arguments is None else list(arguments))
    except TileError as error:
        print(TileError(*as_said(error)), file=sys.stderr)
        raise SystemExit(1) from None
    except MemoryError as error:
        print(_no_memory(error), file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        sys.excepthook = show_exception  # not before: typer sets its own


def _no_memory(error: MemoryError) -> Diagnostic:
    message = f"there is no memory for these sizes: {error or 'an array is too large'}"
    return Diagnostic("E0618", message, hint="give smaller sizes, or run it on a larger computer")
