"""The queues of an AI core."""

from enum import Enum

from tilelang.backends.tik.instructions import Scope


class Pipe(Enum):
    """A queue of instructions, executed in order; the value is the vendor's name."""

    S = "S"
    """The scalar unit, which executes and hands out everything in the program's order."""
    V = "V"
    M = "M"
    """The cube."""
    MTE1 = "MTE1"
    MTE2 = "MTE2"
    MTE3 = "MTE3"
    FIX = "FIX"

    @property
    def number(self) -> int:
        """Position among the pipes."""
        return _NUMBERS[self]


_NUMBERS = {pipe: number for number, pipe in enumerate(Pipe)}
PIPES = tuple(Pipe)

SCOPE_NAMES = {
    Scope.GM: "gm",
    Scope.L1: "l1",
    Scope.L1OUT: "l0c",
    Scope.L0A: "l0a",
    Scope.L0B: "l0b",
    Scope.L0C: "l0c",
    Scope.UB: "ub",
}
"""How machine files spell the memory of each scope."""
