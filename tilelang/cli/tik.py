"""`tilelang tik run` and `tilelang package`: TIK scripts, and custom operators made of kernels."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

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
from tilelang.cli.tables import Row, show
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.machines import find_machine

app = typer.Typer(help="Ascend TIK scripts, without an Ascend.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Ascend TIK scripts, without an Ascend."""


@app.command()
def run(
    script: Annotated[
        str, typer.Argument(metavar="SCRIPT.py[:ENTRY]", help="A TIK script and its function.")
    ],
    arg: Annotated[
        list[str] | None,
        typer.Option("--arg", metavar="VALUE", help="For the function; name=value by keyword."),
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option("--feed", metavar="name=file.npy", help="The array of an input."),
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option("--out", metavar="[name=]file.npy", help="Where an output is saved."),
    ] = None,
    tolerate: Annotated[
        list[str] | None,
        typer.Option("--tolerate", metavar="CODE", help="A finding that shall be a warning."),
    ] = None,
    machine: MachineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a TIK script and run what it builds in the emulator.

    Warnings (tails read or written behind tensors) are printed to the standard error; a kernel
    that is known to be harmless where it breaks a rule runs with that finding tolerated.
    """
    path, colon, entry = script.rpartition(":")
    file = path if colon and path.endswith(".py") else script
    arrays = {name: _read(name, place) for name, place in _pairs("--feed", feed)}
    run_script = _extra(find_backend("tik"), "run_script")
    done: Any = run_script(
        Path(file), entry if file == path else None, arg or (), arrays, machine,
        tolerate=tolerate or (),
    )  # fmt: skip
    for warning in done.warnings:
        print(str(warning).replace("error[", "warning[", 1), file=sys.stderr)
    _save(done.outputs, out or ())
    columns = {"name": "output", "type": "type", "min": "min", "mean": "mean", "max": "max"}
    show([_summary(name, array) for name, array in done.outputs.items()], columns, as_json=as_json)


def package(
    kernel: KernelArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.")],
    dims: DimsOption = None,
    tile: TileOption = None,
    attr: AttributeOption = None,
    dtype: DTypeOption = "float16",
    machine: MachineOption = None,
) -> None:
    """Write the project of a TBE custom operator made of a kernel: one set of shapes."""
    problem = find_problem(kernel, dtype, dims, tile, attr)
    backend = find_backend("tik")
    target = machine or backend.machine
    files: Mapping[str, str] = _extra(backend, "package")(
        problem.program(target), find_machine(target)
    )
    for name, text in files.items():
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="\n")
        print(place)


def _extra(backend: Backend, name: str) -> Callable[..., Any]:
    """Return a method of the backend that is no part of the protocol."""
    return getattr(backend, name)


def _pairs(option: str, texts: Sequence[str] | None) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for text in texts or ():
        name, equals, place = text.partition("=")
        if not equals or not name or not place:
            message = f"{option} takes name=file.npy, and {text!r} is not of that form"
            raise TileError(Diagnostic("E0609", message, hint=f"write {option} a=a.npy"))
        pairs.append((name, place))
    return pairs


def _read(name: str, place: str) -> NDArray[Any]:
    try:
        return np.load(place, allow_pickle=False)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        message = f"cannot read the array of `{name}` from {place}: {reason}"
        hint = "write it with numpy.save(file, array)"
        raise TileError(Diagnostic("E0605", message, hint=hint)) from None


def _save(outputs: Mapping[str, NDArray[Any]], places: Sequence[str]) -> None:
    """Save outputs: those that are named, the others in order."""
    left = list(outputs)
    for place in places:
        name, equals, file = place.rpartition("=")
        if not equals:
            name = left[0] if left else ""
        if name not in outputs:
            message = f"--out {place} names no output of the script"
            hint = f"its outputs are: {', '.join(outputs)}"
            raise TileError(Diagnostic("E0609", message, hint=hint))
        left = [other for other in left if other != name]
        np.save(file, outputs[name])


def _summary(name: str, array: NDArray[Any]) -> Row:
    kind = f"{array.dtype}[{', '.join(map(str, array.shape))}]"
    values = array.astype(np.float64)
    numbers = {"min": values.min(), "mean": values.mean(), "max": values.max()}
    return {"name": name, "type": kind, **{key: float(value) for key, value in numbers.items()}}
