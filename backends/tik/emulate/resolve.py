"""Turns instructions with expressions into instructions with numbers, each time they run."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from tilelang.backends.tik.emulate.scalars import compile_expr
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import Binary, Item, Load, Name, Unary
from tilelang.diagnostics import Location
from tilelang.ir.named import NamedInt

Node = TypeVar("Node")


def compile_resolver(
    node: Node, state: State, loc: Location
) -> tuple[Callable[[], tuple[Any, ...]], Callable[[tuple[Any, ...]], Node]]:
    """Return (values, rebuild): the numbers of `node`'s expressions, and `node` holding them.

    `values()` evaluates every expression that is not a number, in a fixed order; `rebuild` puts
    such numbers into a copy. Equal values mean equal copies.
    """
    thunks: list[Callable[[], int | float]] = []
    rebuild = _slots(node, state, loc, thunks)
    if rebuild is None:
        return tuple, lambda values: node
    return lambda: tuple([thunk() for thunk in thunks]), rebuild


def _slots(
    value: Any, state: State, loc: Location, thunks: list[Callable[[], int | float]]
) -> Callable[[tuple[Any, ...]], Any] | None:
    """Return how to copy `value` with numbers; None if it holds no expression."""
    if isinstance(value, Name | Item | Load | Binary | Unary):
        index = len(thunks)
        thunks.append(compile_expr(value, state, loc))
        return lambda values: values[index]
    if isinstance(value, NamedInt):  # whose arithmetic takes many times as long
        number = int(value)
        return lambda _: number
    if isinstance(value, tuple):
        return _tuple_slots(value, state, loc, thunks)  # pyright: ignore[reportUnknownArgumentType]
    if is_dataclass(value) and not isinstance(value, type | Location):
        return _field_slots(value, state, loc, thunks)
    return None


def _tuple_slots(
    items: tuple[Any, ...], state: State, loc: Location, thunks: list[Callable[[], int | float]]
) -> Callable[[tuple[Any, ...]], Any] | None:
    parts = [_slots(item, state, loc, thunks) for item in items]
    if not any(parts):
        return None
    return lambda values: tuple(
        item if part is None else part(values) for item, part in zip(items, parts, strict=True)
    )


def _field_slots(
    node: Any, state: State, loc: Location, thunks: list[Callable[[], int | float]]
) -> Callable[[tuple[Any, ...]], Any] | None:
    parts = [
        (field.name, part)
        for field in fields(node)
        if (part := _slots(getattr(node, field.name), state, loc, thunks)) is not None
    ]
    if not parts:
        return None
    return lambda values: replace(node, **{name: part(values) for name, part in parts})
