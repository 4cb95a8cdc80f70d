"""What became of one combination of tile parameters."""

from dataclasses import dataclass
from enum import Enum

from tilelang.sweep.space import Tiles


class Status(Enum):
    """How a trial ended."""

    RANKED = "ranked"
    """It has a value."""
    DROPPED = "dropped"
    """A rough judgement was enough: others were better."""
    ILLEGAL = "illegal"
    """The verifier or the backend refused the program."""
    FAILED = "failed"
    """It was legal, and went wrong while it was compiled or run."""
    WRONG = "wrong"
    """It would have won, and its result is not the reference's."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination of tiles: a value, or the reason why there is none.

    `value` is in seconds or cycles, the median of `samples`; `noise` is their spread as a share of
    it. `code` and `reason` are those of the error; `reused` says that the log had it already.
    """

    tiles: Tiles
    status: Status
    value: float | None = None
    noise: float | None = None
    samples: tuple[float, ...] = ()
    code: str | None = None
    reason: str | None = None
    reused: bool = False

    @property
    def text(self) -> str:
        """The tiles as a call says them: `n_tile=256, k_tile=64`."""
        return tiles_text(self.tiles)


def tiles_text(tiles: Tiles) -> str:
    """Return tiles as a call says them: `n_tile=256, k_tile=64`."""
    return ", ".join(f"{name}={value}" for name, value in tiles.items())
