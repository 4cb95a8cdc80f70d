"""What the bytecode around a running call says: which Python variables live on, and what follows.

A traced body runs once, so a Python variable that one iteration leaves for the next, or one branch
for what follows, silently has a single value. These functions find the candidates.
"""

import dis
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from tilelang.diagnostics.bytecode import Code, accesses, here, live, read_code
from tilelang.diagnostics.location import Location

_CLEARING_UP = frozenset({"POP_TOP", "POP_EXCEPT", "NOP", "NOT_TAKEN", "CACHE"})
_EXCEPT = "WITH_EXCEPT_START"
_OUTSIDE = frozenset({"STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR"})
_MOST_ITEMS = 64
_IN_PLACE = 9
"""Instructions from the load of a container to the store of `container[0] += 1`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The variables of a frame at one time, and what was in those that hold others.

    That is the items of a list or a dict, and the numbers and texts among the attributes of others.
    """

    values: Mapping[str, object]
    items: Mapping[str, Mapping[object, object]]


@dataclass(frozen=True, slots=True)
class Change:
    """A Python variable, or item of a list, that a body sets anew, and where it first does."""

    name: str
    before: object
    after: object
    location: Location


def is_dropped(frame: FrameType) -> bool:
    """Return whether the value of the operation running in `frame` is thrown away at once."""
    code = read_code(frame.f_code)
    following = code.instructions[here(code, frame) + 1 :]
    return bool(following) and following[0].opname == "POP_TOP"


def is_left_early(frame: FrameType, begin: int) -> bool:
    """Return whether a `with` whose exit runs in `frame` is left by `continue` or `return`.

    The block began at instruction offset `begin`. Where Python goes on is compared with where it
    would if the block swallowed an exception.
    """
    code = read_code(frame.f_code)
    handler = _handler(code, code.number(begin) + 1)
    if handler is None:
        return False
    while "JUMP" not in code.instructions[handler].opname:
        handler += 1
    swallowed = code.at[code.instructions[handler].argval]
    return _what_follows(code, here(code, frame) + 1) != _what_follows(code, swallowed)


def read_locals(frame: FrameType) -> Snapshot:
    """Return the variables of `frame` as they are now."""
    values = dict(frame.f_locals)
    return Snapshot(values, {name: _items(value) for name, value in values.items()})


def carried(frame: FrameType, before: Snapshot) -> Iterator[Change]:
    """Yield what one iteration of the `for` running in `frame` would leave for the next.

    `before` are the variables as they were when the body began. A variable is left if the body may
    read it before it stores it, and had a value that can still be used.
    """
    code = read_code(frame.f_code)
    loop = here(code, frame)
    if code.instructions[loop].opname != "FOR_ITER":
        return
    end = code.at[code.instructions[loop].argval]
    stores = _stores(code, loop + 1, end)
    reads = live(code, loop + 1, outside=loop)
    named = {name: stores[name] for name in stores if name in reads and name in before.values}
    yield from _changes(frame, before, named | _shared(code, before, stores, loop))
    yield from _replaced_items(frame, before, (loop + 1, end))


def left_behind(frame: FrameType, before: Snapshot, begin: int) -> Iterator[Change]:
    """Yield what the `with` whose exit runs in `frame` leaves for the statements below it.

    `before` are the variables when the block began, at instruction offset `begin`.
    """
    code = read_code(frame.f_code)
    end = here(code, frame)
    stores = _stores(code, code.number(begin), end)
    reads = live(code, end + 1)
    named = {name: stores[name] for name in stores if name in reads}
    yield from _changes(frame, before, named | _shared(code, before, stores, code.number(begin)))
    yield from _replaced_items(frame, before, (code.number(begin), end))


def place_of_store(frame: FrameType, name: str) -> Location | None:
    """Return where the code of `frame` first sets a global, an attribute or the like, `name`."""
    for instruction in read_code(frame.f_code).instructions:
        if instruction.opname in _OUTSIDE and instruction.argval == name:
            return _location(frame.f_code, instruction)
    return None


def place_of_return(function: CodeType) -> Location | None:
    """Return where a function returns something; None where several places do, or none."""
    code = read_code(function)
    pairs = zip(code.instructions, code.instructions[1:], strict=False)
    found = [
        after
        for before, after in pairs
        if after.opname == "RETURN_VALUE"
        and not (before.opname == "LOAD_CONST" and before.argval is None)
    ]
    return _location(function, found[0]) if len(found) == 1 else None


def _shared(
    code: Code, before: Snapshot, stores: Mapping[str, dis.Instruction], place: int
) -> dict[str, dis.Instruction]:
    """Return the numbers that functions inside this one may set (`nonlocal`), and it does not."""
    names = [name for name in code.code.co_cellvars if name not in stores]
    shared = [name for name in names if isinstance(before.values.get(name), int | float | str)]
    return dict.fromkeys(shared, code.instructions[place])


def _stores(code: Code, begin: int, end: int) -> dict[str, dis.Instruction]:
    """Return the variables that are set between two instructions, and which sets them first."""
    stores: dict[str, dis.Instruction] = {}
    for kind, name, instruction in accesses(code.instructions[begin:end]):
        if kind != "LOAD":
            stores.setdefault(name, instruction)
    return stores


def _changes(
    frame: FrameType, before: Snapshot, stores: Mapping[str, dis.Instruction]
) -> Iterator[Change]:
    if not stores:
        return
    after = frame.f_locals
    for name, store in stores.items():
        old, new = before.values.get(name), after.get(name)
        if not _is_same(old, new):
            yield Change(name, old, new, _location(frame.f_code, store))


def _replaced_items(frame: FrameType, before: Snapshot, span: tuple[int, int]) -> Iterator[Change]:
    """Yield the items and attributes that were set anew; new ones harm nobody."""
    instructions = read_code(frame.f_code).instructions
    for name, items in before.items.items():
        holder = before.values[name]
        now = _items(holder) if items else {}
        for key, old in items.items():
            new = now.get(key, old)
            if _is_same(old, new):
                continue
            if type(holder) in (list, dict):
                store = _item_store(instructions[slice(*span)], name) or instructions[span[0]]
                yield Change(f"{name}[{key!r}]", old, new, _location(frame.f_code, store))
            else:
                place = place_of_store(frame, str(key)) or _location(
                    frame.f_code, instructions[span[0]]
                )
                yield Change(f"{name}.{key}", old, new, place)


def _items(value: object) -> dict[object, object]:
    """Return the items of a list or dict, the plain attributes of others; nothing of many."""
    holder: Any = value if type(value) in (list, dict) else getattr(value, "__dict__", {})
    if len(holder) > _MOST_ITEMS:
        return {}
    if holder is not value:
        return {name: held for name, held in holder.items() if isinstance(held, int | float | str)}
    return {key: holder[key] for key in (holder if type(value) is dict else range(len(holder)))}


def _item_store(instructions: Sequence[dis.Instruction], name: str) -> dis.Instruction | None:
    """Return the first `name[...] = ...` or `name[...] += ...`."""
    for number, store in enumerate(instructions):
        if store.opname == "STORE_SUBSCR":
            in_place = instructions[number - 1].opname == "SWAP"  # back below the new value
            near = instructions[max(number - (_IN_PLACE if in_place else 2), 0) : number]
            if name in (loaded for _, loaded, _ in accesses(near)):
                return store
    return None


def _is_same(old: object, new: object) -> bool:
    """Return whether both are one object, or equal plain values; a tile parameter is an int."""
    if old is new:
        return True
    if isinstance(old, bool) or isinstance(new, bool):
        return False
    is_plain = any(isinstance(old, it) and isinstance(new, it) for it in (int, float, str))
    return is_plain and old == new  # of a tile, `==` would make a mask


def _location(code: CodeType, instruction: dis.Instruction) -> Location:
    place = instruction.positions
    if place is None or place.lineno is None:
        return Location(code.co_filename, code.co_firstlineno)
    return Location(
        code.co_filename,
        place.lineno,
        place.col_offset,
        place.end_col_offset,
        place.end_lineno,
    )


def _what_follows(code: Code, number: int) -> object:
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


def _handler(code: Code, number: int) -> int | None:
    """Return the number of the `with` handler that catches what instruction `number` raises."""
    offset = code.instructions[number].offset
    for start, end, target in code.caught:
        if start <= offset < end:
            first = code.at[target]
            names = [it.opname for it in code.instructions[first : first + 3]]
            return first + names.index(_EXCEPT) if _EXCEPT in names else None
    return None
