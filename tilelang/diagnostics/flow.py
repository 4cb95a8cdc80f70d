"""What the bytecode around a running call says: which Python variables live on, and what follows.

A traced body runs once, so a Python variable that one iteration leaves for the next, or one branch
for what follows, silently has a single value. These functions find the candidates.
"""

import dis
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from tilelang.diagnostics.location import Location

_ACCESS = re.compile(r"(LOAD|STORE|DELETE)_(?:FAST(?!_AND_CLEAR)|NAME|GLOBAL|DEREF)")
_CLEARING_UP = frozenset({"POP_TOP", "POP_EXCEPT", "NOP", "NOT_TAKEN", "CACHE"})
_EXCEPT = "WITH_EXCEPT_START"
_code: dict[int, "_Code"] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """A Python variable that a body rebinds, and the place of the first statement that does."""

    name: str
    before: object
    after: object
    location: Location


@dataclass(frozen=True, slots=True)
class _Code:
    """A code object's instructions, by position in a list; `at` gives that of an offset."""

    code: CodeType
    instructions: tuple[dis.Instruction, ...]
    at: Mapping[int, int]
    caught: tuple[tuple[int, int, int], ...]
    """Offsets of what is guarded (its end not included), and of its innermost handler."""

    def number(self, offset: int) -> int:
        """Return the number of the instruction at `offset`, or at a cache entry behind it."""
        while offset not in self.at:
            offset -= 2
        return self.at[offset]


def is_dropped(frame: FrameType) -> bool:
    """Return whether the value of the operation running in `frame` is thrown away at once."""
    code = _read(frame.f_code)
    following = code.instructions[_here(code, frame) + 1 :]
    return bool(following) and following[0].opname == "POP_TOP"


def is_left_early(frame: FrameType, begin: int) -> bool:
    """Return whether a `with` whose exit runs in `frame` is left by `continue` or `return`.

    The block began at instruction offset `begin`. Where Python goes on is compared with where it
    would if the block swallowed an exception.
    """
    code = _read(frame.f_code)
    handler = _handler(code, code.number(begin) + 1)
    if handler is None:
        return False
    while "JUMP" not in code.instructions[handler].opname:
        handler += 1
    swallowed = code.at[code.instructions[handler].argval]
    return _what_follows(code, _here(code, frame) + 1) != _what_follows(code, swallowed)


def read_locals(frame: FrameType) -> dict[str, object]:
    """Return the variables of `frame` as they are now."""
    return dict(frame.f_locals)


def carried(frame: FrameType, before: Mapping[str, object]) -> Iterator[Change]:
    """Yield what one iteration of the `for` running in `frame` would leave for the next.

    `before` are the variables as they were when the body began. A variable is left if the body
    reads it before it stores it.
    """
    code = _read(frame.f_code)
    loop = _here(code, frame)
    if code.instructions[loop].opname != "FOR_ITER":
        return
    body = code.instructions[loop + 1 : code.at[code.instructions[loop].argval]]
    reads: set[str] = set()
    stores: dict[str, dis.Instruction] = {}
    for kind, name, instruction in _accesses(body):
        if kind != "LOAD":
            stores.setdefault(name, instruction)
        elif name not in stores:
            reads.add(name)
    named = {name: store for name, store in stores.items() if name in reads}
    yield from _changes(frame, before, named)


def left_behind(frame: FrameType, before: Mapping[str, object], begin: int) -> Iterator[Change]:
    """Yield what the `with` whose exit runs in `frame` leaves for the statements below it.

    `before` are the variables when the block began, at instruction offset `begin`.
    """
    code = _read(frame.f_code)
    here = _here(code, frame)
    stores: dict[str, dis.Instruction] = {}
    for kind, name, instruction in _accesses(code.instructions[code.number(begin) : here]):
        if kind != "LOAD":
            stores.setdefault(name, instruction)
    settled: set[str] = set()
    read: set[str] = set()
    for kind, name, _ in _accesses(code.instructions[here:]):
        if name not in settled and kind == "LOAD":
            read.add(name)
        settled.add(name)
    named = {name: store for name, store in stores.items() if name in read}
    yield from _changes(frame, before, named)


def _changes(
    frame: FrameType, before: Mapping[str, object], stores: Mapping[str, dis.Instruction]
) -> Iterator[Change]:
    if not stores:
        return
    after = frame.f_locals
    for name, store in stores.items():
        old, new = before.get(name), after.get(name)
        if not _is_same(old, new):
            yield Change(name, old, new, _location(frame, store))


def _is_same(old: object, new: object) -> bool:
    """Return whether both are one object, or equal plain values."""
    if old is new:
        return True
    return type(old) is type(new) and isinstance(old, int | float | str) and old == new


def _location(frame: FrameType, instruction: dis.Instruction) -> Location:
    place = instruction.positions
    if place is None or place.lineno is None:
        return Location(frame.f_code.co_filename, frame.f_lineno)
    return Location(
        frame.f_code.co_filename,
        place.lineno,
        place.col_offset,
        place.end_col_offset,
        place.end_lineno,
    )


def _accesses(
    instructions: tuple[dis.Instruction, ...],
) -> Iterator[tuple[str, str, dis.Instruction]]:
    """Yield (LOAD, STORE or DELETE, name) of variables, in the order of the bytecode."""
    for instruction in instructions:
        kinds = _ACCESS.findall(instruction.opname)
        value: Any = instruction.argval
        names: Sequence[str] = value if len(kinds) > 1 else [value]
        for kind, name in zip(kinds, names, strict=False):
            yield kind, name, instruction


def _what_follows(code: _Code, number: int) -> object:
    """Return what identifies the next instruction that does something; returning None is one."""
    while True:
        instruction = code.instructions[number]
        if instruction.opname.startswith("JUMP"):
            number = code.at[instruction.argval]
        elif instruction.opname in _CLEARING_UP:
            number += 1
        else:
            break
    if "RETURN_CONST" in instruction.opname and instruction.argval is None:
        return None
    following = code.instructions[number + 1 : number + 2]
    returns = bool(following) and following[0].opname == "RETURN_VALUE"
    if returns and instruction.opname == "LOAD_CONST" and instruction.argval is None:
        return None
    return instruction.positions  # copies that the compiler makes of a block keep their places


def _handler(code: _Code, number: int) -> int | None:
    """Return the number of the `with` handler that catches what instruction `number` raises."""
    offset = code.instructions[number].offset
    for start, end, target in code.caught:
        if start <= offset < end:
            first = code.at[target]
            names = [it.opname for it in code.instructions[first : first + 3]]
            return first + names.index(_EXCEPT) if _EXCEPT in names else None
    return None


def _here(code: _Code, frame: FrameType) -> int:
    return code.number(frame.f_lasti)


def _read(code: CodeType) -> _Code:
    known = _code.get(id(code))
    if known is None:  # keyed by identity, for equality of code objects compares their bytecode
        instructions = tuple(dis.get_instructions(code))
        at = {instruction.offset: number for number, instruction in enumerate(instructions)}
        known = _code[id(code)] = _Code(code, instructions, at, tuple(_caught(code)))
    return known


def _caught(code: CodeType) -> Iterator[tuple[int, int, int]]:
    entries: Any = dis.Bytecode(code)
    for entry in entries.exception_entries:
        yield entry.start, entry.end, entry.target
