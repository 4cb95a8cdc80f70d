"""Commands that list what there is: kernels, backends, machines, explanations of errors."""

from typing import Annotated

import typer

from tilelang.backend import backend_names, find_backend
from tilelang.check.procedure import check_options
from tilelang.cli.options import JsonOption
from tilelang.cli.tables import Row, show
from tilelang.diagnostics import TileError
from tilelang.diagnostics.explain import explain as explain_code
from tilelang.diagnostics.explain import explanations
from tilelang.shipped import find_kernel, kernel_names


def kernels(as_json: JsonOption = False) -> None:
    """List the shipped kernels with their signatures and tile parameters."""
    columns = {"name": "kernel", "signature": "signature", "tiles": "tiles", "doc": "what it does"}
    show([_kernel(name) for name in kernel_names()], columns, as_json=as_json)


def _kernel(name: str) -> Row:
    kernel = find_kernel(name)
    return {
        "name": name,
        "signature": str(kernel.signature),
        "tiles": dict(kernel.tile_parameters),
        "attributes": dict(kernel.attributes),
        "doc": (kernel.__doc__ or "").strip().partition("\n")[0],
    }


def backends(as_json: JsonOption = False) -> None:
    """List the installed backends and whether they run on this computer.

    One that does not may still be checked here: Triton's kernels run in its interpreter.
    """
    columns = {"name": "backend", "machine": "machine", "how": "runs here", "why_not": ""}
    show([_backend(name) for name in backend_names()], columns, as_json=as_json)


def _backend(name: str) -> Row:
    try:
        backend = find_backend(name)
    except TileError as error:  # a package that it needs is missing
        return {
            "name": name,
            "machine": None,
            "runs": False,
            "how": "no",
            "why_not": error.diagnostics[0].message,
        }
    runs, (_, mode) = backend.runs_here is None, check_options(backend)
    return {
        "name": name,
        "machine": backend.machine,
        "runs": runs,
        "how": "yes" if runs else f"{mode} only" if mode else "no",
        "why_not": backend.runs_here,
    }


def explain(
    code: Annotated[str | None, typer.Argument(help="The code of an error, such as E0312.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain an error at length; without a code, list all of them."""
    if code is not None:
        print(explain_code(code))
        return
    rows = [{"code": one.code, "title": one.title} for one in explanations().values()]
    show(rows, {"code": "code", "title": "error"}, as_json=as_json)
