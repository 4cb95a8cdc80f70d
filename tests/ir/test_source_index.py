"""`source_index` against numpy: a padded copy that is sliced, and loops over taps for img2col."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import ZERO
from tilelang.ir.nodes import Img2col, Move, Window
from tilelang.ir.region import (
    AsMatrix,
    Buffer,
    Memory,
    Permute,
    Region,
    View,
    identity,
    view_shape,
    whole,
)
from tilelang.ir.source_index import region_element, source_index
from tilelang.layouts import ND, LayoutKind, layout_for

MARGIN = 9


def tensor(shape: tuple[int, ...], dtype: DType = DType.FLOAT16) -> Buffer:
    return Buffer("x", Memory.GM, dtype, shape, ND)


def gather(stmt: Move | Img2col, values: NDArray[Any], pad: float) -> NDArray[Any]:
    """Evaluate `source_index` at every element of the destination, one by one."""
    out = np.full(stmt.dst.shape, float(pad))
    for i in np.ndindex(*stmt.dst.shape):
        element, exists = source_index(stmt, [ix.constant(n) for n in i])
        if cond.holds(exists, {}):
            out[i] = values[tuple(index.constant for index in element)]
    return out


@st.composite
def boxes(draw: st.DrawFn, shape: tuple[int, ...]):
    starts = [draw(st.integers(-MARGIN // 2, size + 2)) for size in shape]
    steps = [draw(st.integers(1, 3)) for _ in shape]
    extents = [draw(st.one_of(st.none(), st.integers(1, 3))) for _ in shape]
    return starts, steps, extents


@st.composite
def views(draw: st.DrawFn, rank: int) -> Permute:
    cuts = [0, *[n for n in range(1, rank) if draw(st.booleans())], rank]
    groups = [tuple(range(a, b)) for a, b in pairwise(cuts)]
    return Permute(tuple(draw(st.permutations(groups))))


def seen_through(values: NDArray[Any], view: Permute) -> NDArray[Any]:
    order = [axis for group in view.groups for axis in group]
    merged = [int(np.prod([values.shape[axis] for axis in group])) for group in view.groups]
    return values.transpose(order).reshape(merged)


@given(st.data())
def test_a_region_is_a_strided_slice_of_the_padded_view(data: st.DataObject):
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    values = 1.0 + np.arange(np.prod(shape)).reshape(shape)
    view = data.draw(views(len(shape)))
    starts, steps, extents = data.draw(boxes(view_shape(tensor(shape), view)))
    src = Region(tensor(shape), view, tuple(map(ix.constant, starts)), tuple(steps), tuple(extents))
    dst = whole(Buffer("t", Memory.UB, DType.FLOAT16, src.shape, ND))
    padded = np.pad(seen_through(values, view), MARGIN)
    key = tuple(
        start + MARGIN
        if extent is None
        else slice(start + MARGIN, start + MARGIN + (extent - 1) * step + 1, step)
        for start, step, extent in zip(starts, steps, extents, strict=True)
    )
    np.testing.assert_array_equal(gather(Move(dst, src), values, 0), padded[key])


@given(st.data())
def test_moves_compose(data: st.DataObject):
    """Forward GM -> L1 -> L0: the composed index finds what two copies in a row find."""
    shape = (data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6)))
    values = 1.0 + np.arange(np.prod(shape)).reshape(shape)
    corner = tuple(ix.constant(data.draw(st.integers(-3, 6))) for _ in shape)
    l1 = Buffer("t", Memory.L1, DType.FLOAT16, (5, 4), ND)
    first = Move(whole(l1), Region(tensor(shape), identity(2), corner, (1, 1), (5, 4)))
    swapped = Permute(((1,), (0,)))
    part = Region(l1, swapped, (ix.constant(1), ix.constant(2)), (1, 1), (3, 2))
    second = Move(whole(Buffer("u", Memory.L0A, DType.FLOAT16, (3, 2), ND)), part)
    two_copies = gather(second, gather(first, values, 0), 0)
    for i in np.ndindex(3, 2):
        through, inside = source_index(second, [ix.constant(n) for n in i])
        element, exists = source_index(first, through)
        found = values[tuple(e.constant for e in element)] if cond.holds(exists, {}) else 0
        assert cond.holds(inside, {})
        assert found == two_copies[i]


@pytest.mark.parametrize("channels", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3)])
def test_as_matrix_orders_rows_by_channel_block_then_tap(channels: int, kernel: tuple[int, int]):
    n_out, (height, width) = 5, kernel
    weights = 1.0 + np.arange(n_out * channels * height * width).reshape(
        n_out, channels, height, width
    )
    blocks = -(-channels // 16)
    rows: list[NDArray[Any]] = []
    for c1 in range(blocks):
        for r in range(height):
            for s in range(width):
                for c in range(16 * c1, 16 * c1 + 16):
                    rows.append(weights[:, c, r, s] if c < channels else np.zeros(n_out))
    buffer = tensor(weights.shape)
    view: View = AsMatrix()
    shape = view_shape(buffer, view)
    src = Region(buffer, view, (ZERO, ZERO), (1, 1), shape)
    dst = whole(Buffer("t", Memory.L1, DType.FLOAT16, shape, ND))
    np.testing.assert_array_equal(gather(Move(dst, src), weights, 0), np.stack(rows))


@given(st.data())
def test_img2col_reads_the_tap_of_the_output_position(data: st.DataObject):
    channels, height, width = (data.draw(st.integers(1, n)) for n in (19, 6, 6))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    window = Window(
        data.draw(pair),
        data.draw(pair),
        data.draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        data.draw(st.tuples(*[st.integers(0, 2)] * 4)),
    )
    values = 1.0 + np.arange(channels * height * width).reshape(channels, height, width)
    row, column = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 20))
    nc1hwc0 = layout_for(LayoutKind.NC1HWC0, DType.FLOAT16)
    src = whole(Buffer("x", Memory.L1, DType.FLOAT16, values.shape, nc1hwc0))
    dst = whole(Buffer("t", Memory.L0A, DType.FLOAT16, (7, 9), ND))
    stmt = Img2col(dst, src, window, ix.constant(row), ix.constant(column))
    matrix = np.pad(img2col(values, window), ((0, 40), (0, 40)))
    expected = matrix[row : row + 7, column : column + 9]
    np.testing.assert_array_equal(gather(stmt, values, 0), expected)


def img2col(values: NDArray[Any], window: Window) -> NDArray[Any]:
    """Return the whole matrix [oh * Wo + ow, (c1, kh, kw, c0)], by loops over output and taps."""
    top, bottom, left, right = window.padding
    channels = -(-values.shape[0] // 16) * 16
    padded = np.pad(values, ((0, channels - values.shape[0]), (top, bottom), (left, right)))
    (kh, kw), (sh, sw), (dh, dw) = window.kernel, window.stride, window.dilation
    out_h = max((padded.shape[1] - (kh - 1) * dh - 1) // sh + 1, 0)
    out_w = max((padded.shape[2] - (kw - 1) * dw - 1) // sw + 1, 0)
    rows = [
        [
            padded[c1 * 16 + c0, oh * sh + y * dh, ow * sw + x * dw]
            for c1 in range(channels // 16)
            for y in range(kh)
            for x in range(kw)
            for c0 in range(16)
        ]
        for oh in range(out_h)
        for ow in range(out_w)
    ]
    return np.array(rows).reshape(out_h * out_w, channels * kh * kw)


def test_a_region_counts_only_its_spanned_axes():
    src = Region(tensor((4, 5)), identity(2), (ix.constant(2), ZERO), (1, 2), (None, 3))
    element, exists = region_element(src, [ix.constant(1)])
    assert element == (ix.constant(2), ix.constant(2))
    assert exists == cond.TRUE
