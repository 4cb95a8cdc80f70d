"""A row of a table of kernels, and the table as markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

HEAD = (
    "| case | ours, us | peer | its us | ratio | goal | note |",
    "|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One case measured, everyone in the same run."""

    case: str
    """Kernel, sizes and dtype, as a reader would name them."""
    seconds: float
    """Our median."""
    peer: str = ""
    """Whom we are compared with; empty where nobody is installed."""
    peer_seconds: float = 0.0
    """The peer's median, of the same samples."""
    goal: float = 0.0
    """The ratio that is wanted at least; 0 where none is."""
    note: str = ""
    """Why a row falls short, or what else a reader should know."""

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the peer we are; None without one."""
        return self.peer_seconds / self.seconds if self.peer else None

    @property
    def is_short(self) -> bool:
        """Whether there is a goal that the ratio misses."""
        return self.ratio is not None and round(self.ratio, 2) < self.goal

    def line(self) -> str:
        """Return the row as a line of the table that `HEAD` begins."""
        cells = [self.case, f"{1e6 * self.seconds:.0f}"]
        if self.ratio is None:
            cells += ["none installed", "", ""]
        else:
            ratio = f"{self.ratio:.2f}"
            cells += [self.peer, f"{1e6 * self.peer_seconds:.0f}", ratio]
        goal = f"{self.goal:.2f}" if self.goal else ""
        missed = "missed. " if self.is_short else ""
        return f"| {' | '.join([*cells, goal, (missed + self.note).strip()])} |"


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield from HEAD
    for row in rows:
        yield row.line()
