"""What buffers hold while a program runs: values, and shadow planes that say what they are worth.

A plane is one scalar while it is the same for every element, and an array only after that: a clean
tile costs nothing per element.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy.indices import Variables
from tilelang.backends.numpy.operands import Operation
from tilelang.backends.numpy.places import Place
from tilelang.diagnostics import UNKNOWN, Location
from tilelang.ir.nodes import Core
from tilelang.ir.region import Buffer

Array: TypeAlias = NDArray[Any]
Defined: TypeAlias = bool | NDArray[np.bool_]


class Stem(IntEnum):
    """What an element was computed from.

    In rising order: what is computed from several elements stems from the highest of theirs. So
    *padding*, what stems from overhang, was computed from that and constants alone.
    """

    CONSTANTS = 0
    OVERHANG = 1
    DATA = 2


OVERHANG = np.int8(Stem.OVERHANG)
"""What marks padding in an array; comparing with the enum's own member is slower."""

Stems: TypeAlias = Stem | NDArray[np.int8]


@dataclass(slots=True, eq=False)
class Tile:
    """A buffer's elements in logical order, whatever its layout, and their shadow planes."""

    buffer: Buffer
    values: Array
    defined: Defined = False
    """Whether an element was written since the buffer was allocated."""
    stems: Stems = Stem.DATA
    origin: Location = UNKNOWN
    """The statement that brought padding in last."""
    writers: NDArray[np.int32] | None = None
    """Token of who wrote an element in the running stage; None where nobody can race."""
    readers: NDArray[np.int32] | None = None
    """Token of who read it first."""

    def forget(self) -> None:
        """Make every element undefined, as an allocation does."""
        self.defined, self.stems = False, Stem.DATA

    def mark(self, place: Place, stems: Stems, origin: Location) -> None:
        """Note that the elements at `place` were written, and what they stem from."""
        if origin is not UNKNOWN:
            self.origin = origin
        if place.is_whole:
            self.defined = True
        elif self.defined is not True:
            self._mark_defined(place)
        if place.is_whole and isinstance(stems, Stem):
            self.stems = stems
        elif stems is not self.stems:
            self._mark_stems(place, stems)

    def _mark_defined(self, place: Place) -> None:
        if isinstance(self.defined, bool):
            self.defined = np.zeros(self.buffer.shape, np.bool_)
        place.write(self.defined, True)

    def _mark_stems(self, place: Place, stems: Stems) -> None:
        if isinstance(self.stems, Stem):
            self.stems = np.full(self.buffer.shape, self.stems, np.int8)
        place.write(self.stems, stems)


@dataclass(frozen=True, slots=True)
class Shared:
    """A stage that runs on several cores: its grid, and the statements that touch GM.

    A *token* is one number for a core and a statement: `core * len(statements) + number`. Cores run
    in ascending order, so every token below a core's first one belongs to another core.
    """

    grid: tuple[Core, ...]
    statements: tuple[Operation, ...]


@dataclass(slots=True, eq=False)
class Run:
    """One execution of a program: nothing of it outlives the call."""

    tiles: list[Tile]
    variables: Variables = field(default_factory=dict[str, int])
    first_token: int = 0
    """The running core's lowest token."""
    stage: Shared | None = None
    """The running stage, if it has several cores."""
