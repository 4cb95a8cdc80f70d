"""Where regions lie: slices against arrays of indices, and both against plain numpy."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.backends.numpy.programs import box, buffer, permuted, times
from tilelang.backends.numpy.places import Box, Place, locate, locate_box, locate_elements
from tilelang.ir import index as ix
from tilelang.ir.named import called
from tilelang.ir.region import AsMatrix, Permute, Region, view_shape

Array = NDArray[Any]

SIZES = st.sampled_from([0, 1, 2, 3, 5, 7])
VARIABLES = {"i": 2, "j": -3}


@st.composite
def regions(draw: st.DrawFn, *, merging: bool) -> Region:
    """Draw a region of a small buffer; it may lie anywhere, also outside altogether."""
    shape = draw(st.lists(SIZES, min_size=1, max_size=3))
    axes = draw(st.permutations(range(len(shape))))
    view = Permute(tuple((axis,) for axis in axes))
    if merging:
        first = draw(st.integers(0, len(shape) - 1))
        last = draw(st.integers(first, len(shape) - 1))
        merged = tuple(range(first, last + 1))
        groups = [(axis,) for axis in axes if axis not in merged]
        at = draw(st.integers(0, len(groups)))
        view = Permute((*groups[:at], merged, *groups[at:]))
    kept = buffer("gm", "x", shape)
    n_axes = len(view.groups)
    extent = draw(st.lists(st.none() | st.integers(0, 6), min_size=n_axes, max_size=n_axes))
    step = draw(st.lists(st.integers(1, 3), min_size=n_axes, max_size=n_axes))
    start = [
        ix.add(times(draw(st.integers(-2, 2)), draw(st.sampled_from("ij"))), ix.constant(plus))
        for plus in draw(st.lists(st.integers(-9, 12), min_size=n_axes, max_size=n_axes))
    ]
    return box(kept, start, extent, step, view=view)


def seen_through(array: Array, view: Permute) -> Array:
    """Return the array seen through a view, by numpy's own means."""
    order = [axis for group in view.groups for axis in group]
    shape = [int(np.prod([array.shape[axis] for axis in group])) for group in view.groups]
    return array.transpose(order).reshape(shape)


def read_one_by_one(array: Array, region: Region, fill: float) -> Array:
    """Read a region element by element, from its definition."""
    assert isinstance(region.view, Permute)
    seen = seen_through(array, region.view)
    values = np.full(region.shape, fill, array.dtype)
    for position in product(*map(range, region.shape)):
        counts = iter(position)
        at = tuple(
            ix.evaluate(start, VARIABLES) + (0 if extent is None else next(counts) * step)
            for start, step, extent in zip(region.start, region.step, region.extent, strict=True)
        )
        if all(0 <= i < n for i, n in zip(at, seen.shape, strict=True)):
            values[position] = seen[at]
    return values


def numbered(shape: tuple[int, ...]) -> Array:
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


def check_place(place: Place, region: Region) -> None:
    """Assert that reading, writing and existence agree with the definition."""
    array = numbered(region.buffer.shape)
    wanted = read_one_by_one(array, region, -1)
    np.testing.assert_array_equal(place.read(array, -1), wanted)
    np.testing.assert_array_equal(place.existing(region.shape), wanted != -1)
    if wanted.size:
        assert place.is_complete == bool((wanted != -1).all())
    target, values = np.zeros(region.buffer.shape), -numbered(region.shape)
    place.write(target, values)
    np.testing.assert_array_equal(place.read(target, 0), np.where(wanted != -1, values, 0))
    assert np.count_nonzero(target) == np.count_nonzero(wanted != -1)
    if place.is_whole:
        assert (target != 0).all()


@settings(deadline=None)
@given(regions(merging=False))
def test_slices_find_the_elements_of_the_definition(region: Region):
    find = locate_box(region)
    assert find is not None
    check_place(find(VARIABLES), region)


@settings(deadline=None)
@given(regions(merging=True))
def test_arrays_of_indices_find_the_elements_of_the_definition(region: Region):
    check_place(locate_elements(region)(VARIABLES), region)


@settings(deadline=None)
@given(regions(merging=False))
def test_slices_and_arrays_of_indices_agree(region: Region):
    fast, general = locate(region)(VARIABLES), locate_elements(region)(VARIABLES)
    array = numbered(region.buffer.shape)
    np.testing.assert_array_equal(fast.read(array, -7), general.read(array, -7))
    np.testing.assert_array_equal(fast.existing(region.shape), general.existing(region.shape))
    targets = np.zeros((2, *region.buffer.shape))
    fast.write(targets[0], 3.0)
    general.write(targets[1], 3.0)
    np.testing.assert_array_equal(targets[0], targets[1])


def test_a_place_is_found_again_for_other_values_of_the_variables():
    x = buffer("gm", "x", (6, 5))
    for view in (None, permuted((0, 1))):
        start = [times(2, "i"), "j"] if view is None else [times(5, "i")]
        region = box(x, start, [2, 3] if view is None else [4], view=view)
        find = locate(region)
        array = numbered(x.shape)
        first = find({"i": 0, "j": 1}).read(array, 0).copy()
        second = find({"i": 1, "j": 1}).read(array, 0).copy()
        assert (first != second).all()
        np.testing.assert_array_equal(find({"i": 0, "j": 1}).read(array, 0), first)


@pytest.mark.parametrize("n_channels", [15, 16, 17])
def test_weights_seen_as_a_matrix_have_the_columns_of_the_window_in_rows(n_channels: int):
    w = buffer("l1", "w", (3, n_channels, 2, 3), "float16")
    k, n_out = view_shape(w, AsMatrix())
    region = box(w, [0, 0], [k, n_out], view=AsMatrix())
    array = numbered(w.shape)
    n_blocks = -(-n_channels // 16)
    wanted = np.full((n_blocks * 16, 2, 3, n_out), -1.0)
    wanted[:n_channels] = array.transpose(1, 2, 3, 0)
    wanted = wanted.reshape(n_blocks, 16, 2, 3, n_out).transpose(0, 2, 3, 1, 4).reshape(k, n_out)
    place = locate(region)({})
    np.testing.assert_array_equal(place.read(array, -1), wanted)
    assert place.is_complete == (n_channels == 16)


def test_a_whole_region_is_known_to_be_whole_also_when_transposed():
    x = buffer("ub", "x", (3, 4))
    assert locate(box(x, [0, 0], [3, 4]))({}).is_whole
    assert locate(box(x, [0, 0], [4, 3], view=permuted((1,), (0,))))({}).is_whole
    assert not locate(box(x, [0, 0], [2, 4]))({}).is_whole
    assert not locate(box(x, [0, 0], [None, 4]))({}).is_whole


def test_a_place_is_of_plain_ints_since_names_would_slow_every_iteration_down():
    size, tile = called(40, "N"), called(16, "n_tile")
    index = ix.add(ix.scale(ix.variable("i"), tile), ix.constant(called(2, "first")))
    for start in (index, ix.constant(tile)):
        found = locate(box(buffer("gm", "x", [size]), [start], [tile]))({"i": 1})
        assert isinstance(found, Box)
        taken: Any = found.index[0]
        assert (type(taken.start), type(taken.stop)) == (int, int)
