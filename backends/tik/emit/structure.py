"""Declarations, loops, branches and scalar work as lines of text."""

import linecache
from collections.abc import Iterator, Sequence
from typing import assert_never

from tilelang.backends.tik.emit.calls import call_of
from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.instructions import (
    AtomicAdd,
    Block,
    Body,
    Declaration,
    Exit,
    Expr,
    ForRange,
    If,
    InputScalar,
    Instruction,
    InstructionProgram,
    Item,
    Name,
    Scalar,
    ScalarArray,
    ScalarFunction,
    ScalarOp,
    SetScalar,
    StoreElement,
    Sync,
    Tensor,
    TikType,
)
from tilelang.diagnostics import UNKNOWN, Location

_WIDTH = 96
"""Columns of a line inside the function, whose body is indented by four."""

_ATOMIC_MODES = {
    None: 0,
    TikType.FLOAT32: 1,
    TikType.FLOAT16: 2,
    TikType.INT16: 3,
    TikType.INT32: 4,
    TikType.INT8: 5,
    TikType.BFLOAT16: 6,
}


def body_lines(program: InstructionProgram, texts: Texts, *, comments: bool) -> Iterator[str]:
    """Yield the lines of the program's instructions, without indentation."""
    yield from _Lines(texts, comments=comments).body(program.body, 0)


class _Lines:
    """Writes bodies; remembers the last line quoted, so that each is quoted once in a row."""

    def __init__(self, texts: Texts, *, comments: bool) -> None:
        self._texts = texts
        self._comments = comments
        self._quoted = UNKNOWN

    def body(self, body: Body, depth: int) -> Iterator[str]:
        """Yield the lines of `body`, indented by `depth` levels."""
        indent = "    " * depth
        for instruction in body:
            for line in self._quote(instruction.loc):
                yield indent + line
            match instruction:
                case ForRange():
                    yield from self._loop(instruction, depth)
                case Block(inner, disable_sync):
                    arguments = "disable_sync=True" if disable_sync else ""
                    yield from self._scope(f"new_stmt_scope({arguments})", inner, depth)
                case If():
                    yield from self._branches(instruction, depth)
                case _:
                    text = self._statement(instruction)
                    yield from (indent + line for line in _wrapped(*text, _WIDTH - len(indent)))
                    if isinstance(instruction, Tensor):
                        yield from (indent + line for line in self._texts.views(instruction.name))
        if not body:
            yield f"{indent}pass"

    def _quote(self, loc: Location) -> Iterator[str]:
        if not self._comments or (loc.file, loc.line) == (self._quoted.file, self._quoted.line):
            return
        self._quoted = loc
        source = linecache.getline(loc.file, loc.line).strip()
        if source:
            yield f"# {source}"

    def _scope(self, head: str, body: Body, depth: int) -> Iterator[str]:
        yield f"{'    ' * depth}with tik_instance.{head}:"
        yield from self.body(body, depth + 1)

    def _loop(self, loop: ForRange, depth: int) -> Iterator[str]:
        arguments = [self._texts.value(loop.begin), self._texts.value(loop.end)]
        arguments.append(f'name="{loop.var}"')
        if loop.thread_num != 1:
            arguments.append(f"thread_num={loop.thread_num}")
        if loop.is_block_loop:
            arguments.append(f"block_num={self._texts.value(loop.block_num)}")
        indent = "    " * depth
        head = ("with tik_instance.for_range", arguments, _WIDTH - len(indent))
        yield from (indent + line for line in _wrapped(*head, tail=f" as {loop.var}:"))
        yield from self.body(loop.body, depth + 1)

    def _branches(self, choice: If, depth: int) -> Iterator[str]:
        for index, branch in enumerate(choice.branches):
            word = "elif_scope" if index else "if_scope"
            head = f"{word}({self._texts.value(branch.condition)})"
            yield from self._scope(head, branch.body, depth)
        if choice.otherwise is not None:
            yield from self._scope("else_scope()", choice.otherwise, depth)

    def _statement(self, instruction: Instruction) -> tuple[str, Sequence[str]]:
        """Return the text before the arguments, and the arguments."""
        texts = self._texts
        match instruction:
            case Tensor() | Scalar() | InputScalar() | ScalarArray():
                return _declaration(instruction, texts)
            case SetScalar(target, value):
                return f"{_target(target, texts)}.set_as", (texts.value(value),)
            case StoreElement(dst, value):
                return f"{texts.element(dst)}.set_as", (texts.value(value),)
            case ScalarFunction():
                return _scalar_function(instruction, texts)
            case Exit(kind):
                return f"tik_instance.{kind.value}", ()
            case Sync(kind, args, operand):
                words = [repr(arg).replace("'", '"') for arg in args]
                words += [] if operand is None else [texts.operand(operand)]
                return f"tik_instance.{kind.value}", words
            case AtomicAdd(dtype):
                return "tik_instance.set_atomic_add", (str(_ATOMIC_MODES[dtype]),)
            case ForRange() | If() | Block():
                raise AssertionError("scopes have bodies of their own")
            case _:
                call = call_of(instruction, texts)
                result = "" if call.result is None else f"{call.result} = "
                return f"{result}tik_instance.{call.method}", call.arguments


def _declaration(declared: Declaration, texts: Texts) -> tuple[str, Sequence[str]]:
    kind = type(declared).__name__
    head = f"{declared.name} = tik_instance.{kind}"
    named = [f'"{declared.dtype}"', f'name="{declared.name}"']
    match declared:
        case Tensor():
            return head, _tensor_arguments(declared, texts)
        case Scalar(init=init):
            return head, named + _initial(init, texts)
        case InputScalar():
            return head, named
        case ScalarArray(length=length, init=init):
            return head, [*named, f"length={length}", *_initial(init, texts)]
        case _:
            assert_never(declared)


def _initial(init: Expr | None, texts: Texts) -> list[str]:
    return [] if init is None else [f"init_value={texts.value(init)}"]


def _tensor_arguments(tensor: Tensor, texts: Texts) -> list[str]:
    extents = [texts.value(extent) for extent in tensor.shape]
    shape = f"({extents[0]},)" if len(extents) == 1 else f"({', '.join(extents)})"
    arguments = [f'"{tensor.dtype}"', shape, f'name="{tensor.name}"']
    arguments.append(f"scope=tik.{tensor.scope.value}")
    if tensor.is_workspace:
        arguments.append("is_workspace=True")
    if tensor.is_atomic_add:
        arguments.append("is_atomic_add=True")
    if tensor.max_mem_size is not None:
        arguments.append(f"max_mem_size={tensor.max_mem_size}")
    if tensor.init_value is not None:
        arguments.append(f"init_value={_elements(tensor.init_value, texts)}")
    return arguments


def _elements(values: Sequence[int | float], texts: Texts) -> str:
    """Return the text of a list; of many equal elements one, and how often it stands there."""
    if len(values) > 1 and len(set(map(repr, values))) == 1:
        return f"[{texts.value(values[0])}] * {len(values)}"
    return f"[{', '.join(map(texts.value, values))}]"


def _target(target: Name | Item, texts: Texts) -> str:
    return texts.value(target)


def _scalar_function(call: ScalarFunction, texts: Texts) -> tuple[str, Sequence[str]]:
    arguments = [_target(call.target, texts), *(texts.value(arg) for arg in call.args)]
    if call.op is ScalarOp.CONVERT:
        arguments.insert(0, f'"{call.round_mode}"')
    return f"tik_instance.{call.op.value}", arguments


def _wrapped(head: str, arguments: Sequence[str], width: int, *, tail: str = "") -> Iterator[str]:
    """Yield a call, and `tail`, on one line, or with as many arguments a line as fit."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if len(line) <= width:
        yield line
        return
    yield f"{head}("
    current = ""
    for argument in arguments:
        longer = f"{current} {argument}," if current else f"    {argument},"
        if current and len(longer) > width:
            yield current
            longer = f"    {argument},"
        current = longer
    yield current
    yield f"){tail}"
