"""What a kernel's function reads from outside itself: globals and variables of functions around it.

A kernel is traced once for each kind of arguments. In a notebook a global changes, or a function
that the kernel calls is defined anew, and what was traced before would silently mean the old one.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any, TypeAlias

Plain: TypeAlias = bool | int | float | str

_MOST_ITEMS = 64
"""Containers past this are compared by identity: looking into them would slow every call down."""


class Captured:
    """The outside variables of a function, and what they were when it was traced."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Find the variables that `function` reads, itself or in functions defined inside it."""
        self._globals: Mapping[str, object] = getattr(function, "__globals__", {})
        self._cells = getattr(function, "__closure__", None) or ()
        self._names = tuple(dict.fromkeys(_global_names(function.__code__)))
        self._seen: list[object] | None = None

    def has_changed(self) -> bool:
        """Return whether a variable is another than it was, and remember what it is now."""
        before = self._seen
        self.remember()
        return before is not None and not _is_same(before, self._seen)

    def remember(self) -> None:
        """Take the variables as they are: those that tracing itself changes are no change."""
        values = [self._globals.get(name) for name in self._names]
        self._seen = [_kept(value) for value in (*values, *map(_content, self._cells))]


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # the variable has no value yet
        return None


def _kept(value: object) -> object:
    """Return `value`, or a copy of a small container that may change in place."""
    container: Any = value
    if type(value) not in (list, tuple, dict) or len(container) > _MOST_ITEMS:
        return value
    return [_kept(item) for item in (container.items() if type(value) is dict else container)]


def _is_same(old: object, new: object) -> bool:
    """Return whether both are one object, equal numbers or texts, or containers of such."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    olds: Any = old
    news: Any = new
    if type(old) is list:
        return len(olds) == len(news) and all(map(_is_same, olds, news))
    return isinstance(old, Plain) and old == new
