"""`tilelang layout`: where the elements of an array lie in memory, drawn."""

from pathlib import Path
from typing import Annotated

import typer

from tilelang.cli.options import DTypeOption, JsonOption, read_dtype, read_shape
from tilelang.cli.tables import Row, print_json, progress, show
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.dtypes import DType
from tilelang.layouts import Layout, LayoutKind, find_layout, layout_for
from tilelang.layouts.drawing import draw, draw_svg
from tilelang.layouts.names import SPELLINGS

_DEFAULT_SHAPES = {0: "32x32", 2: "32x32", 3: "32x4x4", 4: "32x32x3x3"}
"""What to draw without `--shape`, by how many dimensions a layout reorders."""


def layout(
    name: Annotated[
        str | None, typer.Argument(help="A layout, such as NZ, in any vendor's spelling.")
    ] = None,
    shape: Annotated[
        str | None, typer.Option("--shape", metavar="32x48", help="Sizes of the logical array.")
    ] = None,
    dtype: DTypeOption = "float16",
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Draw into an SVG file as well.")
    ] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="List the layouts and every spelling of them.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a layout, or list them all: what each is called elsewhere and how it orders memory."""
    if name is None or list_all:
        _list(as_json)
        return
    element = read_dtype(dtype)
    found = layout_for(find_layout(name), element)
    sizes = read_shape(shape or _DEFAULT_SHAPES[found.logical_rank])
    if as_json:
        print_json(_as_data(found, sizes, element))
    else:
        print(draw(found, sizes, element), end="")
    if svg:
        _write(svg, draw_svg(found, sizes, element))


def _list(as_json: bool) -> None:
    columns = {"name": "layout", "logical": "logical", "physical": "physical", "names": "elsewhere"}
    show([_summary(kind) for kind in LayoutKind], columns, as_json=as_json)


def _summary(kind: LayoutKind) -> Row:
    rule = layout_for(kind, DType.FLOAT16).rule
    places = [" * ".join(map(rule.name, group)) for group in rule.physical]
    return {
        "name": kind.value,
        "logical": f"[{', '.join(rule.names)}]" if rule.names else "any",
        "physical": f"[{', '.join(places)}]" if rule.names else "the same",
        "names": list(SPELLINGS[kind][1:]),
    }


def _as_data(layout: Layout, shape: tuple[int, ...], dtype: DType) -> Row:
    return {
        "name": str(layout),
        "dtype": str(dtype),
        "shape": list(shape),
        "physical_shape": list(layout.physical_shape(shape)),
        "c0": layout.c0,
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        hint = f"name a file in a folder that exists; looked in {path.parent.resolve()}"
        raise TileError(Diagnostic("E0613", message, hint=hint)) from None
    progress().print(f"wrote {path}")
