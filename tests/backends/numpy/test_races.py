"""Cores of a stage: what they may share, and which sharing is refused."""

from typing import Any

import pytest
from numpy.typing import NDArray

from tests.backends.numpy.programs import (
    allocate,
    box,
    buffer,
    index,
    permuted,
    program,
    run,
    stage,
    times,
)
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.expression import Literal
from tilelang.ir.nodes import If, Map, Move, Program
from tilelang.ir.region import whole

Array = NDArray[Any]

Y = buffer("gm", "y", (12,))
TILE = buffer("ub", "tile", (4,))
FILL = (*allocate(TILE), Map(whole(TILE), Literal(1, DType.FLOAT32)))


def code_of(of: Program, *inputs: Array) -> str | None:
    """Return the code of the error that a program raises, None if it runs."""
    try:
        run(of, *inputs)
    except TileError as error:
        return error.diagnostics[0].code
    return None


@pytest.mark.parametrize(("apart", "code"), [(4, None), (3, "E0407"), (0, "E0407"), (-4, "E0409")])
def test_each_core_writes_elements_of_its_own(apart: int, code: str | None):
    start = times(apart, "i")
    body = (*FILL, Move(box(Y, [start], [4]), whole(TILE)))
    assert code_of(program((), (Y,), stage({"i": 3}, *body))) == code


def test_equal_values_are_a_race_too_but_one_core_may_write_twice():
    store = Move(box(Y, [0], [4]), whole(TILE))
    others = Move(box(Y, [4], [4]), whole(TILE)), Move(box(Y, [8], [4]), whole(TILE))
    assert code_of(program((), (Y,), stage({"i": 2}, *FILL, store, *others))) == "E0407"
    assert code_of(program((), (Y,), stage({"i": 1}, *FILL, store, store, *others))) is None
    assert code_of(program((), (Y,), stage({}, *FILL, store, store, *others))) is None


def test_what_hangs_over_is_nobody_s():
    short = buffer("gm", "y", (10,))
    body = (*FILL, Move(box(short, [times(4, "i")], [4]), whole(TILE)))
    assert code_of(program((), (short,), stage({"i": 4}, *body))) is None


def test_interleaved_elements_do_not_race():
    strided = box(Y, ["i"], [4], [3])
    assert code_of(program((), (Y,), stage({"i": 3}, *FILL, Move(strided, whole(TILE))))) is None


def test_races_through_merged_views_are_found():
    square = buffer("gm", "y", (3, 4))
    flat = box(square, [times(3, "i")], [4], view=permuted((0, 1)))
    assert (
        code_of(program((), (square,), stage({"i": 3}, *FILL, Move(flat, whole(TILE))))) == "E0407"
    )


def test_a_second_stage_may_write_what_the_first_wrote():
    part = Move(box(Y, [times(4, "i")], [4]), whole(TILE))
    back = Move(box(Y, [times(-4, "i", 8)], [4]), whole(TILE))
    both = (stage({"i": 3}, *FILL, part), stage({"i": 3}, *FILL, back))
    assert code_of(program((), (Y,), *both)) is None


WORK = buffer("gm", "work", (12,))
COPY = buffer("ub", "copy", (4,))
CLEAR = stage({}, *FILL, *(Move(box(WORK, [start], [4]), whole(TILE)) for start in (0, 4, 8)))


def in_second_stage(*body: Any, cores: int = 3) -> str | None:
    """Return the code of what happens when cores share workspace that is defined."""
    return code_of(
        program((), (), *allocate(WORK), CLEAR, stage({"i": cores}, *FILL, *allocate(COPY), *body))
    )


def write(start: Any) -> Move:
    return Move(box(WORK, [start], [4]), whole(TILE))


def read(start: Any) -> Move:
    return Move(whole(COPY), box(WORK, [start], [4]))


def test_a_core_may_read_what_it_wrote_and_write_what_it_read():
    own = times(4, "i")
    assert in_second_stage(write(own), read(own), write(own)) is None
    assert in_second_stage(read(own), write(own), read(own)) is None


def test_any_number_of_cores_may_read():
    assert in_second_stage(read(0), read(4)) is None


def test_reading_after_another_core_wrote_is_a_race():
    assert in_second_stage(write(times(4, "i")), read(0)) == "E0408"


def test_writing_after_another_core_read_is_a_race():
    assert in_second_stage(read(8), write(times(4, "i"))) == "E0408"


def test_the_first_reader_is_remembered_when_more_follow():
    last = If(cond.equal(index("i"), index(2)), (write(0),), ())
    assert in_second_stage(read(0), last) == "E0408"
    other = If(cond.equal(index("i"), index(1)), (read(0),), ())
    assert in_second_stage(other, last) == "E0408"


def test_all_may_read_what_nobody_writes():
    assert in_second_stage(write(times(4, "i")), read(8), cores=2) is None
    assert in_second_stage(write(times(4, "i")), read(7), cores=2) == "E0408"


def test_one_core_alone_never_races():
    assert in_second_stage(write(0), read(0), write(2), read(1), cores=1) is None


def test_results_of_an_earlier_stage_can_be_read_by_all():
    result = buffer("gm", "z", (3, 4))
    first = stage({"i": 3}, *FILL, Move(box(Y, [times(4, "i")], [4]), whole(TILE)))
    row = Move(box(result, ["j", 0], [None, 4]), whole(COPY))
    second = stage({"j": 3}, *allocate(COPY), Move(whole(COPY), box(Y, [4], [4])), row)
    y, z = run(program((), (Y, result), first, second))
    assert (y == 1).all()
    assert (z == 1).all()


def test_a_grid_of_no_cores_does_nothing():
    assert code_of(program((), (Y,), stage({"i": 0}, *FILL))) == "E0409"
    empty = buffer("gm", "y", (0,))
    assert run(program((), (empty,), stage({"i": 0}, *FILL))).shape == (0,)


def test_one_dimension_of_many_cores_is_enough_to_race():
    table = buffer("gm", "y", (2, 4))
    same_row = Move(box(table, ["i", 0], [None, 4]), whole(TILE))
    assert code_of(program((), (table,), stage({"i": 2, "j": 2}, *FILL, same_row))) == "E0407"
    assert code_of(program((), (table,), stage({"i": 2, "j": 1}, *FILL, same_row))) is None


def test_zeros_are_moved_by_nobody():
    empty = buffer("gm", "y", (0, 4))
    tile = buffer("ub", "tile", (2, 4))
    body = (
        *allocate(tile),
        Map(whole(tile), Literal(1, DType.FLOAT32)),
        Move(box(empty, ["i", 0], [2, 4]), whole(tile)),
    )
    assert run(program((), (empty,), stage({"i": 3}, *body))).shape == (0, 4)
