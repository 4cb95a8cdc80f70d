"""What a check found: a row for the kernel itself, and one for each backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilelang.check.diagnosis.picture import Picture

OK = "ok"
REFUSED = "refused: "
"""Begins the verdict on a backend that nobody named and that cannot express the program."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one backend did: the largest error and share of the bound over all families.

    `verdict` is "ok", or what is wrong in a few words, or the error that was raised; "refused: "
    and a code of a backend that was not asked for by name and cannot express the program.
    """

    backend: str
    machine: str
    seconds: float | None
    max_error: float | None
    share: float | None
    verdict: str
    mode: str | None = None
    """How it ran, if not as users run it: `interpreter` for triton without a GPU."""
    families: tuple[tuple[str, float], ...] = ()
    """The largest share of the bound on each family of inputs."""
    explanation: tuple[str, ...] = ()
    """What kind of wrong it is, and where it starts: sentences."""
    picture: Picture | None = None
    """The error over a wrong result."""

    @property
    def where(self) -> str:
        """The machine, and the mode if there is one."""
        return f"{self.machine} ({self.mode})" if self.mode else self.machine

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "backend": self.backend,
            "machine": self.machine,
            "mode": self.mode,
            "seconds": self.seconds,
            "max_error": self.max_error,
            "share": self.share,
            "families": dict(self.families),
            "verdict": self.verdict,
            "explanation": list(self.explanation),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a check, for one kernel, one problem and one seed.

    `meaning` is about the kernel alone: its program in float64 against its reference. None of a
    program that has no reference.
    """

    kernel: str
    problem: str
    seed: int
    rows: tuple[Row, ...]
    meaning: Row | None = None

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The kernel's own row, and those of the backends."""
        return self.rows if self.meaning is None else (self.meaning, *self.rows)

    @property
    def ok(self) -> bool:
        """Whether the kernel means its reference, and every backend does what it means.

        A backend that refused, though nobody had named it, does not count.
        """
        return all(row.verdict == OK or row.verdict.startswith(REFUSED) for row in self.all_rows)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "kernel": self.kernel,
            "problem": self.problem,
            "seed": self.seed,
            "ok": self.ok,
            "meaning": self.meaning and self.meaning.to_json(),
            "rows": [row.to_json() for row in self.rows],
        }

    def save_picture(self, path: str | Path) -> Path | None:
        """Write the picture of the first wrong result: SVG, or PNG if `path` says so.

        Returns where it is, or None if nothing is wrong. PNG needs matplotlib.
        """
        pictures = [row.picture for row in self.all_rows if row.picture is not None]
        if not pictures:
            return None
        pictures[0].save(Path(path))
        return Path(path)

    def __str__(self) -> str:
        """Return a table in plain text, and what is wrong below it."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.kernel} {self.problem} (seed {self.seed})"
        width = max(12, *(len(row.where) + 2 for row in self.all_rows), 0)
        yield (
            f"  {'backend':<12}{'machine':<{width}}{'time':>10}{'max error':>12}"
            f"{'of bound':>10}  verdict"
        )
        for row in self.all_rows:
            seconds = "-" if row.seconds is None else f"{row.seconds * 1e3:.2f} ms"
            error = "-" if row.max_error is None else f"{row.max_error:.2g}"
            share = "-" if row.share is None else f"{row.share:.2g}"
            yield (
                f"  {row.backend:<12}{row.where:<{width}}{seconds:>10}{error:>12}"
                f"{share:>10}  {row.verdict}"
            )
        for row in self.all_rows:
            yield from (f"  {row.backend}: {sentence}" for sentence in row.explanation)
