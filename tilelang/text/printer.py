"""Programs as text; `tilelang.text.parser` reads it back to an equal program."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from tilelang.ir.condition import TRUE, Condition
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
    Stage,
    Stmt,
    Window,
)
from tilelang.ir.region import Buffer
from tilelang.layouts import ND, layout_for
from tilelang.text.expression_text import number_text, print_expression
from tilelang.text.index_text import print_condition, print_index
from tilelang.text.region_text import print_region, print_target

__all__ = ["print_condition", "print_index", "print_program", "print_region", "print_statement"]

_INDENT = "    "


def print_program(program: Program) -> str:
    """Return `program` as text that ends in a newline."""
    return "\n".join(_program_lines(program)) + "\n"


def print_statement(stmt: Stmt) -> str:
    """Return one statement as text, with what it holds, without a final newline."""
    return "\n".join(_lines(stmt))


def _program_lines(program: Program) -> Iterator[str]:
    inputs = ", ".join(map(_tensor, program.inputs))
    attributes = f"; {_settings(program.attributes)}" if program.attributes else ""
    results = f" -> {', '.join(map(_tensor, program.results))}" if program.results else ""
    yield f"kernel {program.name}({inputs}{attributes}){results}"
    if program.tiles:
        yield f"{_INDENT}tiles {_settings(program.tiles)}"
    for part in program.body:
        match part:
            case Alloc(buffer):
                yield _alloc(buffer)
            case Stage(grid, body):
                cores = ", ".join(f"{core.var} < {core.extent}" for core in grid)
                yield f"cores {cores}:" if cores else "cores:"
                yield from _body(body)
            case _:
                assert_never(part)


def _tensor(buffer: Buffer) -> str:
    return f"{buffer.name}{list(buffer.shape)}: {buffer.dtype}{_layout(buffer)}"


def _settings(settings: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name}={number_text(value)}" for name, value in settings)


def _layout(buffer: Buffer) -> str:
    """Return ` @ NZ`, and the width of its blocks where it is not the dtype's own."""
    layout = buffer.layout
    if layout == ND:
        return ""
    width = "" if layout == layout_for(layout.kind, buffer.dtype) else f"({layout.c0})"
    return f" @ {layout.kind.value}{width}"


def _body(body: Body) -> Iterator[str]:
    lines = (line for stmt in body for line in _lines(stmt))
    yield from (f"{_INDENT}{line}" for line in lines)
    if not body:
        yield f"{_INDENT}pass"


def _lines(stmt: Stmt) -> Iterator[str]:
    match stmt:
        case Alloc(buffer):
            yield _alloc(buffer)
        case Loop(var, extent, kind, stages, body):
            yield f"{kind.value} {var} < {print_index(extent)}{_stages(stages)}:"
            yield from _body(body)
        case If():
            yield from _branches(stmt)
        case Move(dst, src, pad):
            yield f"data_move({print_region(dst)}, {print_region(src)}{_pad(pad)})"
        case Img2col():
            yield _load3d(stmt)
        case Matmul(dst, a, b, init) | Mmad(dst, a, b, init):
            name = "matmul" if isinstance(stmt, Matmul) else "mmad"
            yield f"{name}({', '.join(map(print_region, (dst, a, b)))}{_init(init)})"
        case Map(dst, expr):
            yield f"{print_target(dst)} = {print_expression(expr, dst.buffer.dtype)}"
        case Reduce(dst, op, src, axis):
            call = f"reduce_{op.value}({print_region(src)}, axis={axis})"
            yield f"{print_target(dst)} = {call}"
        case _:
            assert_never(stmt)


def _alloc(buffer: Buffer) -> str:
    what = f"{list(buffer.shape)}, {buffer.dtype}"
    return f"{buffer.name} = alloc_{buffer.memory.value}({what}){_layout(buffer)}"


def _stages(stages: int) -> str:
    return "" if stages == 1 else f", stages={stages}"


def _branches(stmt: If) -> Iterator[str]:
    """Yield an `if` with the `elif`s and the `else` that its last branch holds."""
    word = "if"
    while True:
        yield f"{word} {print_condition(stmt.condition)}:"
        yield from _body(stmt.then)
        match stmt.otherwise:
            case ():
                return
            case (If() as stmt,):
                word = "elif"
            case otherwise:
                yield "else:"
                yield from _body(otherwise)
                return


def _pad(pad: float) -> str:
    text = number_text(pad)
    return "" if text == "0" else f", pad={text}"


def _init(init: Condition) -> str:
    return "" if init == TRUE else f", init={print_condition(init)}"


def _load3d(stmt: Img2col) -> str:
    indices = {"row": print_index(stmt.row), "column": print_index(stmt.column)}
    places = (f", {name}={text}" for name, text in indices.items() if text != "0")
    regions = f"{print_region(stmt.dst)}, {print_region(stmt.src)}"
    return f"load3d({regions}{''.join(_window(stmt.window))}{''.join(places)})"


def _window(window: Window) -> Iterator[str]:
    yield f", kernel={window.kernel}"
    plain = Window(window.kernel)
    if window.stride != plain.stride:
        yield f", stride={window.stride}"
    if window.dilation != plain.dilation:
        yield f", dilation={window.dilation}"
    if window.padding != plain.padding:
        yield f", padding={window.padding}"
