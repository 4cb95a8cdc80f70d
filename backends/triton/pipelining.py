"""How many loads are on the way at once, and how many warps share a block."""

from dataclasses import dataclass
from math import prod

from tilelang.backends.triton.blocks import Assign, Body, Dot, Fetch, For, Put
from tilelang.backends.triton.walk import walk
from tilelang.ir.expression import Cast, Load

MAX_STAGES = 4
"""What Hopper gains nothing beyond (`bench/gpu_gemm.py` measures it)."""
RESERVED_BYTES = 2048
"""Of shared memory, for barriers."""
WIDE_PRODUCT = 128 * 128
"""Elements of an accumulator above which four warps run out of registers."""


@dataclass(frozen=True, slots=True)
class Pipelining:
    """The shared memory that loops may fill, in bytes, and the user's choice if there is one."""

    n_bytes: int
    chosen: int | None = None

    def n_stages(self, loop: For) -> int | None:
        """Return `num_stages` for `loop`: None where Triton has nothing to pipeline.

        A loop that loads what it stores must not load ahead.
        """
        if any(isinstance(step, Put) and step.is_shared for step in walk(loop.body)):
            return 1
        fetches = [step for step in loop.body if isinstance(step, Fetch)]
        if not fetches:
            return None
        if not any(isinstance(step, Dot) for step in loop.body):
            return loop.stages if loop.stages > 1 else None
        n_bytes = sum(map(_tile_bytes, fetches))
        fitting = self.n_bytes // max(n_bytes, 1)
        return self.chosen or max(min(MAX_STAGES, fitting), 1)


def stored_bytes(body: Body) -> int:
    """Return the shared memory that the largest store of a product's tile passes through."""
    if not any(isinstance(step, Dot) for step in walk(body)):
        return 0
    puts = [step for step in walk(body) if isinstance(step, Put)]
    sizes = (prod(put.place.shape) * put.place.tensor.dtype.n_bytes for put in puts)
    return max(sizes, default=0)


def choose_warps(body: Body, *, uses_pointers: bool) -> int:
    """Return how many warps run `body`: Hopper's matrix unit takes them by fours.

    Four share an accumulator of 128 by 128 if nothing else wants their registers: neither pointers
    nor arithmetic on the result.
    """
    products = [step for step in walk(body) if isinstance(step, Dot)]
    if products:
        sizes = {step.acc.tile.name: prod(step.acc.tile.shape) for step in products}
        busy = uses_pointers or _works_on_results(body)
        return 8 if sum(sizes.values()) > WIDE_PRODUCT // (2 if busy else 1) else 4
    largest = max((prod(s.place.shape) for s in walk(body) if isinstance(s, Fetch)), default=0)
    return 16 if largest > 1 << 14 else 8 if largest > 1 << 12 else 4


def _works_on_results(body: Body) -> bool:
    """Return whether a wide block is computed with, beyond a copy or a change of type."""
    return any(
        isinstance(step, Assign)
        and prod(step.shape) >= WIDE_PRODUCT // 2
        and not isinstance(step.expr, Load)
        and not (isinstance(step.expr, Cast) and isinstance(step.expr.x, Load))
        for step in walk(body)
    )


def _tile_bytes(step: Fetch) -> int:
    return prod(step.place.shape) * step.dst.tile.dtype.n_bytes
