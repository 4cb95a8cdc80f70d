"""Which blocks the copy engine moves."""

from collections.abc import Sequence

import pytest

from tilelang.backends.triton.blocks import Place, lane
from tilelang.backends.triton.descriptors import Box, find_box
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import ND, Layout, LayoutKind

ROW, COLUMN = ix.variable("i"), ix.scale(ix.variable("k"), 8)


def tensor(*shape: int, dtype: DType = DType.FLOAT16, layout: Layout = ND) -> Buffer:
    return Buffer("a", Memory.GM, dtype, shape, layout)


def place(
    of: Buffer, shape: Sequence[int], *element: Index, valid: cond.Condition | None = None
) -> Place:
    """Return a block whose elements are valid wherever they exist, unless `valid` is given."""
    ends = [
        cond.conjunction(cond.less_equal(ix.ZERO, index), cond.less(index, ix.constant(size)))
        for index, size in zip(element, of.shape, strict=True)
    ]
    return Place(of, tuple(shape), element, cond.conjunction(*ends) if valid is None else valid)


def at(start: Index, axis: int) -> Index:
    return ix.add(start, lane(axis))


def test_a_tile_is_a_box():
    found = find_box(place(tensor(100, 72), (64, 32), at(ix.scale(ROW, 64), 0), at(COLUMN, 1)), 0)
    assert isinstance(found, Box)
    assert (found.descriptor.block, found.start, found.order) == (
        (64, 32),
        (ix.scale(ROW, 64), COLUMN),
        (0, 1),
    )


def test_a_transposed_tile_is_a_box_in_another_order():
    rows, columns = at(ix.variable("k"), 1), at(ix.scale(ROW, 64), 0)
    found = find_box(place(tensor(100, 72), (64, 32), rows, columns), 0)
    assert found is not None
    assert (found.descriptor.block, found.order) == ((32, 64), (1, 0))


def test_an_axis_of_one_element_is_one_wide():
    found = find_box(place(tensor(9, 100, 72), (64, 32), ROW, at(ix.ZERO, 0), at(ix.ZERO, 1)), 0)
    assert found is not None
    assert found.descriptor.block == (1, 64, 32)


TILE = (at(ROW, 0), at(COLUMN, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param((place(tensor(100, 70), (64, 32), *TILE), 0), id="pitch"),
        pytest.param((place(tensor(100, 72), (64, 4), *TILE), 0), id="narrow rows"),
        pytest.param((place(tensor(100, 72), (64, 32), *TILE), 1), id="another pad"),
        pytest.param(
            (place(tensor(100, 72), (64, 32), at(ROW, 0), at(ix.variable("k"), 1)), 0),
            id="start",
        ),
        pytest.param(
            (place(tensor(100, 72), (64, 32), at(ix.scale(lane(0), 1), 0), at(COLUMN, 1)), 0),
            id="stride 2",
        ),
        pytest.param(
            (place(tensor(100, 72), (64, 32), ix.add(lane(0), lane(1)), at(COLUMN, 1)), 0),
            id="diagonal",
        ),
        pytest.param(
            (place(tensor(100, 72), (64, 32), at(ROW, 0), ix.floor_div(at(COLUMN, 1), 2)), 0),
            id="halved",
        ),
        pytest.param(
            (place(tensor(96, 64, layout=Layout(LayoutKind.NZ, 16)), (64, 32), *TILE), 0),
            id="blocked",
        ),
        pytest.param(
            (
                place(
                    tensor(100, 72), (64, 32), *TILE, valid=cond.less(at(ROW, 0), ix.constant(50))
                ),
                0,
            ),
            id="valid in part",
        ),
    ],
)
def test_what_is_no_box_goes_by_pointers(wrong: tuple[Place, int]):
    assert find_box(*wrong) is None


def test_rows_that_start_at_any_byte_are_a_box_if_they_may_be_copied():
    odd = place(tensor(100, 70), (64, 32), *TILE)
    found = find_box(odd, 0, may_copy=True)
    assert found is not None
    assert (found.descriptor.pitch, found.descriptor.is_copied) == (72, True)
