"""`softmax` on short and long rows, against numpy in float64."""

import numpy as np
import pytest

from tests.kernels.arrays import FLOATS, draw, wide
from tests.kernels.bounds import U32, assert_within
from tilelang.kernels.softmax import softmax, softmax_reference

SIZES = [(1, 1), (1, 15), (17, 16), (5, 17), (3, 2047), (2, 2049), (9, 4099)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("m", "n"), SIZES)
def test_every_row_is_within_the_bound(dtype: str, m: int, n: int):
    x = draw((m, n), dtype, scale=3)
    (values,) = wide(x)
    expected = softmax_reference(values)
    # x - max is rounded, which exp turns into a relative error, in the term and in the sum; n terms
    # are summed; of each of the (at most 257) tiles two more exp and three more products.
    spread = values.max(axis=1, keepdims=True) - values.min(axis=1, keepdims=True)
    relative = U32 * (3 * spread + n + 6 * (n // 16 + 1) + 4)
    assert_within(softmax(x), expected, relative * expected)
    np.testing.assert_array_less(np.abs(wide(softmax(x))[0].sum(axis=1) - 1), 0.01)


@pytest.mark.parametrize("n_tile", [16, 64])
def test_tiles_of_long_rows_give_what_short_ones_do(n_tile: int):
    x = draw((7, 50), "float32", scale=5)
    np.testing.assert_allclose(softmax(x, n_tile=n_tile), softmax(x), rtol=100 * U32)


@pytest.mark.parametrize("n_tile", [16, 64])
def test_masked_elements_and_whole_rows(n_tile: int):
    x = np.full((3, 40), -np.inf, np.float32)
    x[0, 20:], x[1, 3] = 1, 2
    found = softmax(x, n_tile=n_tile)
    np.testing.assert_allclose(found[0], np.repeat([0, 0.05], 20), rtol=10 * U32)
    np.testing.assert_array_equal(found[1], np.arange(40) == 3)
    assert np.isnan(found[2]).all()


def test_large_numbers_do_not_overflow():
    x = np.array([[-60000, 0, 60000]], np.float16)
    np.testing.assert_array_equal(softmax(x), [[0, 0, 1]])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_gives_nothing(shape: tuple[int, int]):
    assert softmax(np.zeros(shape, np.float32)).shape == shape
