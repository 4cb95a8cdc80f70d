"""A text inside the user's program, and mistakes in it shown with a caret."""

import linecache
from dataclasses import dataclass, replace
from typing import Protocol

from tilelang.diagnostics import Diagnostic, Location


class Text(Protocol):
    """A text that is read, and can show a mistake in it."""

    @property
    def text(self) -> str:
        """All of it."""
        ...

    def fault(
        self, code: str, message: str, span: tuple[int, int], *, hint: str | None = None
    ) -> Diagnostic:
        """Return the diagnostic of a mistake in the characters of `span`."""
        ...


@dataclass(frozen=True, slots=True)
class Quoted:
    """A string literal's value, and the place of the call that holds it.

    Where the literal stands in the file as it is (no escapes, not split), a mistake is shown in the
    user's own line; otherwise the text itself is shown below it.
    """

    text: str
    location: Location

    def place(self, start: int, end: int) -> Location:
        """Return the place of the characters `start` to `end`; the whole call's if not found."""
        offset, source = self._found()
        if offset is None:
            return self.location
        line, column = _line_and_column(source, offset + start)
        last_line, last_column = _line_and_column(source, offset + max(end, start + 1))
        return replace(
            self.location,
            line=self.location.line + line,
            column=column,
            end_line=self.location.line + last_line,
            end_column=last_column,
        )

    def fault(
        self, code: str, message: str, span: tuple[int, int], *, hint: str | None = None
    ) -> Diagnostic:
        """Return the diagnostic of a mistake in the characters of `span`."""
        is_shown = self._found()[0] is not None or not self.text.strip()
        details = () if is_shown else self._drawing(*span)
        return Diagnostic(code, message, self.place(*span), hint, details=details)

    def _found(self) -> tuple[int | None, str]:
        """Return where the text starts in the lines of the call, and those lines."""
        first, last = self.location.line, self.location.end_line or self.location.line
        lines = [linecache.getline(self.location.file, line) for line in range(first, last + 1)]
        source = "".join(lines)
        skipped = len(lines[0].encode()[: self.location.column or 0].decode(errors="ignore"))
        offset = source.find(self.text, skipped) if self.text.strip() else -1
        return (None if offset < 0 else offset), source

    def _drawing(self, start: int, end: int) -> tuple[str, ...]:
        first = self.text.rfind("\n", 0, start) + 1
        line = self.text[first:].partition("\n")[0]
        width = max(min(end - first, len(line)) - (start - first), 1)
        return line, " " * (start - first) + "^" * width


def _line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Return the line, from 0, and the byte column of a character of `source`."""
    before = source[:offset]
    return before.count("\n"), len(before[before.rfind("\n") + 1 :].encode())
