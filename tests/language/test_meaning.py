"""What kernels written in the language compute, against numpy on whole arrays."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tilelang as tl

SIZES = [(1, 1), (15, 17), (16, 64), (31, 130)]


def random(shape: tuple[int, ...], dtype: Any = np.float32, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(dtype)


@tl.kernel("x[M, N]: float32, bias[N]: float32 -> y[M, N]: float32")
def arithmetic(x: tl.Tensor, bias: tl.Tensor, y: tl.Tensor, *, rows: int = 16) -> None:
    """Compute what can be said in one line of numpy, with its operators and broadcasting."""
    m, n = x.shape
    for i in tl.cores(tl.ceildiv(m, rows)):
        t = tl.alloc_ub((rows, n), x.dtype)
        b = tl.alloc_ub((n,), x.dtype)
        tl.data_move(t, x[i * rows, 0])
        tl.data_move(b, bias)
        t[:] = (2 - t * b) / (1 + abs(t)) + tl.maximum(t, b) - tl.minimum(-t, 0.5)
        tl.data_move(y[i * rows, 0], t)


@pytest.mark.parametrize("shape", SIZES)
def test_operators_and_broadcasting_are_numpys(shape: tuple[int, int]):
    x, b = random(shape), random(shape[1:], seed=1)
    expected = (2 - x * b) / (1 + np.abs(x)) + np.maximum(x, b) - np.minimum(-x, np.float32(0.5))
    np.testing.assert_array_equal(arithmetic(x, b), expected)


@tl.kernel("x[M, N]: float32 -> y[M, N]: int32")
def masks(x: tl.Tensor, y: tl.Tensor, *, rows: int = 16, columns: int = 32) -> None:
    """Choose by values, by positions and by the core's own index."""
    m, n = x.shape
    for i, j in tl.cores(tl.ceildiv(m, rows), tl.ceildiv(n, columns)):
        t = tl.alloc_ub((rows, columns), x.dtype)
        k = tl.alloc_ub((rows, columns), y.dtype)
        tl.data_move(t, x[i * rows, j * columns])
        row, column = i * rows + tl.position(0), j * columns + tl.position(1)
        inside = (t > 0.5) & ~(t >= 1.5) | (column == row)
        k[:] = tl.where(inside, row - column, tl.where(j > 0, i, -1))
        tl.data_move(y[i * rows, j * columns], k)


@pytest.mark.parametrize("shape", SIZES)
def test_masks_combine_values_positions_and_indices(shape: tuple[int, int]):
    x = random(shape)
    row, column = np.indices(shape)
    inside = ((x > 0.5) & ~(x >= 1.5)) | (row == column)
    expected = np.where(inside, row - column, np.where(column >= 32, row // 16, -1))
    np.testing.assert_array_equal(masks(x), expected)


@pytest.mark.parametrize(
    ("rounding", "mean"),
    [("nearest", np.rint), ("floor", np.floor), ("ceil", np.ceil), ("truncate", np.trunc)],
)
def test_casts_to_integers_round_as_said_and_saturate(rounding: str, mean: Any):
    @tl.kernel("x[N]: float32 -> y[N]: int8")
    def kernel(x: tl.Tensor, y: tl.Tensor) -> None:
        t = tl.alloc_ub(x.shape, x.dtype)
        k = tl.alloc_ub(x.shape, y.dtype)
        tl.data_move(t, x)
        k[:] = tl.cast(t, "int8", round=rounding)
        tl.data_move(y, k)

    x = np.array([0.5, 1.5, -0.5, -2.5, 2.7, -2.7, 1e9, -np.inf, np.nan, 127.4], np.float32)
    with np.errstate(invalid="ignore"):
        expected = np.where(np.isnan(x), 0, np.clip(mean(x), -128, 127)).astype(np.int8)
    np.testing.assert_array_equal(kernel(x), expected)


@tl.kernel("a[M, K]: T, b[N, K]: T -> c[M, N]: acc(T)")
def times_transposed(a: tl.Tensor, b: tl.Tensor, c: tl.Tensor, *, tile: int = 32) -> None:
    """C = a @ b.T, with the right operand transposed on its way to L0B."""
    (m, k), n = a.shape, b.shape[0]
    for i, j in tl.cores(tl.ceildiv(m, tile), tl.ceildiv(n, tile)):
        acc = tl.alloc_l0c((tile, tile), tl.acc(a.dtype))
        for s in tl.for_range(tl.ceildiv(k, tile), stages=2):
            a1 = tl.alloc_l1((tile, tile), a.dtype)
            b1 = tl.alloc_l1((tile, tile), b.dtype)
            tl.data_move(a1, a[i * tile, s * tile])
            tl.data_move(b1, b[j * tile, s * tile])
            tl.matmul(acc, a1, b1.T, init=s == 0)
        out = tl.alloc_ub((tile, tile), c.dtype)
        tl.data_move(out, acc)
        tl.data_move(c[i * tile, j * tile], out)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8])
@pytest.mark.parametrize("shape", [(1, 1, 1), (33, 15, 40), (64, 32, 97)])
def test_an_operand_may_be_transposed(dtype: Any, shape: tuple[int, int, int]):
    m, n, k = shape
    generator = np.random.default_rng(3)
    a, b = (generator.integers(-4, 5, s).astype(dtype) for s in ((m, k), (n, k)))
    expected = a.astype(np.int64) @ b.astype(np.int64).T
    np.testing.assert_array_equal(times_transposed(a, b), expected)


@tl.kernel("x[N, C, H, W]: T -> y[N, H * W, C]: T")
def channels_last(x: tl.Tensor, y: tl.Tensor, *, pixels: int = 16) -> None:
    """Read a permuted, merged view, one image and a block of pixels at a time."""
    n, c = x.shape[:2]
    seen = x.view((0,), (2, 3), (1,))
    for b, p in tl.cores(n, tl.ceildiv(seen.shape[1], pixels)):
        t = tl.alloc_ub((pixels, c), x.dtype)
        tl.data_move(t, seen[b, p * pixels :, :])
        tl.data_move(y[b, p * pixels :, :], t)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 5, 7), (3, 17, 4, 4)])
def test_a_view_permutes_and_merges(shape: tuple[int, int, int, int]):
    x = random(shape)
    n, c, h, w = shape
    np.testing.assert_array_equal(channels_last(x), x.transpose(0, 2, 3, 1).reshape(n, h * w, c))


@tl.kernel("x[N]: float32; left, step -> y[8]: float32")
def stencil(x: tl.Tensor, y: tl.Tensor, *, left: int, step: int) -> None:
    """Read from a start that may lie outside, with a step, and 9 where nothing is."""
    t = tl.alloc_ub((8,), x.dtype)
    tl.data_move(t, x[left::step], pad=9)
    tl.data_move(y, t)


@pytest.mark.parametrize("left", [-9, -3, 0, 4, 30])
@pytest.mark.parametrize("step", [1, 2, 5])
def test_what_lies_outside_is_the_pad(left: int, step: int):
    x = random((13,))
    places = left + step * np.arange(8)
    inside = (places >= 0) & (places < 13)
    expected = np.where(inside, x[np.clip(places, 0, 12)], np.float32(9))
    np.testing.assert_array_equal(stencil(x, left=left, step=step), expected)


@tl.kernel("x[T, B]: float32 -> y[T, B]: float32")
def running_sum(x: tl.Tensor, y: tl.Tensor) -> None:
    """Keep the last two sums in an array of tiles, and choose between them by the step."""
    n_steps, width = x.shape
    sums = tl.alloc_ub((2, 1, width), x.dtype)
    row = tl.alloc_ub((1, width), x.dtype)
    sums[:] = 0
    for t in tl.for_range(n_steps):
        tl.data_move(row, x[t, 0])
        sums[(t + 1) % 2] = sums[t % 2] + row
        tl.data_move(y[t, 0], sums[(t + 1) % 2])


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (16, 33)])
def test_an_array_of_tiles_is_indexed_by_a_loop(shape: tuple[int, int]):
    x = np.random.default_rng(0).integers(-9, 9, shape).astype(np.float32)
    np.testing.assert_array_equal(running_sum(x), np.cumsum(x, 0))


@tl.kernel("x[M, N]: float16 -> total[1, 1]: float32, peak[M, 1]: float16")
def reductions(x: tl.Tensor, total: tl.Tensor, peak: tl.Tensor, *, rows: int = 16) -> None:
    """Sum everything in two stages through workspace; row maxima on the way."""
    m, n = x.shape
    n_cores = tl.ceildiv(m, rows)
    partial = tl.alloc_gm((n_cores, 1), "float32")
    for i in tl.cores(n_cores):
        t = tl.alloc_ub((rows, n), x.dtype)
        sums = tl.alloc_ub((rows, 1), "float32")
        part = tl.alloc_ub((1, 1), "float32")
        top = tl.alloc_ub((rows, 1), x.dtype)
        tl.data_move(t, x[i * rows, 0])
        top[:] = tl.reduce_max(t, 1)
        tl.data_move(peak[i * rows, 0], top)
        sums[:] = tl.reduce_sum(t, -1)
        part[:] = tl.reduce_sum(sums, 0)
        tl.data_move(partial[i, 0], part)
    parts = tl.alloc_ub((n_cores, 1), "float32")
    whole = tl.alloc_ub((1, 1), "float32")
    tl.data_move(parts, partial)
    whole[:] = tl.reduce_sum(parts, 0)
    tl.data_move(total, whole)


@pytest.mark.parametrize("shape", [(1, 1), (17, 5), (48, 33)])
def test_stages_reduce_through_workspace(shape: tuple[int, int]):
    x = np.random.default_rng(0).integers(-9, 9, shape).astype(np.float16)
    total, peak = reductions(x)
    assert total == x.astype(np.float64).sum()
    np.testing.assert_array_equal(peak, x.max(1, keepdims=True))


@tl.kernel("x[C, H, W]: T, w[O, C, R, S]: T -> y[O, (H - R + 1) * (W - S + 1)]: acc(T)")
def convolution(x: tl.Tensor, w: tl.Tensor, y: tl.Tensor) -> None:
    """Convolve with stride 1 without padding as one product of img2col and weights."""
    (c, h, width), (n_out, _, r, s) = x.shape, w.shape
    n_pixels = (h - r + 1) * (width - s + 1)
    m, n, c = (tl.ceildiv(size, 32) * 32 for size in (n_pixels, n_out, c))
    k = c * r * s
    x1 = tl.alloc_l1((c, h, width), x.dtype)
    w1 = tl.alloc_l1((n, c, r, s), w.dtype)
    a0 = tl.alloc_l0a((m, k), x.dtype)
    b0 = tl.alloc_l0b((k, n), w.dtype)
    acc = tl.alloc_l0c((m, n), tl.acc(x.dtype))
    tl.data_move(x1, x[0, 0, 0])
    tl.data_move(w1, w[0, 0, 0, 0])
    tl.load3d(a0, x1, kernel=(r, s))
    tl.data_move(b0, tl.as_matrix(w1))
    tl.mmad(acc, a0, b0)
    out = tl.alloc_ub((m, n), y.dtype)
    tl.data_move(out, acc)
    tl.data_move(y.view((1,), (0,))[0, 0], out)


@pytest.mark.parametrize("dtype", [np.float16, np.int8])
@pytest.mark.parametrize("channels", [1, 16, 33])
def test_load3d_and_as_matrix_agree_on_the_order_of_taps(dtype: Any, channels: int):
    generator = np.random.default_rng(0)
    x = generator.integers(-3, 4, (channels, 5, 6)).astype(dtype)
    w = generator.integers(-3, 4, (7, channels, 2, 3)).astype(dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int64), (2, 3), (1, 2))
    expected = np.einsum("chwrs,ocrs->ohw", windows, w.astype(np.int64)).reshape(7, -1)
    np.testing.assert_array_equal(convolution(x, w), expected)
