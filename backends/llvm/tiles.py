"""Default tile parameters of a matrix product, by a rule.

Each size is cut into equal tiles, as many as make the estimated time least. Counted are the padding
that the last tile adds, and what every tile costs beside its products: a sum is loaded and stored
once for each tile of k, `b` is streamed once for each tile of rows.

`k_tile` is chosen first. `n_tile` is as wide as can be, all columns if they are not many: then a
tile of `a` is packed by the one core that uses it, right before it does. `m_tile` is what keeps
tiles of `a` and of sums in the caches; of a large product there are tiles for two threads or more.
Results do not depend on any of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tilelang.backends.llvm.host import Host
from tilelang.backends.llvm.panels import find_method
from tilelang.dtypes import DType

_FRACTAL = 16
_TILE_BYTES = 512 << 10
"""Of a tile of `a`, as it is packed."""
_SUM_BYTES = 2 << 20
"""Of an accumulator."""
_MAX_COLUMNS, _MAX_ROWS = 2048, 512
_LARGE = 1 << 25
"""Products from which more threads than one pay, so that tiles had better come in pairs."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """The choices for one size: multiples of `step`, between `least` and `most` if possible."""

    size: int
    step: int
    least: int
    most: int
    overhead: float
    """What a tile costs beside its products: as much as so many of its elements."""

    def candidates(self) -> Iterator[int]:
        """Yield the sizes of equal tiles."""
        size = max(self.size, 1)
        first = -(-size // max(self.most, self.step))
        last = max(-(-size // self.least), first)
        for count in range(first, last + 1):
            yield _round_up(-(-size // count), self.step)

    def cost(self, tile: int) -> float:
        """Return the time of the size cut into such tiles, in elements."""
        n_tiles = -(-max(self.size, 1) // tile)
        return n_tiles * (tile + self.overhead)

    def best(self, other_tiles: int = 0) -> int:
        """Return the cheapest tile, the largest of equals.

        With so many `other_tiles` beside, all together keep two threads busy if that can be.
        """
        tiles = list(self.candidates())
        shared = [tile for tile in tiles if _is_fair(other_tiles * -(-self.size // tile))]
        return min(shared or tiles, key=lambda tile: (self.cost(tile), -tile))


def default_gemm_tiles(m: int, n: int, k: int, dtype: DType, host: Host) -> dict[str, int]:
    """Return `m_tile`, `n_tile` and `k_tile` for the product of [m, k] and [k, n] of `dtype`."""
    method = find_method(dtype, dtype, host)
    unit = method.unit
    k_tile = _Cut(k, max(_FRACTAL, dtype.k0), 128 * unit, 512 * unit, 8.0 * unit).best()
    n_tile = _Cut(n, max(_FRACTAL, dtype.k0), 192, _MAX_COLUMNS, 4.0).best()
    fit = min(_TILE_BYTES // (k_tile * method.a.n_bytes), _SUM_BYTES // (4 * n_tile), _MAX_ROWS)
    is_large = m * n * k >= _LARGE
    rows = _Cut(m, _FRACTAL, 64, max(fit // _FRACTAL, 1) * _FRACTAL, 3.0)
    m_tile = rows.best(-(-n // n_tile) if is_large else 0)
    return {"m_tile": m_tile, "n_tile": n_tile, "k_tile": k_tile}


def _is_fair(n_cores: int) -> bool:
    """Return whether two threads finish so many equal cores within a tenth of each other."""
    return n_cores % 2 == 0 or n_cores >= 9


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
