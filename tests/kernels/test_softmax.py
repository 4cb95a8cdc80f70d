"""`softmax` on short and long rows, against its reference."""

import numpy as np
import pytest

from tests.correctness import checked
from tests.kernels.arrays import FLOATS, draw
from tilelang.kernels.softmax import softmax

SIZES = [(1, 1), (1, 15), (17, 16), (5, 17), (3, 2047), (2, 2049), (9, 4099)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n"), SIZES)
def test_every_row_is_within_the_bound(dtype: str, m: int, n: int):
    x = draw((m, n), dtype, scale=3)
    assert checked(softmax, x).any()


@pytest.mark.parametrize("n_tile", [16, 64])
def test_rows_of_several_tiles_are_within_the_bound(n_tile: int):
    checked(softmax, draw((7, 50), "float32", scale=5), n_tile=n_tile)


@pytest.mark.parametrize("n_tile", [16, 64])
def test_masked_elements_and_whole_rows(n_tile: int):
    x = np.full((3, 40), -np.inf, np.float32)
    x[0, 20:], x[1, 3] = 1, 2
    found = softmax(x, n_tile=n_tile)
    np.testing.assert_array_equal(found[0], np.repeat(np.array([0, 0.05], np.float32), 20))
    np.testing.assert_array_equal(found[1], np.arange(40) == 3)
    assert np.isnan(found[2]).all()


def test_large_numbers_do_not_overflow():
    x = np.array([[-60000, 0, 60000]], np.float16)
    np.testing.assert_array_equal(softmax(x), [[0, 0, 1]])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_gives_nothing(shape: tuple[int, int]):
    assert softmax(np.zeros(shape, np.float32)).shape == shape
