"""What a kernel reads from outside itself: globals, variables of functions around it, attributes.

A kernel is traced once for each kind of arguments. In a notebook a global changes, or a function
that the kernel calls is defined anew, and what was traced before would silently mean the old one.
So the names that the kernel's code reads are watched, and those of the functions behind them.
"""

from __future__ import annotations

import dis
import inspect
import sys
import sysconfig
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

Plain: TypeAlias = bool | int | float | str
Get: TypeAlias = Callable[[str], object]
Variable: TypeAlias = tuple[int, Get, str]
"""The place of a variable (an `id`), what reads it there by its name, and the name."""

Values: TypeAlias = list[tuple[str, Mapping[object, Plain]]]
"""Of every variable in turn: its name, and the plain values it is or holds."""

_ITSELF = object()
_MOST_ITEMS = 64
"""Containers and arrays past this are compared by identity: looking into them would slow every
call down."""

_FIRST = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"})
_NEXT = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_INSTALLED = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")})


class Captured:
    """The variables that a function and the functions it calls read from outside.

    Watched are names, attributes of modules that names reach (`config.scale`), all that a user's
    classes and objects hold, and the code of functions that are called, which IPython's autoreload
    replaces; nothing of Python itself and of installed packages, and no file or environment.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Watch nothing yet: that begins when `function` has been traced."""
        self._function = function
        self._single: list[tuple[Get, str, object]] = []
        self._containers: list[tuple[Get, str, object]] = []

    def has_changed(self) -> bool:
        """Return whether a variable is another than it was when `remember` was called last."""
        for get, name, seen in self._single:
            value = get(name)
            if value is not seen and not _is_same(seen, value):
                return True
        if not self._containers:  # every call asks, and a generator costs more than all of this
            return False
        return any(not _is_same(seen, _kept(get(name))) for get, name, seen in self._containers)

    def remember(self) -> None:
        """Take the variables as they are: those that tracing itself changes are no change."""
        self._single.clear()
        self._containers.clear()
        for get, name in _watched(self._function):
            value = get(name)
            kept = _kept(value)
            (self._single if kept is value else self._containers).append((get, name, kept))


class Outside:
    """The numbers and texts that a function reads from outside, while it is being traced.

    Those that stand in small lists and dicts count too.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Look at nothing yet: few kernels have a loop."""
        self._function = function
        self._variables: tuple[tuple[Get, str], ...] | None = None

    def read(self) -> Values:
        """Return them as they are now."""
        if self._variables is None:
            self._variables = tuple(_watched(self._function))
        return [(name, _plain_items(get(name))) for get, name in self._variables]

    def changes(self, before: Values) -> Iterator[tuple[str, Plain, Plain]]:
        """Yield what is no longer as it was `before`: as it is written, the old and the new value.

        What was not there before is no change.
        """
        for (name, olds), (_, news) in zip(before, self.read(), strict=True):
            for key, old in olds.items():
                new = news.get(key, old)
                if not _is_same(old, new):
                    yield name if key is _ITSELF else f"{name}[{key!r}]", old, new


def _plain_items(value: object) -> Mapping[object, Plain]:
    """Return a number or text itself, or those in a small container by key or index."""
    container: Any = value
    if isinstance(value, Plain):
        return {_ITSELF: value}
    if type(value) not in (list, dict) or len(container) > _MOST_ITEMS:
        return {}
    keys: Iterable[object] = container if type(value) is dict else range(len(container))
    return {key: container[key] for key in keys if isinstance(container[key], Plain)}


def _watched(root: Callable[..., Any]) -> Iterator[tuple[Get, str]]:
    """Yield what reads each variable, once, and its name; functions found on the way add theirs."""
    package = _package(root.__module__)
    visited: set[FunctionType] = set()
    seen: set[tuple[int, str]] = set()
    waiting = list(_functions_in(root))
    while waiting:
        function = waiting.pop()
        if function in visited:
            continue
        visited.add(function)
        own = () if function is root or package == "tilelang" else _own(function)
        for place, get, name in (*own, *_variables(function, package)):
            if (place, name) not in seen:
                seen.add((place, name))
                yield get, name
                found = _functions_in(get(name))
                waiting += [one for one in found if _may_change(one, package)]


def _own(function: FunctionType) -> Iterator[Variable]:
    """Yield what of a user's function may be replaced while it stays the same object."""
    get: Get = function.__getattribute__
    yield from ((id(function), get, name) for name in ("__code__", "__defaults__"))


def _variables(function: FunctionType, package: str) -> Iterator[Variable]:
    """Yield what the code of `function` reads."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for first, *attributes in _chains(function.__code__):
        cell = cells.get(first)
        place: Any = function.__globals__ if cell is None else cell
        get: Get = place.get if cell is None else partial(_content, cell)
        yield id(place), get, first
        value = get(first)
        for name in attributes:
            yield from _holdings(value, package)
            space = _space(value, name, package)
            if space is None:
                break
            yield id(space), space.get, name
            held = space.get(name)
            value = _attribute(value, name) if isinstance(held, MemberDescriptorType) else held
        yield from _holdings(value, package)


def _holdings(value: object, package: str) -> Iterator[Variable]:
    """Yield all that a user's class or object holds: its methods read what no name here shows."""
    kind = value if isinstance(value, type) else type(value)
    if not _is_loose(kind.__module__, None, package):
        return
    classes = [vars(it) for it in inspect.getmro(kind) if _is_loose(it.__module__, None, package)]
    for space in classes:
        yield from ((id(space), space.get, name) for name in space if not name.startswith("__"))
        slots = [name for name, it in space.items() if isinstance(it, MemberDescriptorType)]
        yield from ((id(value), partial(_attribute, value), name) for name in slots)
    own = _attributes(value)  # of names that only the class has so far, it may get one of its own
    names = dict.fromkeys(name for space in (own, *classes) for name in space)
    yield from ((id(own), own.get, name) for name in names if not name.startswith("__"))


@cache
def _chains(code: CodeType) -> tuple[tuple[str, ...], ...]:
    """Return the names that `code` and functions inside it read from outside, with attributes."""
    chains: list[list[str]] = []
    is_open = False
    for instruction in dis.get_instructions(code):
        if instruction.opname in _FIRST:
            chains.append([instruction.argval])
            is_open = True
        elif is_open and instruction.opname in _NEXT:
            chains[-1].append(instruction.argval)
        else:
            is_open = False
    found = dict.fromkeys(map(tuple, chains))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found.update(dict.fromkeys(_chains(constant)))
    return tuple(found)


def _space(value: object, name: str, package: str) -> Mapping[str, object] | None:
    """Return where attribute `name` of `value` is kept; None if it cannot change or is computed."""
    if isinstance(value, ModuleType):
        file = getattr(value, "__file__", None)
        return vars(value) if _is_loose(value.__name__, file, package) else None
    if not isinstance(value, type) and name in _attributes(value):
        return _attributes(value)
    classes = inspect.getmro(value if isinstance(value, type) else type(value))
    holder = next((it for it in classes if name in vars(it)), object)
    return vars(holder) if _is_loose(holder.__module__, None, package) else None


def _attributes(value: object) -> Mapping[str, object]:
    return getattr(value, "__dict__", {})


def _attribute(value: object, name: str) -> object:
    return getattr(value, name, None)


def _content(cell: Any, _: str) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # the variable has no value yet
        return None


def _functions_in(value: object) -> Iterator[FunctionType]:
    """Yield the Python functions that `value` is, wraps or holds."""
    container: Any = value
    match value:
        case FunctionType():
            inner = inspect.unwrap(value)
            yield value
            if inner is not value:
                yield from _functions_in(inner)
        case partial():
            yield from _functions_in(container.func)
        case MethodType() | staticmethod() | classmethod():
            yield from _functions_in(container.__func__)
        case type():
            members = [vars(it).values() for it in inspect.getmro(value)]
            yield from (it for some in members for it in some if isinstance(it, FunctionType))
        case dict() | list() | tuple():
            items: Iterable[object] = container.values() if isinstance(value, dict) else container
            for item in items if len(container) <= _MOST_ITEMS else ():
                yield from _functions_in(item)
        case _ if hasattr(value, "__wrapped__"):  # functools.cache and its like
            yield from _functions_in(inspect.unwrap(container))
        case _ if callable(value):
            yield from _functions_in(type(value))
        case _:
            return


def _may_change(function: FunctionType, package: str) -> bool:
    return _is_loose(function.__module__, function.__code__.co_filename, package)


def _is_loose(module: str | None, file: str | None, package: str) -> bool:
    """Return whether somebody may change a module while it is in use: the kernel's, or a user's."""
    name = module or ""
    top = _package(name)
    if top == "tilelang" and not name.startswith("tilelang.kernels"):
        return False
    if top == package:
        return True
    place = file or getattr(sys.modules.get(name), "__file__", None) or ""
    return top not in sys.stdlib_module_names and not place.startswith(_INSTALLED)


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _kept(value: object) -> object:
    """Return `value`, or a copy of a small container or array that may change in place."""
    container: Any = value
    match value:
        case np.ndarray() if container.size <= _MOST_ITEMS:
            return [str(container.dtype), list(container.shape), *container.ravel().tolist()]
        case dict() if len(container) <= _MOST_ITEMS:
            return [_kept(item) for item in container.items()]
        case list() | tuple() | set() | frozenset() | deque() | bytearray() | array() if (
            len(container) <= _MOST_ITEMS
        ):
            return [_kept(item) for item in container]
        case _:
            return value


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
    return isinstance(old, Plain) and (old == new or (old != old and new != new))  # NaN too
