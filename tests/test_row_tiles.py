"""The default tiles of kernels on rows: legal, and whole rows where these fit."""

import pytest

from tilelang.diagnostics import TileError
from tilelang.kernels.batch_norm import batch_norm
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.softmax import softmax
from tilelang.row_tiles import row_tiles

LENGTHS = [0, 1, 15, 16, 17, 768, 1003, 32000, 65536, 65537, 1000000]


@pytest.mark.parametrize("n", LENGTHS)
def test_a_row_on_a_computer_is_one_tile_until_it_leaves_the_cache(n: int):
    tiles = row_tiles(n, "host")
    assert tiles["n_tile"] % 16 == 0
    assert (tiles["n_tile"] >= n) == (n <= 65536)
    assert tiles["n_tile"] < n + 16 or n == 0
    assert tiles["m_tile"] >= 2


@pytest.mark.parametrize("machine", ["ascend310", "ascend910", "ascend910b", "sm90"])
@pytest.mark.parametrize("n", LENGTHS[1:])
def test_tiles_of_a_chip_are_powers_of_two_of_one_size(n: int, machine: str):
    tiles = row_tiles(n, machine)
    assert all(size & (size - 1) == 0 for size in tiles.values())
    assert tiles["m_tile"] * tiles["n_tile"] == 8192


@pytest.mark.parametrize("n", [1, 1003, 40000])
@pytest.mark.parametrize("machine", ["host", "ascend310", "ascend910"])
def test_row_kernels_fit_their_machine(machine: str, n: int):
    for kernel in (softmax, layer_norm):
        try:
            kernel.program(machine=machine, M=5, N=n, dtype="float16")
        except TileError as error:
            pytest.fail(str(error))


@pytest.mark.parametrize(("side", "p_tile"), [(1, 16), (7, 64), (56, 3136), (224, 4096)])
def test_images_on_a_computer_are_one_tile_until_they_are_large(side: int, p_tile: int):
    program = batch_norm.program(machine="host", N=2, C=3, H=side, W=side, dtype="float16")
    assert dict(program.tiles)["p_tile"] == p_tile
