"""The attributes of a kernel: what number each of them is, and the values that a call gives them.

The function says what an attribute is by its annotation, `bool`, `int` or `float`; without one of
these its default does, and without a default it is an int. A float is kept exactly, as Python's
(binary64), and may be infinite; NaN is refused, since no call would find its program again.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isinf
from typing import Any, TypeAlias

import numpy as np

from tilelang.diagnostics import Diagnostic, Location, Note, TileError
from tilelang.language.mistakes import shown

Kind: TypeAlias = type[int] | type[float]
"""`bool`, `int` or `float`."""

_WANTED: Mapping[Kind, str] = {bool: "a bool", int: "an int", float: "a float"}
_EXAMPLES: Mapping[Kind, float] = {bool: True, int: 1, float: 1.0}


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as the function declares it; every call gives one whose default is None.

    A default that is no number of this kind is kept as it was written, for a message.
    """

    name: str
    kind: Kind
    default: Any

    def read(self, value: Any) -> float | None:
        """Return `value` as a number of this kind that is exactly it; None if there is none.

        numpy's scalars are taken for Python's. A bool is an int, and an int may be a float.
        """
        number = as_python(value)
        if self.kind is bool:
            return bool(number) if isinstance(number, int) and number in (0, 1) else None
        if self.kind is int:
            return int(number) if isinstance(number, int) else None
        return _as_float(number)


def as_python(value: Any) -> Any:
    """Return numpy's scalars as Python's, exactly; everything else as it is."""
    return value.item() if isinstance(value, _SCALARS) else value


_SCALARS: tuple[type[Any], ...] = (np.generic,)


def read_attribute(name: str, parameter: inspect.Parameter) -> Attribute:
    """Return what the keyword `parameter` of a kernel's function declares."""
    default = None if parameter.default is parameter.empty else parameter.default
    found = Attribute(name, _kind(parameter.annotation, as_python(default)), default)
    value = found.read(default)
    return found if value is None else replace(found, default=value)


def default_faults(
    kernel: str, attributes: Iterable[Attribute], location: Location
) -> Iterator[Diagnostic]:
    """Yield E0814 for every default that is no number of its attribute's kind."""
    for one in attributes:
        if one.default is not None and one.read(one.default) is None:
            found = f"the default of attribute `{one.name}` is {shown(one.default)}"
            message = f"{found}, wanted {_WANTED[one.kind]}"
            hint = f"write `{one.name}: float = ...` or another number in `def {kernel}(...)`"
            yield Diagnostic("E0814", message, location, hint)


def python_text(value: object) -> str:
    """Return the value of an attribute as Python source."""
    is_name = isinstance(value, float) and isinf(value)
    return f"float('{value}')" if is_name else repr(value)


def complete_attributes(
    attributes: Mapping[str, Attribute], given: Mapping[str, Any], place: Location, defined: Note
) -> dict[str, float]:
    """Return the value of every attribute: what a call at `place` gives, or the default.

    `defined` says where the kernel is.

    Raises:
        TileError: E0813 for one that is missing, E0814 for one that is no number of its kind.
    """
    values: dict[str, float] = {}
    faults: list[Diagnostic] = []
    for name, one in attributes.items():
        value = given.get(name, one.default)
        number = one.read(value)
        if number is not None:
            values[name] = number
        elif name in given:
            message = f"attribute `{name}` is {shown(value)}, wanted {_wanted(one, value)}"
            faults.append(Diagnostic("E0814", message, place, _hint(one, value), (defined,)))
        else:
            message = f"the attribute `{name}` is not given"
            hint = f"pass {name}=...; it has no default"
            faults.append(Diagnostic("E0813", message, place, hint, (defined,)))
    if faults:
        raise TileError(*faults)
    return values


def _kind(annotation: object, default: object) -> Kind:
    for kind in _WANTED:
        if annotation in (kind, kind.__name__):
            return kind
    return next((kind for kind in _WANTED if isinstance(default, kind)), int)


def _as_float(number: object) -> float | None:
    """Return the float that is exactly `number`."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if value == number else None


def _wanted(attribute: Attribute, value: Any) -> str:
    wanted = _WANTED[attribute.kind]
    number = as_python(value)
    if attribute.kind is float and isinstance(number, int) and not isinstance(number, bool):
        return f"{wanted}, and none is exactly that"
    if attribute.kind is float and isinstance(number, float):
        return f"{wanted} that is a number"
    return wanted


def _hint(attribute: Attribute, value: Any) -> str:
    """Return what to write instead of `value`, which `attribute` does not take."""
    name, kind = attribute.name, attribute.kind
    number = as_python(value)
    if isinstance(number, str):
        return f"pass the number itself, without quotes: {name}={_example(attribute)}"
    if kind is int and isinstance(number, float):
        if not number.is_integer():
            return f"declare `{name}: float` in the kernel: an int would mean something else"
        return f"pass {name}={int(number)}, or declare `{name}: float` if it may be a fraction"
    if value is None and attribute.default is not None:
        return f"leave {name} out for its default, {_example(attribute)}"
    converts = hasattr(number, "__float__") and not isinstance(number, bool | float)
    if kind is not bool and converts:
        return f"write {name}={kind.__name__}(...), which may round"
    return f"pass {_WANTED[kind]}, as in {name}={_example(attribute)}"


def _example(attribute: Attribute) -> float:
    return _EXAMPLES[attribute.kind] if attribute.default is None else attribute.default
