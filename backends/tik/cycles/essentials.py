"""What of an instruction its cost depends on, and which scalars therefore matter.

Most iterations of a loop cost the same: their addresses in GM differ, and nothing else. Here is
said what does not matter, so that such iterations are recognised without being looked at.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tilelang.backends.tik.cycles.scalar_values import compared_fields, expressions, names
from tilelang.backends.tik.instructions import (
    Body,
    Compact,
    CompareToMask,
    Convert,
    DataMovePad,
    Elementwise,
    Exit,
    Fixpipe,
    ForRange,
    HighPrecision,
    If,
    Item,
    Lanes,
    Load3d,
    Mmad,
    Name,
    Operand,
    Reduce,
    Scalar,
    ScalarArray,
    ScalarFunction,
    Scope,
    Select,
    SetScalar,
    TensorMove,
    WholeReduce,
    Work,
    walk,
)


def essential(work: Work, scopes: Mapping[str, Scope]) -> Work:
    """Return `work` without what its cost does not depend on: addresses in GM, lanes, values."""
    return _without_gm_offsets(_without_values(work), scopes)


def _without_values(work: Work) -> Work:
    match work:
        case Elementwise():
            return replace(work, mask=1, scalar=None)
        case Convert():
            return replace(work, mask=1, deqscale=None)
        case Select(b=b):
            return replace(work, mask=1, b=b if isinstance(b, Lanes) else 0)
        case Mmad():
            return replace(work, accumulate=1)
        case Load3d(pad=(left, right, _, _)):
            return replace(
                work, pad=(left, right, 0, 0), height=1, c1=0, fetch=(0, 0), left_top=(0, 0),
                pad_value=0,
            )  # fmt: skip
        case DataMovePad():
            return replace(work, right_padding=0, left_padding=0, padding_value=None)
        case TensorMove() | Fixpipe():
            return _without_scales(work)
        case Compact():
            return replace(work, mask=1, pattern=1, pattern_stride=0)
        case HighPrecision() | CompareToMask() | Reduce() | WholeReduce():
            return replace(work, mask=1)
        case _:
            return work


def _without_scales(work: TensorMove | Fixpipe) -> Work:
    if isinstance(work, TensorMove):
        return replace(work, deqscale=None)
    return replace(work, scale=None)


def _without_gm_offsets(node: Any, scopes: Mapping[str, Scope]) -> Any:
    """Return `node` with every operand in GM at its tensor's start."""
    if isinstance(node, Operand):
        is_gm = scopes[node.tensor] is Scope.GM
        return replace(node, offset=0) if is_gm and node.offset != 0 else node
    if isinstance(node, tuple):
        items: tuple[Any, ...] = node  # pyright: ignore[reportUnknownVariableType]
        return tuple(_without_gm_offsets(item, scopes) for item in items)
    changes: dict[str, Any] = {}
    for name in compared_fields(node.__class__):
        old = getattr(node, name)
        if isinstance(old, tuple | Operand | Lanes):
            new = _without_gm_offsets(old, scopes)
            if new is not old and new != old:
                changes[name] = new
    return replace(node, **changes) if changes else node


def names_in(node: object) -> frozenset[str]:
    """Return the scalars that the expressions of `node` use."""
    return frozenset(name for expr in expressions(node) for name in names(expr))


def essential_names(body: Body, used: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """Return the scalars whose values costs depend on, directly or through other scalars.

    `used` holds the scalars in the essential form of every work, by `id`.
    """
    found: set[str] = set()
    assignments: list[tuple[str, frozenset[str]]] = []
    for instruction in walk(body):
        match instruction:
            case SetScalar(target, value):
                assignments.append((target_name(target), names(value) | _index_names(target)))
            case ScalarFunction(target=target, args=args):
                read = names_in(args)
                assignments.append((target_name(target), read | _index_names(target)))
            case Scalar(name, init=init) | ScalarArray(name, init=init):
                assignments.append((name, names(init or 0)))
            case ForRange(begin=begin, end=end, block_num=blocks):
                found |= names(begin) | names(end) | names(blocks)
            case If(branches):
                found |= {name for branch in branches for name in names(branch.condition)}
            case _:
                found |= used.get(id(instruction), frozenset())
    return _closure(found, assignments)


def used_names(
    body: Body, of_work: Mapping[int, frozenset[str]], names_that_matter: frozenset[str]
) -> frozenset[str] | None:
    """Return those of `names_that_matter` that decide what one run of `body` does.

    None if it may be left early, or sets one of them: then runs depend on each other.
    """
    used: set[str] = set()
    for item in walk(body):
        match item:
            case Exit():
                return None
            case SetScalar(target=target) | ScalarFunction(target=target):
                if target_name(target) in names_that_matter:
                    return None
            case Scalar(name) | ScalarArray(name):
                if name in names_that_matter:
                    return None
            case ForRange(begin=begin, end=end):
                used |= names(begin) | names(end)
            case If(branches):
                used |= {name for branch in branches for name in names(branch.condition)}
            case _:
                used |= of_work.get(id(item), frozenset())
    return frozenset(used) & names_that_matter


def _closure(found: set[str], assignments: list[tuple[str, frozenset[str]]]) -> frozenset[str]:
    size = -1
    while size != len(found):
        size = len(found)
        for target, used in assignments:
            if target in found:
                found |= used
    return frozenset(found)


def target_name(target: Name | Item) -> str:
    """Return the name of the scalar, or scalar array, that an assignment sets."""
    return target.name if isinstance(target, Name) else target.array


def _index_names(target: Name | Item) -> frozenset[str]:
    return names(target.index) if isinstance(target, Item) else frozenset()
