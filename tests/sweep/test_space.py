"""Which tiles a sweep tries."""

from collections.abc import Iterable

import pytest

from tilelang.diagnostics import TileError
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.gemm import gemm
from tilelang.sweep.space import Space, read_space


def test_a_grid_has_every_combination_and_the_last_parameter_changes_fastest():
    space = read_space(gemm, {"n_tile": [32, 16], "k_tile": "16:64:x2"}, {})
    drawn = [(tiles["n_tile"], tiles["k_tile"]) for tiles in space.draw(None, 0)]
    assert drawn == [(32, 16), (32, 32), (32, 64), (16, 16), (16, 32), (16, 64)]
    assert list(space.draw(None, 0)[0]) == ["n_tile", "k_tile"]


def test_random_tiles_are_different_and_the_same_for_the_same_seed():
    space = Space({"n_tile": tuple(range(1, 2000)), "k_tile": tuple(range(1, 2000))})
    drawn = space.draw(50, 7)
    assert len({tuple(tiles.items()) for tiles in drawn}) == 50
    assert drawn == space.draw(50, 7)
    assert drawn != space.draw(50, 8)


def test_more_random_tiles_than_there_are_is_all_of_them():
    space = Space({"n_tile": (16, 32, 48)})
    assert [dict(tiles) for tiles in space.draw(99, 0)] == [{"n_tile": n} for n in (16, 32, 48)]


def test_a_space_that_is_too_large_is_drawn_from_and_not_tried():
    space = Space({"n_tile": tuple(range(1, 2000)), "k_tile": tuple(range(1, 2000))})
    with pytest.raises(TileError, match=r"E0903\].*3,996,001 combinations.*"):
        space.draw(None, 0)


@pytest.mark.parametrize(
    ("tiles", "said"),
    [
        ({}, "given no tile parameter"),
        ({"n_tile": []}, "`n_tile` is given no value"),
        ({"n_tile": [16, 0]}, "is to be 0, wanted a positive int"),
        ({"n_tile": [16, True]}, "is to be True"),
        ({"n_tile": [16, 32, 16]}, "is to be 16 more than once"),
    ],
)
def test_values_are_different_positive_numbers(tiles: dict[str, Iterable[int]], said: str):
    with pytest.raises(TileError, match=rf"E0903\].*{said}"):
        read_space(gemm, tiles, {})


def test_one_value_need_not_be_a_list_and_names_need_values():
    assert read_space(gemm, {"n_tile": 16}, {}).axes == {"n_tile": (16,)}  # pyright: ignore[reportArgumentType]
    with pytest.raises(TileError, match=r"E0903\].*wanted values for each tile parameter"):
        read_space(gemm, ["n_tile"], {})  # pyright: ignore[reportArgumentType]


def test_only_tile_parameters_are_swept():
    with pytest.raises(TileError, match=r"E0902\].*no tile parameter `n_tiles`") as said:
        read_space(gemm, {"n_tiles": [16]}, {})
    assert "did you mean `n_tile`?" in str(said.value)
    with pytest.raises(TileError, match=r"E0902\].*`relu` is an attribute of `conv2d`"):
        read_space(conv2d, {"relu": [0, 1]}, {})


def test_a_parameter_is_not_both_swept_and_set():
    with pytest.raises(TileError, match=r"E0902\].*swept and also set to 64"):
        read_space(gemm, {"n_tile": [16, 32]}, {"n_tile": 64})
