"""Which chip scripts are recorded for at the moment, and the last kernel that was built."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.soc import DEFAULT_SOC, Soc, find_soc
from tilelang.diagnostics import Location


class Kernel(Protocol):
    """What a script builds: a `Tik` after `BuildCCE`."""

    @property
    def program(self) -> InstructionProgram:
        """The recorded program."""
        ...

    @property
    def fed_names(self) -> Mapping[str, str]:
        """The program's names by those that the script gave."""
        ...


@dataclass(slots=True)
class Session:
    """One use of the recorder: the chip, which scripts may change, and the kernels they built."""

    soc: Soc
    built: list[Kernel] = field(default_factory=lambda: [])


_SESSION: ContextVar[Session | None] = ContextVar("tik_session", default=None)


@contextmanager
def session(soc: str) -> Generator[Session, None, None]:
    """Record for the chip `soc` inside the `with`; yields where built kernels are noted."""
    opened = Session(find_soc(soc))
    token = _SESSION.set(opened)
    try:
        yield opened
    finally:
        _SESSION.reset(token)


def current_soc() -> Soc:
    """Return the chip that is recorded for: the 910 outside any session."""
    opened = _SESSION.get()
    return opened.soc if opened is not None else find_soc(DEFAULT_SOC)


def select_soc(name: str, loc: Location) -> None:
    """Change the chip, as the script does at `loc`; nothing outside a session.

    Raises:
        TileError: E0603 if there is no chip `name`.
    """
    opened = _SESSION.get()
    if opened is not None:
        opened.soc = find_soc(name, loc)


def note_built(kernel: Kernel) -> None:
    """Remember a kernel on which `BuildCCE` was called."""
    opened = _SESSION.get()
    if opened is not None:
        opened.built.append(kernel)
