"""Statements in the text form."""

from typing import NoReturn

from tilelang.diagnostics import TileError
from tilelang.ir.condition import TRUE, Condition
from tilelang.ir.index import ZERO
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    LoopKind,
    Map,
    Matmul,
    Mmad,
    Move,
    Reduce,
    ReduceOp,
    Stmt,
    Window,
)
from tilelang.text.calls import called_function, read_arguments
from tilelang.text.expression_reader import read_expression
from tilelang.text.index_reader import read_condition, read_index, read_number, read_whole
from tilelang.text.region_reader import read_region
from tilelang.text.scope import Scope
from tilelang.text.syntax import Node
from tilelang.text.tensor_reader import is_allocation, read_allocation

_REDUCTIONS = {f"reduce_{op.value}": op for op in ReduceOp}
_LOOPS = {kind.value: kind for kind in LoopKind}
_STATEMENTS = ("data_move", "load3d", "matmul", "mmad")


class NameLost(Exception):
    """A statement that defines a name is wrong, so what follows would be misunderstood."""


def read_body(node: Node, scope: Scope) -> Body:
    """Return the statements of a suite; the names that they define end with it.

    A wrong statement is left out and its mistakes are kept in `scope`.

    Raises:
        NameLost: if that statement defines a name.
    """
    with scope.body():
        statements = (_read_or_note(child, scope) for child in node.children)
        return tuple(stmt for stmt in statements if stmt is not None)


def read_statement(node: Node, scope: Scope) -> Stmt:
    """Return the statement that `node` writes; TileError for a mistake in its own line."""
    match node.kind:
        case "assignment":
            return _read_assignment(node, scope)
        case "call_statement":
            return _read_call(node.children[0], scope)
        case "nest":
            return _read_loop(node, scope)
        case _:
            return _read_branch(node, scope)


def note_mistake(node: Node, error: TileError, scope: Scope) -> None:
    """Keep the mistakes of the statement at `node`, and go on unless it defines a name."""
    scope.faults += error.diagnostics
    if node.kind == "assignment" and is_allocation(node.children[1]):
        raise NameLost


def _read_or_note(node: Node, scope: Scope) -> Stmt | None:
    if node.kind == "skip":
        return None
    try:
        return read_statement(node, scope)
    except TileError as error:
        note_mistake(node, error, scope)
        return None


def _read_assignment(node: Node, scope: Scope) -> Stmt:
    target, value = node.children[:2]
    layout = node.child("layout_part")
    location = scope.source.place(node.span)
    if is_allocation(value):
        if target.kind != "name":
            message = f"`{scope.source.shown(target)}` stands where a new name is wanted"
            raise scope.error("E0511", message, target, hint="write a name: `a1 = alloc_l1(...)`")
        buffer = read_allocation(target, value, layout, location, scope)
        scope.add_buffer(buffer, target)
        return Alloc(buffer, location)
    if layout is not None:
        message = "a layout stands after a value, and only an allocation has one"
        raise scope.error("E0511", message, layout, hint="write it where the buffer is allocated")
    if target.kind != "subscript":
        _refuse_target(target, scope)
    dst = read_region(target, scope)
    function = called_function(value)
    if function is not None and function.text.startswith("reduce"):
        arguments = _read_reduction(value, scope)
        src, axis = read_region(arguments["x"], scope), read_whole(arguments["axis"], scope)
        return Reduce(dst, _REDUCTIONS[function.text], src, axis, location)
    return Map(dst, read_expression(value, scope, dst.buffer.dtype), location)


def _refuse_target(target: Node, scope: Scope) -> NoReturn:
    text = scope.source.shown(target)
    if target.kind in ("name", "attribute", "call"):
        message = f"`{text}` is assigned, and only an allocation gives a name"
        hint = f"write `{text}[:] = ...` to fill the buffer"
        raise scope.error("E0511", message, target, hint=hint)
    message = f"`{text}` cannot be assigned; a part of a buffer is wanted"
    raise scope.error("E0511", message, target, hint="write `x[:] = ...`")


def _read_reduction(node: Node, scope: Scope) -> dict[str, Node]:
    if node.children[0].text not in _REDUCTIONS:
        raise scope.unknown("E0505", "reduction", node.children[0], _REDUCTIONS)
    return read_arguments(node, scope, ["x", "axis"])


def _read_call(node: Node, scope: Scope) -> Stmt:
    function = called_function(node)
    if function is None:
        message = f"`{scope.source.shown(node)}` alone does nothing"
        hint = "write a statement, such as `data_move(dst, src)` or `x[:] = ...`"
        raise scope.error("E0511", message, node, hint=hint)
    match function.text:
        case "data_move":
            return _read_move(node, scope)
        case "load3d":
            return _read_load3d(node, scope)
        case "matmul":
            return _read_product(Matmul, node, scope)
        case "mmad":
            return _read_product(Mmad, node, scope)
        case _:
            raise scope.unknown("E0505", "statement", function, _STATEMENTS)


def _read_move(node: Node, scope: Scope) -> Move:
    arguments = read_arguments(node, scope, ["dst", "src"], ["pad"])
    dst, src = read_region(arguments["dst"], scope), read_region(arguments["src"], scope)
    pad = read_number(arguments["pad"]) if "pad" in arguments else 0
    if pad is None:
        message = f"`{scope.source.shown(arguments['pad'])}` stands where a number is wanted"
        raise scope.error("E0507", message, arguments["pad"], hint="write `pad=0` or `pad=-inf`")
    return Move(dst, src, pad, scope.source.place(node.span))


def _read_product(kind: type[Matmul] | type[Mmad], node: Node, scope: Scope) -> Matmul | Mmad:
    arguments = read_arguments(node, scope, ["dst", "a", "b"], ["init"])
    dst, a, b = (read_region(arguments[name], scope) for name in ("dst", "a", "b"))
    init = arguments.get("init")
    condition = TRUE if init is None else read_condition(init, scope)
    return kind(dst, a, b, condition, scope.source.place(node.span))


def _read_load3d(node: Node, scope: Scope) -> Img2col:
    optional = ["stride", "dilation", "padding", "row", "column"]
    arguments = read_arguments(node, scope, ["dst", "src", "kernel"], optional)
    dst, src = read_region(arguments["dst"], scope), read_region(arguments["src"], scope)
    row, column = (
        read_index(arguments[name], scope) if name in arguments else ZERO
        for name in ("row", "column")
    )
    window = _read_window(arguments, scope)
    return Img2col(dst, src, window, row, column, scope.source.place(node.span))


def _read_window(arguments: dict[str, Node], scope: Scope) -> Window:
    window = Window(_read_pair(arguments["kernel"], scope))
    stride, dilation = arguments.get("stride"), arguments.get("dilation")
    padding = arguments.get("padding")
    return Window(
        window.kernel,
        _read_pair(stride, scope) if stride else window.stride,
        _read_pair(dilation, scope) if dilation else window.dilation,
        _read_sides(padding, scope) if padding else window.padding,
    )


def _read_pair(node: Node, scope: Scope) -> tuple[int, int]:
    if node.kind == "tuple" and len(node.children) == 2:
        height, width = (read_whole(size, scope, least=1) for size in node.children)
        return height, width
    message = f"`{scope.source.shown(node)}` stands where (height, width) is wanted"
    raise scope.error("E0507", message, node, hint="write two numbers: `(3, 3)`")


def _read_sides(node: Node, scope: Scope) -> tuple[int, int, int, int]:
    if node.kind == "tuple" and len(node.children) == 4:
        top, bottom, left, right = (read_whole(size, scope, least=0) for size in node.children)
        return top, bottom, left, right
    message = f"`{scope.source.shown(node)}` stands where (top, bottom, left, right) is wanted"
    raise scope.error("E0507", message, node, hint="write four numbers: `(1, 1, 1, 1)`")


def _read_loop(node: Node, scope: Scope) -> Loop:
    head, suite = node.children
    word, *items = head.children
    if word.text not in _LOOPS:
        raise _no_loop(head, scope)
    match [item.kind for item in items]:
        case ["counter"] | ["counter", "keyword"]:
            counter, *keywords = items
        case _:
            message = f"`{scope.source.shown(head)}` is not one loop variable and its extent"
            hint = f"write `{word.text} i < 8:`, or `{word.text} i < 8, stages=2:`"
            raise scope.error("E0506", message, head, hint=hint)
    name, extent = counter.children
    index = read_index(extent, scope)
    stages = _read_stages(keywords, scope)
    with scope.body():
        scope.add_variable(name)
        body = read_body(suite, scope)
    return Loop(name.text, index, _LOOPS[word.text], stages, body, scope.source.place(head.span))


def _no_loop(head: Node, scope: Scope) -> TileError:
    word = head.children[0]
    match word.text:
        case "cores":
            message = "`cores` stands inside a body, and it begins a stage"
            return scope.error("E0511", message, head, hint="write it at the left margin")
        case "elif" | "else":
            message = f"`{word.text}` continues an `if`, and none ends before it"
            return scope.error("E0511", message, head, hint="write `if` first")
        case _:
            return scope.unknown("E0505", "loop", word, (*_LOOPS, "cores"))


def _read_stages(keywords: list[Node], scope: Scope) -> int:
    if not keywords:
        return 1
    name, value = keywords[0].children
    if name.text != "stages":
        raise scope.unknown("E0506", "property of a loop", name, ["stages"])
    return read_whole(value, scope, least=1)


def _read_branch(node: Node, scope: Scope) -> If:
    """Return an `if`; each `elif` is an `if` that is the whole of the `else` before it."""
    condition, suite, *rest = node.children
    return _read_if(node.start, (condition, suite), rest, scope)


def _read_if(start: int, branch: tuple[Node, Node], rest: list[Node], scope: Scope) -> If:
    condition, suite = branch
    location = scope.source.place((start, condition.end))
    test: Condition = read_condition(condition, scope)
    then = read_body(suite, scope)
    otherwise: Body = ()
    match rest:
        case [Node(kind="else_if", children=(condition, suite), start=start), *rest]:
            otherwise = (_read_if(start, (condition, suite), rest, scope),)
        case [last]:
            otherwise = read_body(last.children[0], scope)
        case _:
            pass
    return If(test, then, otherwise, location)
