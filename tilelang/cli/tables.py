"""Prints rows as a table for people or as JSON for programs; the same rows either way."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

Value: TypeAlias = "str | int | float | bool | Mapping[str, Value] | Sequence[Value] | None"
Row: TypeAlias = Mapping[str, Value]

WIDTH_WITHOUT_TERMINAL = 1000
"""Characters of a line in a file or a pipe, where rich would assume 80 and fold long cells."""

_STYLES = {"ok": "green", "yes": "green", "wrong": "bold red", "no": "yellow"}


def console() -> Console:
    """Return where tables go."""
    width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(width=width, highlight=False)


def progress() -> Console:
    """Return where progress goes: the standard error, so that output can be piped."""
    return Console(stderr=True, highlight=False)


def show(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool) -> None:
    """Print `rows`; `columns` maps the keys to show in a table to their titles, in order.

    JSON has every key of a row.
    """
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key, title in columns.items():
        values = [row[key] for row in rows if row[key] is not None]
        numeric = bool(values) and all(map(_is_number, values))
        table.add_column(title, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in columns))
    out = console()
    with out.capture() as captured:
        out.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_json(value: Value) -> None:
    """Print `value` as JSON, indented."""
    print(json.dumps(value, indent=2))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Value) -> Text:
    text = _text(value)
    return Text(text, style=_STYLES.get(text, ""))


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"
        case str() | int():
            return str(value)
        case Mapping():
            return " ".join(f"{name}={_text(part)}" for name, part in value.items())
        case _:
            return ", ".join(_text(part) for part in value)
