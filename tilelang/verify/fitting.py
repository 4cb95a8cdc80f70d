"""The largest tiles of the same proportions that fit into a memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import gcd, lcm

from tilelang.diagnostics import Location
from tilelang.ir.region import Buffer
from tilelang.layouts import LayoutKind


@dataclass(frozen=True, slots=True)
class Tenant:
    """A buffer that lives in a memory, `stages` times, each copy rounded up to `alignment` bytes.

    `loc` is where it is allocated.
    """

    buffer: Buffer
    stages: int
    alignment: int
    loc: Location
    copy_bytes: int = field(init=False)
    """Bytes of one copy."""

    def __post_init__(self) -> None:
        """Count the bytes once: they are asked for often."""
        copy_bytes = -(-self.buffer.n_bytes // self.alignment) * self.alignment
        object.__setattr__(self, "copy_bytes", copy_bytes)

    @property
    def n_bytes(self) -> int:
        """Bytes of all copies."""
        return self.copy_bytes * self.stages


def total_bytes(tenants: Sequence[Tenant]) -> int:
    """Return the bytes that all of `tenants` take together."""
    return sum(tenant.n_bytes for tenant in tenants)


@dataclass(frozen=True, slots=True)
class Overflow:
    """The `tenants` of one memory, which do not fit into its `limit` of bytes."""

    tenants: tuple[Tenant, ...]
    limit: int


def largest_sizes(overflows: Sequence[Overflow], tiles: Mapping[str, int]) -> dict[int, int] | None:
    """Return what each size of a tile should become for everything to fit.

    Sizes that are the value of a tile parameter shrink; if that is not enough, all sizes do. The
    proportions stay exactly if some smaller tile has them, else nearly. None if nothing fits.
    """
    blocks = _blocks([tenant for overflow in overflows for tenant in overflow.tenants])
    of_tiles = {size: block for size, block in blocks.items() if size in tiles.values()}
    for shrinking in (of_tiles, blocks):
        units = [size // block for size, block in shrinking.items()]
        for n_parts in (gcd(*units), max(units, default=0)):
            sizes = _largest(overflows, shrinking, n_parts)
            if sizes is not None:
                return sizes
    return None


def _largest(
    overflows: Sequence[Overflow], blocks: Mapping[int, int], n_parts: int
) -> dict[int, int] | None:
    """Return the sizes of `blocks` times the greatest `part / n_parts` below 1 that fits."""
    fitting, too_large = 0, max(n_parts, 1)
    while too_large - fitting > 1:
        part = (fitting + too_large) // 2
        sizes = _scaled_sizes(blocks, Fraction(part, n_parts))
        if all(_fits(overflow, sizes) for overflow in overflows):
            fitting = part
        else:
            too_large = part
    return _scaled_sizes(blocks, Fraction(fitting, n_parts)) if fitting else None


def _fits(overflow: Overflow, sizes: Mapping[int, int]) -> bool:
    resized = [_resized(tenant, sizes) for tenant in overflow.tenants]
    return total_bytes(resized) <= overflow.limit


def _blocks(tenants: Sequence[Tenant]) -> dict[int, int]:
    """Return, for every size of a tile over 1, what it must be a multiple of."""
    blocks: dict[int, int] = {}
    for tenant in tenants:
        for size, block in zip(tenant.buffer.shape[-2:], _tile_block(tenant), strict=True):
            if size > 1:
                blocks[size] = lcm(blocks.get(size, 1), block)
    return blocks


def _tile_block(tenant: Tenant) -> tuple[int, ...]:
    """Return the block of the last two dimensions: of the layout, or of aligned rows."""
    buffer = tenant.buffer
    if buffer.layout.logical_rank == 2:
        return buffer.layout.block
    row = max(tenant.alignment // buffer.dtype.n_bytes, 1)
    if buffer.layout.kind is not LayoutKind.ND or not buffer.shape or buffer.shape[-1] % row:
        row = 1
    return (1, row)[-min(buffer.rank, 2) :] if buffer.rank else ()


def _scaled_sizes(blocks: Mapping[int, int], factor: Fraction) -> dict[int, int]:
    """Return `factor` of each size: whole blocks, at least one."""
    return {size: _scaled(size, block, factor) for size, block in blocks.items()}


def _scaled(size: int, block: int, factor: Fraction) -> int:
    return max(int(size * factor) // block, 1) * block


def _resized(tenant: Tenant, sizes: Mapping[int, int]) -> Tenant:
    shape = tenant.buffer.shape
    tile = tuple(sizes.get(size, size) for size in shape[-2:])
    return replace(tenant, buffer=replace(tenant.buffer, shape=(*shape[:-2], *tile)))
