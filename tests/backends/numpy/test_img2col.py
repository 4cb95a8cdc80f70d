"""`Img2col`, against a convolution's columns gathered by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.backends.numpy.programs import allocate, box, buffer, loop, program, run, times
from tilelang.ir import condition as cond
from tilelang.ir.index import constant
from tilelang.ir.nodes import Img2col, Mmad, Move, Program, Window
from tilelang.ir.region import AsMatrix, view_shape, whole
from tilelang.layouts import LayoutKind, layout_for

Array = NDArray[Any]


def columns_of(image: Array, window: Window, k0: int) -> Array:
    """Gather the columns in the order (c1, kh, kw, c0), one loop after the other."""
    n_channels, height, width = image.shape
    n_rows, n_columns = window.output(height, width)
    n_blocks = -(-n_channels // k0)
    kh, kw = window.kernel
    found = np.zeros((n_rows, n_columns, n_blocks, kh, kw, k0), image.dtype)
    for oh in range(n_rows):
        for ow in range(n_columns):
            for y in range(kh):
                for x in range(kw):
                    h = oh * window.stride[0] + y * window.dilation[0] - window.padding[0]
                    w = ow * window.stride[1] + x * window.dilation[1] - window.padding[2]
                    if 0 <= h < height and 0 <= w < width:
                        pixel = np.zeros(n_blocks * k0, image.dtype)
                        pixel[:n_channels] = image[:, h, w]
                        found[oh, ow, :, y, x] = pixel.reshape(n_blocks, k0)
    return found.reshape(n_rows * n_columns, n_blocks * kh * kw * k0)


def expand(
    shape: tuple[int, int, int], window: Window, row: int, column: int, size: tuple[int, int]
) -> Program:
    """Return a program that stores one tile of the columns of a feature map."""
    layout = layout_for(LayoutKind.NC1HWC0, buffer("l1", "x", (1,), "float16").dtype)
    x, y = buffer("gm", "x", shape, "float16"), buffer("gm", "y", size, "float16")
    feature_map = buffer("l1", "feature_map", shape, "float16", layout)
    tile = buffer("ub", "tile", size, "float16")
    body = (
        *allocate(feature_map, tile),
        Move(whole(feature_map), whole(x)),
        Img2col(whole(tile), whole(feature_map), window, constant(row), constant(column)),
        Move(whole(y), whole(tile)),
    )
    return program((x,), (y,), *body)


def image_of(*shape: int) -> Array:
    return np.random.default_rng(5).integers(1, 100, shape).astype(np.float16)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    padding = st.tuples(*[st.integers(0, 2)] * 4)
    return Window(draw(pairs), draw(pairs), draw(pairs), draw(padding))


@settings(max_examples=60, deadline=None)
@given(
    windows(),
    st.sampled_from([(1, 5, 5), (3, 4, 7), (17, 3, 6)]),
    st.integers(0, 30),
    st.integers(0, 40),
)
def test_any_tile_of_the_columns(
    window: Window, shape: tuple[int, int, int], row: int, column: int
):
    image = image_of(*shape)
    wanted = np.zeros((200, 700), np.float16)
    columns = columns_of(image, window, 16)
    wanted[: columns.shape[0], : columns.shape[1]] = columns
    found = run(expand(shape, window, row, column, (16, 48)), image)
    np.testing.assert_array_equal(found, wanted[row : row + 16, column : column + 48])


@pytest.mark.parametrize("shape", [(16, 5, 6), (20, 4, 4)])
def test_a_convolution_of_any_number_of_channels(shape: tuple[int, int, int]):
    window = Window((3, 2), (2, 1), (1, 1), (1, 1, 0, 1))
    image, weights = image_of(*shape), image_of(5, shape[0], 3, 2)
    columns = columns_of(image, window, 16)
    n_rows, k = columns.shape
    convolve = convolution(shape, window, n_out=5, rows=n_rows, k=k)
    found = run(convolve, image, weights)
    n_blocks = -(-shape[0] // 16)
    padded = np.zeros((5, n_blocks * 16, 3, 2))
    padded[:, : shape[0]] = weights
    matrix = padded.reshape(5, n_blocks, 16, 3, 2).transpose(1, 3, 4, 2, 0).reshape(k, 5)
    np.testing.assert_array_equal(found, columns.astype(np.float64) @ matrix)


def convolution(
    shape: tuple[int, int, int], window: Window, *, n_out: int, rows: int, k: int
) -> Program:
    """Return a convolution: 16 output positions and one column block at a time."""
    dtype = "float16"
    x, w = (
        buffer("gm", "x", shape, dtype),
        buffer("gm", "w", (n_out, shape[0], *window.kernel), dtype),
    )
    y = buffer("gm", "y", (rows, n_out))
    map_layout = layout_for(LayoutKind.NC1HWC0, x.dtype)
    weight_layout = layout_for(LayoutKind.FRACTAL_Z, x.dtype)
    x1 = buffer("l1", "x1", shape, dtype, map_layout)
    w1 = buffer("l1", "w1", w.shape, dtype, weight_layout)
    a0, b0 = buffer("l0a", "a0", (16, 16), dtype), buffer("l0b", "b0", (16, n_out), dtype)
    acc, out = buffer("l0c", "acc", (16, n_out)), buffer("ub", "out", (16, n_out))
    assert view_shape(w1, AsMatrix()) == (k, n_out)
    row, column = times(16, "m"), times(16, "k")
    step = (
        *allocate(a0, b0),
        Img2col(whole(a0), whole(x1), window, row, column),
        Move(whole(b0), box(w1, [column, 0], (16, n_out), view=AsMatrix())),
        Mmad(whole(acc), whole(a0), whole(b0), cond.equal(times(1, "k"), constant(0))),
    )
    body = loop(
        "m",
        -(-rows // 16),
        *allocate(acc, out),
        loop("k", k // 16, *step),
        Move(whole(out), whole(acc)),
        Move(box(y, [row, 0], (16, n_out)), whole(out)),
    )
    return program(
        (x, w), (y,), *allocate(x1, w1), Move(whole(x1), whole(x)), Move(whole(w1), whole(w)), body
    )
