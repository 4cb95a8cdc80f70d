"""`tilelang language`: all that a kernel may call, on one page, and each name at length."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Annotated

import typer

from tilelang.cli.options import JsonOption
from tilelang.cli.tables import Row, print_json
from tilelang.guide import CHAPTERS, IN_EXAMPLES, Chapter, Entry, entries, find_topic

WIDTH = 100
"""Characters of a line."""
_CALLS = 36
"""Characters of the column of calls."""


def language(
    topic: Annotated[
        str | None, typer.Argument(help="A name, such as data_move, or a chapter, such as loops.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List all that kernels are made of; say more about one name, or about a chapter of them."""
    if as_json:
        print_json(_rows(topic))
        return
    print("\n".join(_page() if topic is None else _topic(find_topic(topic))))


def _page() -> Iterator[str]:
    yield "`import tilelang as tl`; `tilelang language NAME` says more of a name or of a [chapter]."
    for chapter in CHAPTERS:
        yield f"\n{chapter.title}  [{chapter.topic}]"
        yield from wrap(chapter.about, WIDTH, initial_indent="  ", subsequent_indent="  ")
        for entry in entries(chapter):
            yield from _line(entry)


def _line(entry: Entry) -> list[str]:
    """Return the call and the summary; the summary below the call if that is long."""
    call = f"    {entry.short_call}".ljust(_CALLS + 4)
    indent = " " * (_CALLS + 6)
    if len(call) > _CALLS + 4:
        return [call, *wrap(entry.summary, WIDTH, initial_indent=indent, subsequent_indent=indent)]
    return wrap(entry.summary, WIDTH, initial_indent=f"{call}  ", subsequent_indent=indent)


def _topic(found: list[Entry]) -> Iterator[str]:
    for number, entry in enumerate(found):
        if number:
            yield ""
        yield f"{entry.call}\n"
        yield from (f"    {line}".rstrip() for line in entry.text.splitlines())
    if any(entry.example for entry in found):
        yield "\n" + "\n".join(wrap(IN_EXAMPLES, WIDTH))


def _rows(topic: str | None) -> list[Row]:
    wanted = None if topic is None else {entry.name for entry in find_topic(topic)}
    return [
        _row(chapter, entry)
        for chapter in CHAPTERS
        for entry in entries(chapter)
        if wanted is None or entry.name in wanted
    ]


def _row(chapter: Chapter, entry: Entry) -> Row:
    return {
        "chapter": chapter.topic,
        "name": entry.name,
        "call": entry.call,
        "summary": entry.summary,
        "text": entry.text,
    }
