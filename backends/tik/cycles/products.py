"""How long the cube multiplies, and how fractals of windows lie in rows of a map."""

from tilelang.backends.tik.cycles.charges import Scene, round_up
from tilelang.backends.tik.instructions import TikType

Blocks = tuple[int, int, int]
"""Fractals along m, k and n."""


def fractals_of(scene: Scene, sizes: Blocks, dtype: TikType) -> Blocks:
    """Return the fractals that sizes (m, k, n) of operands of `dtype` take, tails filled up."""
    rates = scene.rates
    units = (
        rates.whole("cube.fractal_rows"),
        rates.whole("cube.fractal_k_bytes") // dtype.n_bytes,
        rates.whole("cube.fractal_columns"),
    )
    m1, k1, n1 = (-(-size // unit) for size, unit in zip(sizes, units, strict=True))
    return m1, k1, n1


def product_cycles(scene: Scene, blocks: Blocks, dtype: TikType) -> tuple[int, int]:
    """Return cycles of a product alone, and right behind another one."""
    rates, (m1, k1, n1) = scene.rates, blocks
    each = rates["cube.cycles_per_fractal"]
    if dtype is TikType.FLOAT32:
        each = rates.get("cube.cycles_per_fractal_float32", each)
    cycles = m1 * k1 * n1 * each
    if k1 > 1 and (m1 % 2 or n1 % 2):
        cycles += rates["cube.odd_block_penalty"] * (k1 - 2)
    head = rates["cube.head_cycles"]
    return round_up(cycles + rates.get("cube.head_cycles_isolated", head)), round_up(cycles + head)


def row_changes(scene: Scene, per_row: int) -> float:
    """Return how often the windows of a fractal go on in the next row of the map, on average.

    Each change costs load3d one more read. `per_row` windows lie in a row of the map.
    """
    return (scene.rates["cube.fractal_rows"] - 1) / per_row
