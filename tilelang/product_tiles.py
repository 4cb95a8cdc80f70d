"""Default tile parameters of a matrix product, by a rule, for kernels that hold one.

On a CPU each size is cut into equal tiles, as many as make the estimated time least. Counted are
the padding that the last tile adds, and what every tile costs beside its products: a sum is loaded
and stored once for each tile of k, `b` is streamed once for each tile of rows.

`k_tile` is chosen first: all of k in one step up to 1,024 units, which saves loading and storing
every sum again (3 % at 1000x1003x997); of a longer k at most 512 units, since longer steps gain
nothing there and leave room for fewer rows. `n_tile` is as wide as can be, all columns if they are
not many: then a tile of `a` is packed by the one core that uses it, right before it does. `m_tile`
is what keeps tiles of `a` and of sums in the caches; of a large product there are tiles for two
threads or more. The numbers are those of cores with 512-bit vectors and dot products of bfloat16
and int8.

Bytes for few rows are the exception: what 16 rows make of a tile of `b` takes little longer than to
pack it. Steps of 64 units keep the packed tile in the first-level cache; of a `b` that the
second-level cache does not hold tiles are wider, so that long runs of its rows are read.

On the first Ascend generation tiles are 128 by 128, or 256 where these keep all cores busy, with
steps of 256 bytes: as much of a row as the link to GM moves at once. On other machines they are 128
by 128 with steps of 64; on a GPU sizes are powers of two, and a step is 128 bytes, the widest
swizzle of its shared memory. Where the problem is smaller, so are they.

Results do not depend on any of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tilelang.dtypes import DType
from tilelang.machines import find_machine

_FRACTAL = 16
_GPU_LEAST = 32
"""The least side of a tile on a GPU: what its matrix instructions take of every dtype."""
_LINK_BYTES = 256
"""What the link between GM and an Ascend core moves at once."""
_UNIT_BYTES = 4
_UNIT = {
    DType.FLOAT32: 1,
    DType.FLOAT16: 1,
    DType.BFLOAT16: 2,
    DType.INT8: 4,
    DType.UINT8: 4,
    DType.INT32: 1,
}
"""Elements of k in the 32 bits that one lane multiplies at once; float16 is widened first."""
_ONE_STEP_UNITS, _STEP_UNITS = 1024, 512
"""Units of k up to which one step takes them all, and the most that each of several takes."""
_TILE_BYTES = 512 << 10
"""Of a tile of `a`, as it is packed."""
_SUM_BYTES = 2 << 20
"""Of an accumulator."""
_MAX_COLUMNS, _MAX_ROWS = 2048, 512
_FEW_ROWS, _FEW_ROWS_UNITS = 32, 64
_NEAR_BYTES = 1 << 20
"""Of a `b` that the second-level cache holds."""
_NEAR_COLUMNS, _FAR_COLUMNS = 128, 512
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
        count = first
        while count <= last:
            tile = _round_up(-(-size // count), self.step)
            yield tile
            if tile == self.step:
                return
            count = max(count + 1, -(-size // (tile - self.step)))  # the next that has another tile

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


def product_tiles(m: int, n: int, k: int, dtype: DType, machine: str) -> dict[str, int]:
    """Return `m_tile`, `n_tile` and `k_tile` for [m, k] times [k, n] of `dtype` on a machine."""
    match machine:
        case "host":
            return _host_tiles(m, n, k, dtype)
        case "sm90":
            step = min(64, 128 // dtype.n_bytes)
            sizes = (_power_of_two(m, 128), _power_of_two(n, 128), _power_of_two(k, step))
        case "ascend310" | "ascend310p" | "ascend910":
            sizes = _ascend_tiles(m, n, k, dtype, find_machine(machine).n_cores)
        case _:
            k0 = max(_FRACTAL, dtype.k0)
            sizes = (_at_most(m, 128, _FRACTAL), _at_most(n, 128, k0), _at_most(k, 64, k0))
    return dict(zip(("m_tile", "n_tile", "k_tile"), sizes, strict=True))


def _ascend_tiles(m: int, n: int, k: int, dtype: DType, n_cores: int) -> tuple[int, int, int]:
    k0 = max(_FRACTAL, dtype.k0)
    is_large = -(-m // 128) * (n // 256) >= n_cores
    is_wide = is_large and dtype.n_bytes > 1  # bytes are turned round in UB, which is small
    n_tile = 256 if is_wide else _at_most(n, 128, k0)
    return _at_most(m, 128, _FRACTAL), n_tile, _at_most(k, _LINK_BYTES // dtype.n_bytes, k0)


def _host_tiles(m: int, n: int, k: int, dtype: DType) -> dict[str, int]:
    unit = _UNIT[dtype]
    if m <= _FEW_ROWS and dtype.n_bytes == 1:
        return _few_rows_tiles(m, n, k, dtype)
    most = (_ONE_STEP_UNITS if k <= _ONE_STEP_UNITS * unit else _STEP_UNITS) * unit
    k_tile = _Cut(k, max(_FRACTAL, dtype.k0), 128 * unit, most, 8.0 * unit).best()
    n_tile = _Cut(n, max(_FRACTAL, dtype.k0), 192, _MAX_COLUMNS, 4.0).best()
    packed_bytes = _UNIT_BYTES // unit
    fit = min(_TILE_BYTES // (k_tile * packed_bytes), _SUM_BYTES // (4 * n_tile), _MAX_ROWS)
    is_large = m * n * k >= _LARGE
    rows = _Cut(m, _FRACTAL, 64, max(fit // _FRACTAL, 1) * _FRACTAL, 3.0)
    m_tile = rows.best(-(-n // n_tile) if is_large else 0)
    return {"m_tile": m_tile, "n_tile": n_tile, "k_tile": k_tile}


def _few_rows_tiles(m: int, n: int, k: int, dtype: DType) -> dict[str, int]:
    columns = _NEAR_COLUMNS if n * k <= _NEAR_BYTES else _FAR_COLUMNS
    sizes = {
        "n_tile": _Cut(n, dtype.k0, columns // 2, columns, 4.0).best(),
        "k_tile": _Cut(k, dtype.k0, 128, _FEW_ROWS_UNITS * _UNIT[dtype], 32.0).best(),
    }
    return {"m_tile": _round_up(max(m, 1), _FRACTAL), **sizes}


def _at_most(size: int, most: int, step: int) -> int:
    return min(most, _round_up(max(size, 1), step))


def _power_of_two(size: int, most: int) -> int:
    return min(most, max(_GPU_LEAST, 1 << (max(size, 1) - 1).bit_length()))


def _is_fair(n_cores: int) -> bool:
    """Return whether two threads finish so many equal cores within a thirtieth of each other."""
    return n_cores % 2 == 0 or n_cores >= 31


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
