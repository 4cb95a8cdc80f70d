"""What a user is told: a code, a sentence, their line with a caret, the other line, and a hint.

Every mistake raises one exception, `TileError`, that holds all the `Diagnostic`s found together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tilelang.diagnostics.location import UNKNOWN, Location

__all__ = ["UNKNOWN", "Diagnostic", "Location", "Note", "TileError"]


@dataclass(frozen=True, slots=True)
class Note:
    """A second place involved, and what it has to do with the mistake."""

    message: str
    location: Location


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: its code, what is wrong, where, and what to do.

    `code` is a key of `tilelang explain`; `message` says what was found and what was wanted, with
    types, units and the user's names; `hint` is an instruction. `details` are lines shown below
    the excerpt as they are: a table, or the drawing of a layout.
    """

    code: str
    message: str
    location: Location | None = None
    hint: str | None = None
    notes: tuple[Note, ...] = ()
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Render the diagnostic, several lines without a final newline."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        place = f"{self.location}: " if self.location and self.location != UNKNOWN else ""
        yield f"{place}error[{self.code}]: {self.message}"
        if self.location:
            yield from self.location.excerpt()
            yield from _callers(self.location)
        yield from (f"    {line}" for line in self.details)
        for note in self.notes:
            yield f"    {note.location}: note: {note.message}"
            yield from note.location.excerpt(" " * 8)
        if self.hint:
            yield f"    hint: {self.hint}"


class TileError(Exception):
    """A mistake in a kernel or in a call of one: one or more diagnostics, in source order."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        """Hold `diagnostics`, of which there is at least one."""
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        """Render every diagnostic."""
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


def _callers(location: Location) -> Iterator[str]:
    caller = location.called_from
    while caller:
        yield f"    called from {caller}"
        yield from caller.excerpt(" " * 8)
        caller = caller.called_from
