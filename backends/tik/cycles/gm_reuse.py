"""Which share of the bytes that cores move from and to GM is not in L2.

L2 is cold when a kernel starts. Cores keep step: those that touch one address in the same step
share a transfer. An address is still in L2 when it is touched again if less than L2's size was
moved in between. Addresses are starts of moves: what moves overlap counts twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tilelang.backends.tik.cycles.gm_accesses import Access, Array


@dataclass(frozen=True, slots=True)
class _Touches:
    """What one instruction touches: sorted distinct pairs of address and step."""

    access: Access
    addresses: Array
    steps: Array
    n_steps: int

    @property
    def moved(self) -> float:
        """Bytes that all cores move, those of one address and step once."""
        return self.addresses.size * self.access.n_bytes

    def missed(self, horizon: float) -> int:
        """Return how many of the touches come first, or after more than `horizon` steps."""
        again = self.addresses[1:] == self.addresses[:-1]
        late = np.diff(self.steps) > horizon
        return int(self.addresses.size - np.count_nonzero(again & ~late))


def miss_shares(
    accesses: Sequence[Access], sizes: Mapping[str, int], n_active: int, l2_bytes: float
) -> dict[str, float]:
    """Return for each tensor the share of its bytes that DDR or HBM moves, 0 to 1.

    `sizes` are bytes of tensors; nothing comes from memory more often than L2 lost it.
    """
    touches = [_touches(access, n_active) for access in accesses]
    volume = sum(touch.moved for touch in touches)
    moved: dict[str, float] = {}
    missed: dict[str, float] = {}
    for touch in touches:
        name, n_bytes = touch.access.tensor, touch.access.n_bytes
        horizon = touch.n_steps * l2_bytes / max(volume, 1.0)
        moved[name] = moved.get(name, 0.0) + touch.access.addresses.size * n_bytes
        missed[name] = missed.get(name, 0.0) + touch.missed(horizon) * n_bytes
    if volume <= l2_bytes:
        missed = {name: min(n_bytes, sizes.get(name, n_bytes)) for name, n_bytes in missed.items()}
    return {name: min(missed[name] / n_bytes, 1.0) for name, n_bytes in moved.items() if n_bytes}


def _touches(access: Access, n_active: int) -> _Touches:
    """Return the touches in order; blocks run in waves of `n_active`, a wave after another."""
    n_blocks = access.addresses.shape[0]
    per_block = access.addresses.reshape(n_blocks, -1)
    n_inner = per_block.shape[1]
    waves = np.arange(n_blocks, dtype=np.int64)[:, None] // n_active
    steps = waves * n_inner + np.arange(n_inner, dtype=np.int64)[None, :]
    n_steps = int(-(-n_blocks // n_active) * n_inner)
    low = int(per_block.min())
    pairs = np.unique((per_block - low) * n_steps + steps)
    return _Touches(access, pairs // n_steps, pairs % n_steps, n_steps)
