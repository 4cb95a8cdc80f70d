"""The values of a tile parameter as text: `16:1024:x2`, `16:128:+16`, `16,32,64`."""

import re
from collections.abc import Sequence

from tilelang.diagnostics import Diagnostic, TileError, callsite

MAX_VALUES = 10_000
"""Of one parameter; more is a slip of the pen."""

_RANGE = re.compile(r"(\d+):(\d+):([x+])(\d+)")
_LIST = re.compile(r"\d+(,\d+)*")


def read_values(name: str, text: str) -> tuple[int, ...]:
    """Return the values that `text` gives the parameter `name`; both ends of a range count.

    Raises:
        TileError: E0901 for another form, or for a range that does not end.
    """
    text = text.strip()
    if _LIST.fullmatch(text):
        return tuple(map(int, text.split(",")))
    match = _RANGE.fullmatch(text)
    if match is None:
        raise TileError(_malformed(name, text))
    first, last, kind, step = int(match[1]), int(match[2]), match[3], int(match[4])
    if step < (2 if kind == "x" else 1) or (kind == "x" and first < 1):
        raise TileError(_endless(name, text))
    return _steps(name, text, (first, last, kind, step))


def read_settings(option: str, texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the values by parameter of `n_tile=16:1024:x2`, given by a command's `option`.

    Raises:
        TileError: E0901 for another form, or for a parameter that is given twice.
    """
    settings: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            message = f"{option} takes a tile parameter and its values, and {text!r} is not that"
            raise TileError(Diagnostic("E0901", message, hint=f"write {option} n_tile=16:1024:x2"))
        if name in settings:
            message = f"{option} gives `{name}` twice"
            hint = f"write all its values at once: {option} {name}=16,32,64"
            raise TileError(Diagnostic("E0901", message, hint=hint))
        settings[name] = read_values(name, values)
    return settings


def _steps(name: str, text: str, steps: tuple[int, int, str, int]) -> tuple[int, ...]:
    value, last, kind, step = steps
    values: list[int] = []
    while value <= last:
        values.append(value)
        if len(values) > MAX_VALUES:
            raise TileError(_endless(name, text))
        value = value * step if kind == "x" else value + step
    return tuple(values)


def _malformed(name: str, text: str) -> Diagnostic:
    hint = "write 16:1024:x2 (doubling), 16:128:+16 (in steps) or 16,32,64 (a list)"
    if "=" in text:
        hint = "give each parameter an option of its own: --tile n_tile=16,32 --tile k_tile=64,128"
    return Diagnostic(
        "E0901",
        f"the values of `{name}` are {text!r}, which is neither a range nor a list of numbers",
        callsite.location(None),
        hint,
    )


def _endless(name: str, text: str) -> Diagnostic:
    return Diagnostic(
        "E0901",
        f"the range {text!r} of `{name}` has no end, or over {MAX_VALUES:,} values",
        callsite.location(None),
        "write a factor of at least 2 (16:1024:x2) or a step of at least 1 (16:128:+16)",
    )
