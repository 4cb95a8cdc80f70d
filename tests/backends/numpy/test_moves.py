"""Moves: overhang on every side, steps, points, views, and conversions on the way."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.numpy.programs import (
    allocate,
    box,
    buffer,
    loop,
    permuted,
    program,
    run,
    stage,
    times,
)
from tilelang.ir.nodes import Move, Program
from tilelang.ir.region import Buffer, Permute, Region, whole
from tilelang.layouts import Layout, LayoutKind

Array = NDArray[Any]


def numbered(*shape: int, dtype: Any = np.float32) -> Array:
    return np.arange(1, 1 + math.prod(shape)).reshape(shape).astype(dtype)


def through_ub(source: Region, target: Region, *, pad: float = 0) -> Program:
    """Return a program that moves a region of `x` to a region of `y` by way of UB."""
    tile = buffer("ub", "tile", source.shape, str(source.buffer.dtype))
    return program(
        (source.buffer,),
        (target.buffer,),
        *allocate(tile),
        Move(whole(tile), source, pad),
        Move(target, whole(tile)),
    )


def tensors(
    shape: tuple[int, ...], of_result: tuple[int, ...], dtype: str = "float32"
) -> tuple[Buffer, Buffer]:
    return buffer("gm", "x", shape, dtype), buffer("gm", "y", of_result, dtype)


@pytest.mark.parametrize("start", [-5, -4, -1, 0, 1, 6, 7, 9])
def test_what_hangs_over_a_source_becomes_the_pad(start: int):
    x, y = tensors((7, 3), (4, 5))
    found = run(through_ub(box(x, [start, -1], [4, 5]), whole(y), pad=-2.5), numbered(7, 3))
    padded = np.pad(numbered(7, 3), ((9, 9), (1, 1)), constant_values=-2.5)
    np.testing.assert_array_equal(found, padded[start + 9 : start + 13])


@pytest.mark.parametrize("start", [-3, -1, 0, 2, 3])
def test_what_hangs_over_a_target_is_dropped(start: int):
    x, y = tensors((5, 2), (4, 2))
    loads = buffer("ub", "tile", (5, 2))
    zeros = buffer("gm", "z", (9, 2))
    clear = through_ub(box(zeros, [0, 0], [4, 2]), whole(y))
    parts = clear.stages[0].body
    store = (
        *allocate(loads),
        Move(whole(loads), whole(x)),
        Move(box(y, [start, 0], [5, 2]), whole(loads)),
    )
    found = run(
        program((x, zeros), (y,), *parts, *store), numbered(5, 2), np.zeros((9, 2), np.float32)
    )
    wanted = np.zeros((14, 2))
    wanted[start + 5 : start + 10] = numbered(5, 2)
    np.testing.assert_array_equal(found, wanted[5:9])


def test_steps_and_single_elements():
    x, y = tensors((3, 9, 4), (3, 2))
    source = box(x, [1, 1, 1], [None, 3, 2], [1, 3, 2])
    np.testing.assert_array_equal(
        run(through_ub(source, whole(y)), numbered(3, 9, 4)), numbered(3, 9, 4)[1, 1::3, 1::2]
    )


def test_a_step_over_the_end_pads_what_is_past_it():
    x, y = tensors((8,), (5,))
    found = run(through_ub(box(x, [-3], [5], [3]), whole(y), pad=9), numbered(8))
    np.testing.assert_array_equal(found, [9, 1, 4, 7, 9])


def test_a_single_element_past_the_end_makes_everything_padding():
    x, y = tensors((3, 4), (4,))
    for start in (-1, 3):
        source = box(x, [start, 0], [None, 4])
        np.testing.assert_array_equal(
            run(through_ub(source, whole(y), pad=5), numbered(3, 4)), [5] * 4
        )


def test_a_region_of_single_elements_only():
    x, y = tensors((3, 4), (2, 2))
    tile = buffer("ub", "tile", (2, 2))
    moves = [
        Move(box(tile, [i, j], [None, None]), box(x, [i + 1, j + 2], [None, None]))
        for i in range(2)
        for j in range(2)
    ]
    found = run(
        program((x,), (y,), *allocate(tile), *moves, Move(whole(y), whole(tile))), numbered(3, 4)
    )
    np.testing.assert_array_equal(found, numbered(3, 4)[1:3, 2:4])


VIEWS: list[tuple[Permute, tuple[int, ...]]] = [
    (permuted((2,), (0,), (1,)), (2, 0, 1)),
    (permuted((0,), (1, 2)), (0, 1, 2)),
    (permuted((1, 2), (0,)), (1, 2, 0)),
    (permuted((2,), (0, 1)), (2, 0, 1)),
    (permuted((0, 1, 2)), (0, 1, 2)),
]


@pytest.mark.parametrize(("view", "order"), VIEWS)
def test_loads_and_stores_through_views_with_overhang(view: Permute, order: tuple[int, ...]):
    x, y = tensors((3, 5, 2), (3, 5, 2))
    seen = (
        numbered(3, 5, 2)
        .transpose(order)
        .reshape([math.prod((3, 5, 2)[a] for a in g) for g in view.groups])
    )
    extent = [size + 3 for size in seen.shape]
    start = [-2] * len(extent)
    by_view = box(y, start, extent, view=view)
    found = run(through_ub(box(x, start, extent, view=view), by_view, pad=7), numbered(3, 5, 2))
    np.testing.assert_array_equal(found, numbered(3, 5, 2))


def test_a_transposing_load_with_overhang():
    x, y = tensors((3, 5), (7, 4))
    source = box(x, [-1, -1], [7, 4], view=permuted((1,), (0,)))
    wanted = np.pad(numbered(3, 5).T, ((1, 1), (1, 0)))
    np.testing.assert_array_equal(run(through_ub(source, whole(y)), numbered(3, 5)), wanted)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 31])
def test_tiles_on_many_cores_copy_any_length(n: int):
    x, y = tensors((n,), (n,))
    tile = buffer("ub", "tile", (16,))
    part = [times(16, "i")]
    body = (
        *allocate(tile),
        Move(whole(tile), box(x, part, [16])),
        Move(box(y, part, [16]), whole(tile)),
    )
    found = run(program((x,), (y,), stage({"i": -(-n // 16)}, *body)), numbered(n))
    np.testing.assert_array_equal(found, numbered(n))


def test_a_move_converts_to_nearest_even():
    x, y = buffer("gm", "x", (16, 16)), buffer("gm", "y", (16, 16), "float16")
    wide, narrow = buffer("ub", "wide", (16, 16)), buffer("ub", "narrow", (16, 16), "float16")
    values = np.full((16, 16), 1 + 2.0**-11, np.float32)
    values[0] = 1e6
    body = (*allocate(wide, narrow), Move(whole(wide), whole(x)), Move(whole(narrow), whole(wide)))
    found = run(program((x,), (y,), *body, Move(whole(y), whole(narrow))), values)
    np.testing.assert_array_equal(found, [[math.inf] * 16] + [[1] * 16] * 15)


@pytest.mark.parametrize("pad", [-math.inf, math.nan, 0.1])
def test_the_pad_is_rounded_to_the_dtype(pad: float):
    x, y = tensors((1,), (2,), "float16")
    found = run(through_ub(box(x, [0], [2]), whole(y), pad=pad), np.ones(1, np.float16))
    np.testing.assert_array_equal(found, np.array([1, pad], np.float16))


def test_what_is_dropped_need_not_be_defined():
    x, y = tensors((3, 2), (3, 2))
    tile = buffer("ub", "tile", (5, 2))
    loads = Move(box(tile, [0, 0], [3, 2]), whole(x))
    body = (*allocate(tile), loads, Move(box(y, [0, 0], [5, 2]), whole(tile)))
    np.testing.assert_array_equal(run(program((x,), (y,), *body), numbered(3, 2)), numbered(3, 2))


def test_zero_extents_move_nothing():
    x, y = tensors((0, 3), (0, 3))
    assert run(through_ub(whole(x), whole(y)), np.zeros((0, 3), np.float32)).shape == (0, 3)
    x, y = tensors((0, 3), (2, 3))
    found = run(through_ub(box(x, [0, 0], [2, 3]), whole(y), pad=4), np.zeros((0, 3), np.float32))
    np.testing.assert_array_equal(found, np.full((2, 3), 4))


LAYOUTS = [
    (Layout(LayoutKind.NZ, 16), (17, 5)),
    (Layout(LayoutKind.ZZ, 16), (15, 33)),
    (Layout(LayoutKind.NN, 16), (16, 1)),
    (Layout(LayoutKind.NC1HWC0, 16), (2, 17, 3, 5)),
    (Layout(LayoutKind.FRACTAL_Z, 16), (5, 17, 2, 3)),
]


@pytest.mark.parametrize(("layout", "shape"), LAYOUTS)
def test_tensors_in_every_layout_are_read_and_written_in_their_physical_form(
    layout: Layout, shape: tuple[int, ...]
):
    x = buffer("gm", "x", shape, "float16", layout)
    y = buffer("gm", "y", shape, "float16", layout)
    source = box(x, [0] * len(shape), shape)
    dirty = layout.pack(numbered(*shape, dtype=np.float16))
    dirty[layout.pack(np.ones(shape, np.float16)) == 0] = np.nan  # what pads blocks is never read
    found = run(through_ub(source, whole(y)), dirty)
    np.testing.assert_array_equal(found, layout.pack(numbered(*shape, dtype=np.float16)))


def test_a_tile_array_is_written_and_read_by_its_number():
    x, y = tensors((4, 3), (4, 3))
    tiles = buffer("ub", "tiles", (4, 3))
    fill = loop("t", 4, Move(box(tiles, ["t", 0], [None, 3]), box(x, ["t", 0], [None, 3])))
    drain = loop(
        "u", 4, Move(box(y, ["u", 0], [None, 3]), box(tiles, [times(-1, "u", 3), 0], [None, 3]))
    )
    found = run(program((x,), (y,), *allocate(tiles), fill, drain), numbered(4, 3))
    np.testing.assert_array_equal(found, numbered(4, 3)[::-1])
