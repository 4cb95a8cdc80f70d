"""Whoever wants to see a sweep go on."""

from typing import Protocol

from tilelang.sweep.trial import Trial


class Watch(Protocol):
    """Is told what a sweep does; the command line shows a progress bar."""

    def begin(self, what: str, n_trials: int) -> None:
        """`n_trials` trials follow; `what` says what is done with them."""
        ...

    def finish(self, trial: Trial) -> None:
        """One of them has ended."""
        ...


class Unwatched:
    """Nobody looks."""

    def begin(self, what: str, n_trials: int) -> None:
        """Say nothing."""

    def finish(self, trial: Trial) -> None:
        """Say nothing."""
