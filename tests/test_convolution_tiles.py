"""The default tiles of a convolution: legal, even, and none larger than the rule says."""

import pytest

from tilelang.convolution_tiles import convolution_tiles, plan_convolution
from tilelang.dtypes import DType
from tilelang.ir.nodes import Window

MAPS = [(56, 64, 64), (28, 128, 128), (14, 256, 256), (7, 512, 512), (224, 3, 64), (17, 20, 33)]


def sizes(side: int, channels: int, outputs: int, *, n: int = 8) -> dict[str, int]:
    return {"N": n, "C": channels, "H": side, "W": side, "O": outputs, "R": 3, "S": 3}


@pytest.mark.parametrize(("side", "channels", "outputs"), MAPS)
@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.FLOAT32, DType.INT8], ids=str)
def test_tiles_of_a_cpu_are_whole_fractals(side: int, channels: int, outputs: int, dtype: DType):
    tiles = convolution_tiles(sizes(side, channels, outputs), dtype, "host")
    assert tiles["m_tile"] % 16 == tiles["o_tile"] % 16 == tiles["c_tile"] % dtype.k0 == 0
    assert tiles["m_tile"] * tiles["n_tiles"] <= 1024
    assert tiles["k_tile"] == 9 * tiles["c_tile"]


@pytest.mark.parametrize("side", [28, 56, 112, 224])
def test_tiles_of_a_large_map_are_equal_and_whole_rows(side: int):
    m_tile = convolution_tiles(sizes(side, 64, 64), DType.FLOAT16, "host")["m_tile"]
    assert m_tile % side == 0
    assert side * side % m_tile == 0


def test_small_maps_come_together():
    tiles = convolution_tiles(sizes(7, 512, 512), DType.FLOAT16, "host")
    assert (tiles["m_tile"], tiles["n_tiles"]) == (64, 8)


def test_a_single_tile_of_positions_leaves_outputs_for_two_threads():
    tiles = convolution_tiles(sizes(28, 128, 128, n=1), DType.FLOAT16, "host")
    assert 2 * tiles["o_tile"] == 128


@pytest.mark.parametrize("size", ["N", "C", "H", "W", "O", "R", "S"])
def test_a_size_of_zero_has_tiles_too(size: str):
    for machine in ("host", "ascend910", "sm90"):
        tiles = convolution_tiles({**sizes(9, 5, 7), size: 0}, DType.FLOAT16, machine)
        assert min(tiles.values()) > 0


@pytest.mark.parametrize("k_tile", [16, 47, 144, 4096])
def test_a_step_divides_the_columns_of_a_tile(k_tile: int):
    tiles = {"m_tile": 64, "o_tile": 80, "c_tile": 32, "k_tile": k_tile, "n_tiles": 3}
    plan = plan_convolution(
        (1, 40, 13, 11),
        (33, 40, 3, 2),
        DType.FLOAT16,
        Window((3, 2)),
        groups=1,
        tiles={**tiles, "l1_bytes": 1 << 20},
    )
    assert 2 * 3 * 2 * 16 % plan.k_step == 0
    assert (plan.n_c, plan.n_o, plan.o_tile) == (2, 1, 48)
    assert plan.n_m == -(-11 * 10 // 64)


@pytest.mark.parametrize(
    ("o_tile", "n_outputs", "taken"), [(64, 33, 64), (64, 17, 32), (64, 3, 16), (80, 33, 48)]
)
def test_a_tile_of_outputs_is_cut_to_what_there_is_and_stays_a_power_of_two(
    o_tile: int, n_outputs: int, taken: int
):
    tiles = {"m_tile": 16, "o_tile": o_tile, "c_tile": 16, "k_tile": 16, "n_tiles": 1}
    plan = plan_convolution(
        (1, 16, 9, 9),
        (n_outputs, 16, 1, 1),
        DType.FLOAT16,
        Window((1, 1)),
        groups=1,
        tiles={**tiles, "l1_bytes": 1 << 20},
    )
    assert plan.o_tile == taken


def test_as_many_tiles_come_together_as_fit_l1():
    tiles = {"m_tile": 16, "o_tile": 16, "c_tile": 16, "k_tile": 16, "n_tiles": 64}
    counts = [
        plan_convolution(
            (4, 16, 32, 32),
            (16, 16, 1, 1),
            DType.FLOAT16,
            Window((1, 1)),
            groups=1,
            tiles={**tiles, "l1_bytes": l1_bytes},
        ).n_tiles
        for l1_bytes in (1, 1 << 12, 1 << 14, 1 << 20)
    ]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[-1] == 64


@pytest.mark.parametrize(
    ("m_tile", "padding", "rows"), [(96, (1, 2, 3, 4), 9), (48, (0, 0, 3, 4), 8)]
)
def test_the_slab_of_a_whole_image_is_its_map(m_tile: int, padding: tuple[int, ...], rows: int):
    """A window of 3 by 5 gives 10 by 8 positions, of which 48 are 6 rows."""
    tiles = {"m_tile": m_tile, "o_tile": 16, "c_tile": 16, "k_tile": 16, "n_tiles": 1}
    plan = plan_convolution(
        (1, 16, 9, 5),
        (16, 16, 3, 5),
        DType.FLOAT16,
        Window((3, 5), padding=(1, 2, 3, 4)),
        groups=1,
        tiles={**tiles, "l1_bytes": 1 << 20},
    )
    assert (plan.padding, plan.slab_height) == (padding, rows)
