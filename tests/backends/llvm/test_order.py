"""What a pass may not move: reads before the writes that come after them."""

import numpy as np

import tilelang as tl


@tl.kernel("a[M, K]: float16, d[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32")
def two_products(a: tl.Tensor, d: tl.Tensor, b: tl.Tensor, c: tl.Tensor) -> None:
    """C = a @ b + d @ b, where the tile that `a` came through holds `d` before `a` is used."""
    a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 16), b.dtype)
    a0, d0 = tl.alloc_l0a((16, 16), a.dtype), tl.alloc_l0a((16, 16), a.dtype)
    b0 = tl.alloc_l0b((16, 16), b.dtype)
    acc = tl.alloc_l0c((16, 16), c.dtype)
    tl.data_move(a1, a)
    tl.data_move(a0, a1)
    tl.data_move(a1, d)
    tl.data_move(d0, a1)
    tl.data_move(b1, b)
    tl.data_move(b0, b1)
    tl.mmad(acc, a0, b0, init=True)
    tl.mmad(acc, d0, b0, init=False)
    out = tl.alloc_ub((16, 16), c.dtype)
    tl.data_move(out, acc)
    tl.data_move(c, out)


@tl.kernel("x[M, N]: float32 -> y[M, N]: float32, z[M, N]: float32")
def before_and_after(x: tl.Tensor, y: tl.Tensor, z: tl.Tensor) -> None:
    """Y = x + 1 and z = -x, where the tile of x is negated before the sum is stored."""
    tile, more = tl.alloc_ub((16, 16), x.dtype), tl.alloc_ub((16, 16), x.dtype)
    tl.data_move(tile, x)
    more[:] = tile + 1
    tile[:] = -tile
    tl.data_move(y, more)
    tl.data_move(z, tile)


@tl.kernel("x[M, N]: float32 -> y[M, N]: float32")
def shifted(x: tl.Tensor, y: tl.Tensor) -> None:
    """Y[0] = x[1] and y[1] = x[0] + x[1], by way of a tile that is overwritten in parts."""
    tile, row = tl.alloc_ub((2, 16), x.dtype), tl.alloc_ub((1, 16), x.dtype)
    tl.data_move(tile, x)
    row[:] = tile[0:1, :] + tile[1:2, :]
    tile[0:1, :] = tile[1:2, :]
    tile[1:2, :] = row
    tl.data_move(y, tile)


@tl.kernel("a[M, K]: float16, b[K, N]: float16 -> c[M, N]: float32, d[M, N]: float32")
def once_and_twice(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, d: tl.Tensor) -> None:
    """C = a @ b and d = 2 * c, the latter by adding to what was stored already."""
    a1, b1 = tl.alloc_l1((16, 16), a.dtype), tl.alloc_l1((16, 16), b.dtype)
    tl.data_move(a1, a)
    tl.data_move(b1, b)
    acc, out = tl.alloc_l0c((16, 16), c.dtype), tl.alloc_ub((16, 16), c.dtype)
    tl.matmul(acc, a1, b1, init=True)
    tl.data_move(out, acc)
    tl.data_move(c, out)
    tl.matmul(acc, a1, b1, init=False)
    again = tl.alloc_ub((16, 16), c.dtype)
    again[:] = out + out
    tl.data_move(d, again)


def test_an_accumulator_that_goes_on_is_not_the_tensor():
    rng = np.random.default_rng(0)
    a, b = rng.integers(-3, 4, (2, 16, 16)).astype(np.float16)
    c, d = once_and_twice(a, b, backend="llvm")
    np.testing.assert_array_equal(c, a.astype(np.float32) @ b.astype(np.float32))
    np.testing.assert_array_equal(d, 2 * c)


def test_a_tile_of_the_cube_outlives_where_it_came_from():
    rng = np.random.default_rng(0)
    a, d, b = rng.integers(-3, 4, (3, 16, 16)).astype(np.float16)
    found = two_products(a, d, b, backend="llvm")
    np.testing.assert_array_equal(found, (a + d).astype(np.float32) @ b.astype(np.float32))


def test_a_tile_is_computed_before_what_it_reads_changes():
    x = np.arange(256, dtype=np.float32).reshape(16, 16)
    y, z = before_and_after(x, backend="llvm")
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(z, -x)


def test_parts_of_a_tile_change_in_order():
    x = np.arange(32, dtype=np.float32).reshape(2, 16)
    found = shifted(x, backend="llvm")
    np.testing.assert_array_equal(found, np.stack([x[1], x[0] + x[1]]))
