"""Turns a work with expressions into one with numbers, each time it is unrolled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from tilelang.backends.tik.cycles.scalar_values import (
    Thunk,
    Unknown,
    Values,
    compared_fields,
    compile_value,
)
from tilelang.backends.tik.instructions import (
    Binary,
    Item,
    Load,
    Load2d,
    Name,
    Operand,
    Unary,
    Work,
)

Numbers: TypeAlias = tuple[int | float | None, ...]
Rebuild: TypeAlias = Callable[[Numbers], Any]


def compile_resolver(
    work: Work, values: Values
) -> tuple[Callable[[], Numbers], Callable[[Numbers], Work]]:
    """Return (numbers, rebuild): the numbers of `work`'s expressions, and `work` holding them.

    An offset that depends on data is None among the numbers, and stays an expression. For any other
    expression that does, `numbers` raises Unknown.
    """
    thunks: list[Callable[[], int | float | None]] = []
    rebuild = _slots(work, values, thunks)
    if rebuild is None:
        return tuple, lambda numbers: work
    return lambda: tuple([thunk() for thunk in thunks]), rebuild


_Thunks: TypeAlias = list[Callable[[], int | float | None]]


def _slots(value: Any, values: Values, thunks: _Thunks) -> Rebuild | None:
    """Return how to copy `value` with numbers; None if it holds no expression."""
    if isinstance(value, Name | Item | Load | Binary | Unary):
        return _slot(value, compile_value(value, values), thunks)
    if isinstance(value, tuple):
        return _tuple_slots(value, values, thunks)  # pyright: ignore[reportUnknownArgumentType]
    return _field_slots(value, values, thunks)


def _slot(expr: Any, thunk: Callable[[], int | float | None], thunks: _Thunks) -> Rebuild:
    index = len(thunks)
    thunks.append(thunk)
    return lambda numbers: expr if numbers[index] is None else numbers[index]


def _if_known(thunk: Thunk) -> Callable[[], int | float | None]:
    def evaluate() -> int | float | None:
        try:
            return thunk()
        except Unknown:
            return None

    return evaluate


def _tuple_slots(items: tuple[Any, ...], values: Values, thunks: _Thunks) -> Rebuild | None:
    parts = [_slots(item, values, thunks) for item in items]
    if not any(parts):
        return None
    return lambda numbers: tuple(
        item if part is None else part(numbers) for item, part in zip(items, parts, strict=True)
    )


def _field_slots(node: Any, values: Values, thunks: _Thunks) -> Rebuild | None:
    parts: list[tuple[str, Rebuild]] = []
    for name in compared_fields(node.__class__):
        inner = getattr(node, name)
        if not _is_place(node, name) or isinstance(inner, int | float):
            part = _slots(inner, values, thunks)
        else:
            part = _slot(inner, _if_known(compile_value(inner, values)), thunks)
        if part is not None:
            parts.append((name, part))
    if not parts:
        return None
    return lambda numbers: replace(node, **{name: part(numbers) for name, part in parts})


def _is_place(node: Any, name: str) -> bool:
    """Return whether a field says where an operand starts, and nothing about how much is moved."""
    return (isinstance(node, Operand) and name == "offset") or (
        isinstance(node, Load2d) and name == "index"
    )
