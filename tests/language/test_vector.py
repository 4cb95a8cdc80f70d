"""Element-wise expressions: when a recipe is stale."""

import numpy as np

import tilelang as tl


@tl.kernel("x[N]: float32 -> y[N]: float32")
def mixes_old_and_new(x: tl.Tensor, y: tl.Tensor) -> None:
    """Y = 2 x + 1 + x, of a recipe that is older than the other tile's value."""
    tile = tl.alloc_ub((16,), x.dtype)
    other = tl.alloc_ub((16,), x.dtype)
    tl.data_move(tile, x[0])
    old = tile * 2
    other[:] = tile + 1
    other[:] = old + other  # `other` was written after `old` was made, and before it is read
    tl.data_move(y[0], other)


def test_an_old_recipe_may_meet_what_was_written_since():
    x = np.arange(16, dtype=np.float32)
    np.testing.assert_array_equal(mixes_old_and_new(x), 3 * x + 1)
