"""Arrays between margins of poison, so that what is read or written past an end shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_MARGIN_BYTES = 4096
_POISON = 0xFB
"""Of every byte: in each float type a negative number near the largest, -2.6e36 in float32."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """An array inside `memory`, with a margin on both sides."""

    array: Array
    memory: NDArray[np.uint8]
    start: int

    @property
    def is_intact(self) -> bool:
        """Whether both margins are as they were."""
        end = self.start + self.array.nbytes
        return bool(
            (self.memory[: self.start] == _POISON).all() and (self.memory[end:] == _POISON).all()
        )

    def poison(self) -> None:
        """Fill the array itself too."""
        self.memory[:] = _POISON


def guarded(array: Array) -> Guarded:
    """Return a copy of `array` in C order, aligned to its element and to nothing more."""
    start = _MARGIN_BYTES + array.dtype.itemsize
    memory = np.full(start + array.nbytes + _MARGIN_BYTES, _POISON, np.uint8)
    inside = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    inside[...] = array
    return Guarded(inside, memory, start)
