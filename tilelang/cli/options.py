"""The options that several commands share, and what their values mean."""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias, TypeVar

import typer

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, find_dtype

KernelArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="KERNEL", help="A shipped kernel (gemm), file.py:name, or a program file.tile."
    ),
]
DimsOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--dims", metavar="M=1000,N=1003", help="Sizes of dimensions.")
]
TileOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--tile", metavar="m_tile=64", help="Tile parameters.")
]
AttributeOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--attr", metavar="pad=1,epsilon=1e-5", help="Attributes.")
]
DTypeOption: TypeAlias = Annotated[
    str, typer.Option("--dtype", metavar="NAME", help="Element type: float16, int8, ...")
]
MachineOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--machine", metavar="NAME", help="The chip; by default each backend's own."),
]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Of the random inputs.")]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]

_SETTING = re.compile(r"([A-Za-z_]\w*)=([^=\s]+)")
_INTEGER = re.compile(r"-?\d+")
Number = TypeVar("Number", int, float)
_SHAPE = re.compile(r"\d+([x,]\d+)*")


def read_integers(option: str, texts: Iterable[str] | None) -> dict[str, int]:
    """Return the numbers of an option given as `M=1000,N=1003`, perhaps several times.

    Raises:
        TileError: E0609 if a part has another form, or a name occurs twice.
    """
    values: dict[str, int] = {}
    for name, number, part in _read_settings(option, texts):
        if not _INTEGER.fullmatch(number):
            raise TileError(_malformed(option, part))
        values[name] = int(number)
    return values


def read_attributes(texts: Iterable[str] | None) -> dict[str, float]:
    """Return the numbers of --attr, given as `stride=2,epsilon=1e-5,relu=true`.

    Raises:
        TileError: E0609 if a part has another form, or a name occurs twice.
    """
    values: dict[str, float] = {}
    for name, number, part in _read_settings("--attr", texts):
        value = _read_number(number)
        if value is None:
            raise TileError(_malformed("--attr", part))
        values[name] = value
    return values


def _read_settings(option: str, texts: Iterable[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and both of every part of an option."""
    given: dict[str, str] = {}
    for part in ",".join(texts or ()).split(","):
        match = _SETTING.fullmatch(part.strip())
        if match is None:
            if part.strip():
                raise TileError(_malformed(option, part))
            continue
        name, value = match.groups()
        if name in given:
            message = f"{option} gives `{name}` twice, {given[name]} and {value}"
            raise TileError(Diagnostic("E0609", message, hint=f"give `{name}` once"))
        given[name] = value
        yield name, value, part


def _read_number(text: str) -> float | None:
    """Return the int, float or bool that `text` writes; None if it writes none."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return None


def _malformed(option: str, part: str) -> Diagnostic:
    takes, example = "whole numbers", "M=1000,N=1003,K=997"
    if option == "--attr":
        takes, example = "numbers", "stride=2,epsilon=1e-5,relu=true"
    return Diagnostic(
        "E0609",
        f"{option} takes names with {takes}, and {part.strip()!r} is not `name=number`",
        hint=f"write them like {option} {example}, without spaces",
    )


def read_keywords(
    dims: Iterable[str] | None, tile: Iterable[str] | None, attr: Iterable[str] | None
) -> dict[str, float]:
    """Return what --dims, --tile and --attr give, together.

    Raises:
        TileError: E0609 for a part of another form, or a name that is given twice.
    """
    return join_arguments(
        dims=read_integers("--dims", dims),
        tile=read_integers("--tile", tile),
        attr=read_attributes(attr),
    )


def join_arguments(**options: Mapping[str, Number]) -> dict[str, Number]:
    """Return the union of what several options gave; each keyword is an option's name.

    Raises:
        TileError: E0609 if two of them give one name.
    """
    joined: dict[str, Number] = {}
    owner: dict[str, str] = {}
    for option, values in options.items():
        for name, number in values.items():
            if name in joined:
                message = f"`{name}` is given by --{owner[name]} and again by --{option}"
                raise TileError(Diagnostic("E0609", message, hint=f"give `{name}` once"))
            joined[name], owner[name] = number, option
    return joined


def read_shape(text: str) -> tuple[int, ...]:
    """Return the sizes of `32x48` or `32,48`.

    Raises:
        TileError: E0609 if `text` has another form.
    """
    if not _SHAPE.fullmatch(text):
        message = f"--shape takes sizes, and {text!r} is not of that form"
        raise TileError(Diagnostic("E0609", message, hint="write sizes like --shape 32x48"))
    return tuple(map(int, re.split("[x,]", text)))


def read_dtype(text: str) -> DType:
    """Return the element type called `text`.

    Raises:
        TileError: E0611 if there is none.
    """
    dtype = find_dtype(text)
    if dtype is None:
        names = ", ".join(map(str, ELEMENT_TYPES))
        message = f"there is no element type {text!r}"
        raise TileError(Diagnostic("E0611", message, hint=f"use one of: {names}"))
    return dtype


def read_dtypes(text: str) -> str | dict[str, str]:
    """Return the name of one element type for all, or of `T=float16,U=int8` each variable's."""
    if "=" not in text:
        return text
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def read_names(text: str | None) -> Sequence[str] | None:
    """Return the names of a list such as `numpy,llvm`; None for an option that was not given."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def typed(context: typer.Context, *, without: Collection[str]) -> str:
    """Return the command of `context` as it was typed, but for the parameters `without`."""
    words = ["tilelang", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if name in without or source is None or source.name != "COMMANDLINE":
            continue
        values: list[object] = (
            context.params[name] if parameter.multiple else [context.params[name]]
        )
        option = parameter.opts[:1] if parameter.param_type_name == "option" else []
        words += [word for value in values for word in (*option, str(value))]
    return shlex.join(words)
