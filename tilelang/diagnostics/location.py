"""Where in the user's text something was written."""

import linecache
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A range of one file; columns are UTF-8 byte offsets from 0, as Python's code objects hold.

    `column` and `end_column` are None where Python recorded none. `called_from` is the caller's
    place when the text stands in a helper function, out to the kernel body.
    """

    file: str
    line: int
    column: int | None = None
    end_column: int | None = None
    end_line: int | None = None
    called_from: "Location | None" = None

    def __str__(self) -> str:
        """Return `file:line:column`, the column counted from 1 in characters where it is known."""
        if self.column is None:
            return f"{self.file}:{self.line}"
        return f"{self.file}:{self.line}:{self._character(self.column) + 1}"

    @property
    def short(self) -> str:
        """The place as `file:line`, for the middle of a sentence."""
        return f"{self.file}:{self.line}"

    def excerpt(self, indent: str = "    ") -> list[str]:
        """Return the line without its indentation and carets below it; nothing without a source."""
        text = linecache.getline(self.file, self.line).rstrip()
        if not text:
            return []
        stripped = text.lstrip()
        shown = [indent + stripped]
        if self.column is not None:
            margin = len(text) - len(stripped)
            start = max(self._character(self.column) - margin, 0)
            end = len(stripped)
            if self.end_column is not None and self.end_line in (None, self.line):
                end = self._character(self.end_column) - margin
            shown.append(f"{indent}{_blank(stripped[:start])}{_carets(stripped[start:end])}")
        return shown

    def _character(self, column: int) -> int:
        text = linecache.getline(self.file, self.line)
        return len(text.encode()[:column].decode(errors="ignore")) if text else column


def _blank(text: str) -> str:
    """Return white space as wide as `text` is on a terminal."""
    return "".join("\t" if letter == "\t" else " " * _width(letter) for letter in text)


def _carets(text: str) -> str:
    """Return carets as wide as `text` is on a terminal, at least one."""
    return "^" * max(sum(map(_width, text)), 1)


def _width(letter: str) -> int:
    """Return the columns of a terminal that a letter takes: Chinese and its like take two."""
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


UNKNOWN = Location("<unknown>", 0)
"""Of a node that no user wrote, made by a pass or a test."""
