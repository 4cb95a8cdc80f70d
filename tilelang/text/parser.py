"""From text to a program: the inverse of `tilelang.text.printer`."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Alloc, Core, Program, Stage
from tilelang.ir.region import Buffer, Memory
from tilelang.text.index_reader import read_whole
from tilelang.text.scope import Scope
from tilelang.text.source import Source
from tilelang.text.statement_reader import NameLost, note_mistake, read_body, read_statement
from tilelang.text.syntax import Node, SyntaxFault, parse_tree
from tilelang.text.tensor_reader import is_allocation, read_tensor

__all__ = ["parse_file", "parse_program"]


def parse_program(text: str, file: str = "<text>") -> Program:
    """Return the program that `text` writes; its nodes have places in `file`.

    Raises:
        TileError: with the first mistake of the grammar, or with those of names, arguments and
            places, statement by statement.
    """
    source = Source(text, file)
    source.show_in_messages()
    try:
        tree = parse_tree("program", text + "\n")
    except SyntaxFault as fault:
        raise TileError(
            source.fault(fault.code or "E0501", fault.message, fault.span, hint=fault.hint)
        ) from None
    scope = Scope(source)
    try:
        program = _read_program(tree, scope)
    except NameLost:
        program = None
    if program is None or scope.faults:
        raise TileError(*scope.faults)
    return program


def parse_file(path: str | PathLike[str]) -> Program:
    """Return the program in the file at `path`.

    Raises:
        TileError: E0605 if it cannot be read, else as `parse_program`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"cannot read {path}: {reason}"
        hint = f"give the path of a .tile file; looked in {Path(path).parent.resolve()}"
        raise TileError(Diagnostic("E0605", message, hint=hint)) from None
    return parse_program(text, str(path))


def _read_program(tree: Node, scope: Scope) -> Program:
    header, *parts = tree.children
    try:
        program = _read_header(header, scope)
    except TileError as error:
        scope.faults += error.diagnostics
        raise NameLost from None
    body: list[Alloc | Stage] = []
    for part in parts:
        try:
            body += [_read_part(part, scope)]
        except TileError as error:
            note_mistake(part, error, scope)
    return Program(
        program.name,
        program.inputs,
        program.results,
        program.attributes,
        program.tiles,
        tuple(body),
        program.loc,
    )


def _read_header(node: Node, scope: Scope) -> Program:
    name = node.child("NAME")
    assert name is not None  # the grammar demands it
    inputs, results = _read_tensors(node, "inputs", scope), _read_tensors(node, "results", scope)
    attributes = tuple(_read_settings(node, "attributes", scope))
    tiles = tuple(_read_tiles(node, scope))
    location = scope.source.place((node.start, name.end))
    return Program(name.text, inputs, results, attributes, tiles, (), location)


def _read_tensors(header: Node, group: str, scope: Scope) -> tuple[Buffer, ...]:
    node = header.child(group)
    tensors = node.children if node else ()
    buffers = tuple(read_tensor(tensor, scope) for tensor in tensors)
    for buffer, tensor in zip(buffers, tensors, strict=True):
        scope.add_buffer(buffer, tensor.children[0])
    return buffers


def _read_tiles(header: Node, scope: Scope) -> Iterator[tuple[str, int]]:
    """Yield the tile parameters, which are whole numbers."""
    for name, value in _read_settings(header, "tiles", scope):
        if isinstance(value, float):
            message = f"the tile parameter `{name}` is {value}, and a whole number is wanted"
            raise scope.error("E0507", message, header.children[-1], hint=f"write `{name}=16`")
        yield name, value


def _read_settings(header: Node, group: str, scope: Scope) -> Iterator[tuple[str, float]]:
    """Yield names with their numbers: floats where there is a point, an exponent or `inf`."""
    node = header.child(group)
    seen: set[str] = set()
    for setting in node.children if node else ():
        name, *value = setting.children
        if not value:
            message = f"`{name.text}` has no value, and a program has all values"
            raise scope.error("E0512", message, setting, hint=f"write `{name.text}=1`")
        if name.text in seen:
            message = f"`{name.text}` is given twice"
            raise scope.error("E0504", message, setting, hint="remove one of them")
        seen.add(name.text)
        yield name.text, _read_setting(setting, scope)


def _read_setting(setting: Node, scope: Scope) -> float:
    *sign, value = setting.children[1:]
    if value.kind == "NAME" and value.text != "inf":
        message = f"`{setting.children[0].text}` is `{value.text}`, and a number is wanted"
        raise scope.error("E0507", message, value, hint="write a number, or `inf`")
    number = int(value.text) if value.kind == "INT" else float(value.text)
    return -number if sign else number


def _read_part(node: Node, scope: Scope) -> Alloc | Stage:
    """Return a stage, or workspace between stages: all that stands at the left margin."""
    if node.kind == "nest" and node.children[0].children[0].text == "cores":
        return _read_stage(node, scope)
    if node.kind == "assignment" and is_allocation(node.children[1]):
        stmt = read_statement(node, scope)
        if isinstance(stmt, Alloc) and stmt.buffer.memory is Memory.GM:
            return stmt
    message = "this stands outside of every stage"
    hint = "write `cores i < 8:`, or `cores:` for one core, and indent it"
    span = node.children[0].span if node.kind == "nest" else node.span
    raise TileError(scope.source.fault("E0511", message, span, hint=hint))


def _read_stage(node: Node, scope: Scope) -> Stage:
    head, suite = node.children
    grid: list[Core] = []
    with scope.body():
        for item in head.children[1:]:
            if item.kind != "counter":
                message = "a `cores` loop has no properties"
                raise scope.error("E0506", message, item, hint="write `cores i < 8, j < 8:`")
            name, extent = item.children
            grid.append(Core(name.text, read_whole(extent, scope)))
            scope.add_variable(name)
        body = read_body(suite, scope)
    return Stage(tuple(grid), body, scope.source.place(head.span))
