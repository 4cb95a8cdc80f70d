"""The bytecode of a function, as a graph: what it reads and stores, and what may follow what."""

import dis
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

_ACCESS = re.compile(r"(LOAD|STORE|DELETE)_(?:FAST(?!_AND_CLEAR)|NAME|GLOBAL|DEREF)")
_ENDS = ("RETURN_", "RAISE_", "RERAISE")
_ALWAYS = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_ABSOLUTE")
_code: dict[int, "Code"] = {}


@dataclass(frozen=True, slots=True)
class Code:
    """A code object's instructions, by position in a list; `at` gives that of an offset."""

    code: CodeType
    instructions: tuple[dis.Instruction, ...]
    at: Mapping[int, int]
    caught: tuple[tuple[int, int, int], ...]
    """Offsets of what is guarded (its end not included), and of its innermost handler."""
    live: dict[tuple[int, int | None], frozenset[str]] = field(
        default_factory=dict[tuple[int, int | None], frozenset[str]]
    )
    """What `live` has found."""

    def number(self, offset: int) -> int:
        """Return the number of the instruction at `offset`, or at a cache entry behind it."""
        while offset not in self.at:
            offset -= 2
        return self.at[offset]


def read_code(code: CodeType) -> Code:
    """Return the instructions of `code`."""
    known = _code.get(id(code))
    if known is None:  # keyed by identity, for equality of code objects compares their bytecode
        instructions = tuple(dis.get_instructions(code))
        at = {instruction.offset: number for number, instruction in enumerate(instructions)}
        known = _code[id(code)] = Code(code, instructions, at, tuple(_caught(code)))
    return known


def here(code: Code, frame: FrameType) -> int:
    """Return the number of the instruction that `frame` is at."""
    return code.number(frame.f_lasti)


def accesses(
    instructions: Sequence[dis.Instruction],
) -> Iterator[tuple[str, str, dis.Instruction]]:
    """Yield (LOAD, STORE or DELETE, name) of variables, in the order of the bytecode."""
    for instruction in instructions:
        kinds = _ACCESS.findall(instruction.opname)
        value: Any = instruction.argval
        names: Sequence[str] = value if len(kinds) > 1 else [value]
        for kind, name in zip(kinds, names, strict=False):
            yield kind, name, instruction


def live(code: Code, start: int, outside: int | None = None) -> frozenset[str]:
    """Return the variables that some way from instruction `start` on reads before it stores them.

    Ways end at the instruction `outside`: the head of a loop whose body is asked about.
    """
    known = code.live.get((start, outside))
    if known is None:
        known = code.live[start, outside] = _live(code, start, outside)
    return known


def _live(code: Code, start: int, outside: int | None) -> frozenset[str]:
    """Walk forwards with the set of what is stored by then; less stored means more may be read."""
    read: set[str] = set()
    stored: dict[int, frozenset[str]] = {}
    waiting: list[tuple[int, frozenset[str]]] = [(start, frozenset())]
    while waiting:
        number, settled = waiting.pop()
        seen = stored.get(number)
        if number == outside or (seen is not None and seen <= settled):
            continue
        settled = settled if seen is None else settled & seen
        stored[number] = settled
        for kind, name, _ in accesses(code.instructions[number : number + 1]):
            if kind == "LOAD" and name not in settled:
                read.add(name)
            settled = settled | {name}
        waiting += [(following, settled) for following in _successors(code, number)]
    return frozenset(read)


def _successors(code: Code, number: int) -> Iterator[int]:
    """Yield the instructions that may run after one that raises nothing."""
    instruction = code.instructions[number]
    if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
        yield code.at[instruction.argval]
    ends = instruction.opname.startswith((*_ENDS, *_ALWAYS))
    if not ends and number + 1 < len(code.instructions):
        yield number + 1


def _caught(code: CodeType) -> Iterator[tuple[int, int, int]]:
    entries: Any = dis.Bytecode(code)
    for entry in entries.exception_entries:
        yield entry.start, entry.end, entry.target
