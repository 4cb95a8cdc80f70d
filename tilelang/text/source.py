"""A text in the `.tile` form while it is read: places in it, and mistakes shown there."""

import linecache
from bisect import bisect_right
from dataclasses import dataclass, field
from os.path import exists

from tilelang.diagnostics import Diagnostic, Location, Note
from tilelang.text.syntax import Node


@dataclass(frozen=True, slots=True)
class Source:
    """The text of `file`; positions in it are counted in characters from its start."""

    text: str
    file: str
    line_starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Note where each line starts."""
        starts = [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]
        object.__setattr__(self, "line_starts", tuple(starts))

    def show_in_messages(self) -> None:
        """Put the text where messages look for the user's line, unless a file has it."""
        if not exists(self.file):
            lines = self.text.splitlines(keepends=True)
            linecache.cache[self.file] = (len(self.text), None, lines, self.file)

    def place(self, span: tuple[int, int]) -> Location:
        """Return the place of the characters of `span`."""
        line, column = self._line_and_column(span[0])
        end_line, end_column = self._line_and_column(span[1])
        return Location(self.file, line, column, end_column, end_line)

    def fault(
        self,
        code: str,
        message: str,
        span: tuple[int, int],
        *,
        hint: str | None = None,
        notes: tuple[Note, ...] = (),
    ) -> Diagnostic:
        """Return the diagnostic of a mistake in the characters of `span`."""
        return Diagnostic(code, message, self.place(span), hint, notes)

    def shown(self, node: Node) -> str:
        """Return what was written for `node`."""
        return self.text[node.start : node.end]

    def _line_and_column(self, position: int) -> tuple[int, int]:
        """Return the line, from 1, and the byte column of a character."""
        line = bisect_right(self.line_starts, position)
        before = self.text[self.line_starts[line - 1] : position]
        return line, len(before) if before.isascii() else len(before.encode())
