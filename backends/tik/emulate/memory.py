"""The bytes of tensors, and beside every byte where its value is undefined from.

The shadow of a byte is 0 if it is defined, 1 if nothing wrote it, and a larger number if it was
computed from undefined bytes: the number of the first instruction that read them (`Origins`).
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.instructions import Scope, Tensor, TikType, Work, method_name
from tilelang.diagnostics import Location

Bytes = npt.NDArray[np.uint8]

NEVER_WRITTEN = 1
"""The shadow of a byte that nothing wrote."""

GM_SLACK_BYTES = 256
"""How far behind a GM tensor moves may reach with a warning: tail blocks do (tik.md section 11)."""

POISON = 0xFF
"""What undefined bytes hold: NaN in every float type, -1 in integers."""

_MAX_ORIGINS = 254
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class Buffer:
    """The memory of one tensor; the object outlives re-declarations, its contents do not."""

    __slots__ = ("_typed", "data", "n_bytes", "owner", "shadow", "tensor")

    def __init__(self, tensor: Tensor, n_bytes: int, slack: int) -> None:
        """Allocate `n_bytes`, all undefined, and `slack` bytes behind them."""
        self.tensor = tensor
        self.n_bytes = n_bytes
        total = -(-(n_bytes + slack) // 64) * 64
        self.data: Bytes = np.full(total, POISON, np.uint8)
        self.shadow: Bytes = np.full(total, NEVER_WRITTEN, np.uint8)
        self.owner: npt.NDArray[np.uint16] | None = None
        self._typed: dict[TikType, npt.NDArray[np.generic]] = {}

    @property
    def name(self) -> str:
        """The tensor's name."""
        return self.tensor.name

    @property
    def scope(self) -> Scope:
        """The tensor's memory."""
        return self.tensor.scope

    def poison(self) -> None:
        """Make every byte undefined."""
        self.data.fill(POISON)
        self.shadow.fill(NEVER_WRITTEN)

    def fill(self, values: npt.NDArray[np.generic]) -> None:
        """Set the first bytes to those of `values`, defined."""
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.data[: raw.size] = raw
        self.shadow[: raw.size] = 0

    def typed(self, dtype: TikType) -> npt.NDArray[np.generic]:
        """Return the whole memory as elements of `dtype`, not a copy."""
        if dtype not in self._typed:
            self._typed[dtype] = self.data.view(dtype.numpy)
        return self._typed[dtype]

    def shadow_of(self, n_bytes: int) -> npt.NDArray[np.generic]:
        """Return the shadow as one unsigned number for each element of `n_bytes`, not a copy."""
        return self.shadow.view(_UNSIGNED[n_bytes])


@dataclass(frozen=True, slots=True)
class Origin:
    """An instruction that read bytes which nothing had written."""

    instruction: str
    role: str
    tensor: str
    declared: Location
    offset: int
    loc: Location


@dataclass(slots=True)
class Origins:
    """The instructions that read undefined bytes, by the shadow that their results carry."""

    _found: list[Origin] = field(default_factory=lambda: [])
    _numbers: dict[tuple[str, Location, str], int] = field(default_factory=lambda: {})

    def number(self, work: Work, role: str, buffer: Buffer, offset: int) -> int:
        """Return the shadow for results of `work`, which read undefined bytes of `role`."""
        method = method_name(work)
        key = (method, work.loc, role)
        if key not in self._numbers:
            declared = buffer.tensor.loc
            self._found.append(Origin(method, role, buffer.name, declared, offset, work.loc))
            self._numbers[key] = min(len(self._found) + NEVER_WRITTEN, _MAX_ORIGINS)
        return self._numbers[key]

    def find(self, shadow: int) -> Origin | None:
        """Return the instruction behind a shadow; None for bytes that nothing wrote."""
        index = shadow - NEVER_WRITTEN - 1
        return self._found[index] if 0 <= index < len(self._found) else None


@dataclass(frozen=True, slots=True)
class Span:
    """A run of strided bytes of a buffer: `counts` by `strides`, the innermost run contiguous."""

    buffer: Buffer
    start: int
    counts: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def data(self) -> Bytes:
        """The bytes, not a copy."""
        return np.ndarray(self.counts, np.uint8, self.buffer.data, self.start, self.strides)

    @property
    def shadow(self) -> Bytes:
        """Their shadow, not a copy."""
        return np.ndarray(self.counts, np.uint8, self.buffer.shadow, self.start, self.strides)

    @property
    def owner(self) -> npt.NDArray[np.uint16]:
        """The cores that wrote them last, plus one, not a copy; 0: none."""
        owner = self.buffer.owner
        assert owner is not None
        strides = tuple(2 * stride for stride in self.strides)
        return np.ndarray(self.counts, np.uint16, owner, 2 * self.start, strides)

    @property
    def end(self) -> int:
        """The offset just behind the last byte."""
        steps = zip(self.counts, self.strides, strict=True)
        return self.start + sum((count - 1) * stride for count, stride in steps) + 1

    def address(self, position: int) -> int:
        """Return the byte offset of the byte at `position` in the run."""
        place = np.unravel_index(position, self.counts)
        steps = zip(place, self.strides, strict=True)
        return self.start + sum(int(index) * stride for index, stride in steps)

    def values(self, dtype: TikType) -> npt.NDArray[np.generic]:
        """Return the bytes as elements of `dtype`; a copy unless they are contiguous."""
        return np.ascontiguousarray(self.data).view(dtype.numpy)
