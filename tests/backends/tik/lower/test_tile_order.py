"""Numbers of tiles: each stands for one tile, and neighbours share rows and columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.backends.tik.lower.tile_order import tile_position
from tilelang.ir import index as ix


def positions(extents: tuple[int, ...], n_cores: int) -> list[tuple[int, ...]]:
    n_tiles = 1
    for extent in extents:
        n_tiles *= extent
    numbers = [ix.constant(number) for number in range(n_tiles)]
    return [tuple(_value(index) for index in tile_position(extents, n, n_cores)) for n in numbers]


def _value(index: ix.Index) -> int:
    assert index.is_constant
    return index.constant


def under_way(found: list[tuple[int, ...]], n_cores: int) -> int:
    """Return the most rows and columns that a wave of `n_cores` tiles touches."""
    waves = [found[start : start + n_cores] for start in range(0, len(found), n_cores)]
    return max(len({i for i, _ in wave}) + len({j for _, j in wave}) for wave in waves)


@given(st.lists(st.integers(1, 24), min_size=1, max_size=4), st.integers(1, 40))
def test_every_tile_has_one_number(extents: list[int], n_cores: int):
    if len([extent for extent in extents if extent > 1]) > 2:
        extents = extents[:2]
    found = positions(tuple(extents), n_cores)
    assert len(set(found)) == len(found)
    assert all(0 <= at < size for tile in found for at, size in zip(tile, extents, strict=True))


@pytest.mark.parametrize(("extents", "wanted"), [((32, 16), 12), ((32, 32), 12), ((64, 64), 12)])
def test_32_cores_work_on_8_rows_and_4_columns(extents: tuple[int, int], wanted: int):
    assert under_way(positions(extents, 32), 32) == wanted
    rows = [divmod(number, extents[1]) for number in range(extents[0] * extents[1])]
    assert under_way(rows, 32) > wanted


@pytest.mark.parametrize("extents", [(4, 8), (1, 40), (40, 1), (3, 4, 5), (8, 8)])
def test_row_by_row_stays_where_nothing_is_gained(extents: tuple[int, ...]):
    assert positions(extents, 32) == sorted(positions(extents, 32))
