"""What an instruction costs: the pipe it keeps busy, for how long, and the bytes it touches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from tilelang.backends.tik.cycles.pipes import SCOPE_NAMES, Pipe
from tilelang.backends.tik.cycles.rates import Rates
from tilelang.backends.tik.instructions import Expr, Operand, Scope


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes `low` .. `high` - 1 of a tensor: all that lies between its ends, gaps too."""

    tensor: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One use of one pipe.

    `cycles` count from when it starts to when its results are there. `following` counts instead
    where it starts right behind its predecessor and reads nothing of it: the start-up is hidden.
    """

    pipe: Pipe
    cycles: int
    reads: tuple[Extent, ...]
    writes: tuple[Extent, ...]
    label: str
    following: int | None = None
    setup: int = 0
    """Cycles of the scalar unit before it can be handed out, beside those of its expressions."""
    path: str = ""
    """The way of the bytes: "gm-l1"."""
    n_bytes: int = 0
    memory_bytes: float = 0.0
    """Of them, those that DDR or HBM moves; the others meet in L2."""
    fractals: int = 0
    flop: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """What costs depend on beside the instruction's own numbers."""

    rates: Rates
    scopes: Mapping[str, Scope]
    """The memory of each tensor."""
    misses: Mapping[str, float]
    """The share of the bytes moved from or to each GM tensor that L2 does not hold."""
    n_active: int
    """Cores that work at the same time, and share GM."""
    starts: Mapping[str, int] = field(default_factory=lambda: {})
    """Where each tensor begins in its memory, in bytes."""

    def scope(self, operand: Operand) -> Scope:
        """Return the memory that `operand` is in."""
        return self.scopes[operand.tensor]

    def path(self, src: Operand, dst: Operand) -> str:
        """Return the path as machine files spell it: `gm_l1`."""
        return f"{SCOPE_NAMES[self.scope(src)]}_{SCOPE_NAMES[self.scope(dst)]}"


FRACTAL_ELEMENTS = 256
"""Elements of one fractal of L0C, whatever their type: 16 by 16 (TIK reference, mmad)."""

WHOLE = 1 << 40
"""The end of an extent that is the whole tensor."""


def value(expr: Expr) -> int:
    """Return an expression that has been evaluated as the integer it is."""
    assert isinstance(expr, int | float), expr
    return int(expr)


def start_of(operand: Operand) -> int | None:
    """Return the byte at which `operand` starts, None where nobody knows."""
    if not isinstance(operand.offset, int | float):
        return None
    return int(operand.offset) * operand.dtype.n_bytes


def extent(operand: Operand, n_bytes: int) -> Extent:
    """Return `n_bytes` from the start of `operand`, or all of the tensor if that is not known."""
    start = start_of(operand)
    if start is None:
        return Extent(operand.tensor, 0, WHOLE)
    return Extent(operand.tensor, start, start + max(n_bytes, 1))


def whole(operand: Operand) -> Extent:
    """Return all of the tensor of `operand`."""
    return Extent(operand.tensor, 0, WHOLE)


def round_up(cycles: float) -> int:
    """Return whole cycles; a pipe is a clocked thing, and whole numbers add up exactly."""
    return ceil(cycles - 1e-9)
