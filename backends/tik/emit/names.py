"""The names that a script gives to what its instructions repeat: sizes, and views of tensors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from tilelang.backends.tik.emit.expression import View, name_of
from tilelang.backends.tik.instructions import (
    ForRange,
    InputScalar,
    InstructionProgram,
    Operand,
    Scalar,
    ScalarArray,
    Tensor,
    walk,
)
from tilelang.diagnostics import Location
from tilelang.ir.named import NamedInt, names_of


def constants_of(programs: Iterable[InstructionProgram]) -> dict[str, int]:
    """Return the names that numbers of `programs` are made of, with their values.

    Without names that mean two numbers, or something else in the script: the numbers stand there.
    """
    found: dict[str, set[int]] = {}
    taken = set[str]()
    for program in programs:
        taken |= {program.name, *_declared(program)}
        for part in _parts(program.body):
            for leaf in names_of(part.part) if isinstance(part, NamedInt) else ():
                found.setdefault(name_of(leaf), set()).add(leaf.value)
    return {
        name: values.pop()
        for name, values in found.items()
        if len(values) == 1 and name not in taken
    }


def views_of(program: InstructionProgram, taken: Iterable[str]) -> Mapping[View, str]:
    """Return a name for every tensor that is seen more than once as another dtype."""
    types = {item.name: item.dtype for item in walk(program.body) if isinstance(item, Tensor)}
    uses = Counter(
        (part.tensor, part.dtype) for part in _parts(program.body) if isinstance(part, Operand)
    )
    used = {*_declared(program), *taken}
    names: dict[View, str] = {}
    for (tensor, dtype), count in uses.items():
        name = f"{tensor}_{dtype}"
        if count > 1 and dtype is not types[tensor] and name not in used:
            names[tensor, dtype] = name
            used.add(name)
    return names


def _declared(program: InstructionProgram) -> Iterator[str]:
    for item in walk(program.body):
        match item:
            case Tensor() | Scalar() | InputScalar() | ScalarArray():
                yield item.name
            case ForRange(var):
                yield var
            case _:
                pass


def _parts(value: Any) -> Iterator[Operand | NamedInt]:
    """Yield the operands and named numbers in `value`, an instruction or a part of one."""
    if isinstance(value, NamedInt):
        yield value
    elif isinstance(value, tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _parts(item)
    elif is_dataclass(value) and not isinstance(value, type | Location):
        if isinstance(value, Operand):
            yield value
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
