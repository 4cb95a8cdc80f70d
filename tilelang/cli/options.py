"""The options that several commands share, and what their values mean."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeAlias

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
    list[str] | None, typer.Option("--attr", metavar="pad=1", help="Attributes of the kernel.")
]
DTypeOption: TypeAlias = Annotated[
    str, typer.Option("--dtype", metavar="NAME", help="Element type: float16, int8, ...")
]
MachineOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--machine", metavar="NAME", help="The chip; by default each backend's own."),
]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", help="Of the random inputs.")]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]

_INTEGER = re.compile(r"([A-Za-z_]\w*)=(-?\d+)")
_SHAPE = re.compile(r"\d+([x,]\d+)*")


def read_integers(option: str, texts: Iterable[str] | None) -> dict[str, int]:
    """Return the numbers of an option given as `M=1000,N=1003`, perhaps several times.

    Raises:
        TileError: E0609 if a part has another form, or a name occurs twice.
    """
    values: dict[str, int] = {}
    for part in ",".join(texts or ()).split(","):
        match = _INTEGER.fullmatch(part.strip())
        if match is None:
            if part.strip():
                raise TileError(_malformed(option, part))
            continue
        name, number = match.groups()
        if name in values:
            message = f"{option} gives `{name}` twice, {values[name]} and {number}"
            raise TileError(Diagnostic("E0609", message, hint=f"give `{name}` once"))
        values[name] = int(number)
    return values


def _malformed(option: str, part: str) -> Diagnostic:
    return Diagnostic(
        "E0609",
        f"{option} takes names with whole numbers, and {part.strip()!r} is not `name=number`",
        hint=f"write them like {option} M=1000,N=1003,K=997, without spaces",
    )


def join_arguments(**options: dict[str, int]) -> dict[str, int]:
    """Return the union of what several options gave; each keyword is an option's name.

    Raises:
        TileError: E0609 if two of them give one name.
    """
    joined: dict[str, int] = {}
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
