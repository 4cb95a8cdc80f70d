"""Tensors in GM: results are written, inputs are not, and nothing is read before it is written."""

from dataclasses import replace

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    Source,
    alloc,
    check_message,
    codes,
    part,
    program,
    serial,
    spot,
    tensor,
    tile,
)
from tilelang.ir.nodes import Alloc, Move, Program, Stage
from tilelang.ir.region import Buffer, Memory, whole

x, y = tensor("x", (64, 64)), tensor("y", (64, 64))
u = tile("u", Memory.UB, (64, 64))


def copy(dst: Buffer, src: Buffer, through: Buffer) -> Stage:
    """Return a stage that copies `src` to `dst`."""
    return Stage(
        (), (*alloc(through), Move(whole(through), whole(src)), Move(whole(dst), whole(through)))
    )


def test_a_kernel_writes_its_results(golden: Golden):
    source = Source()
    loc = source.line("def scale(x, y):")
    result = tensor("y", (64, 64), loc=spot(loc, "y"))
    load = Move(whole(u), whole(x))
    wrong = program(*alloc(u), load, inputs=[x], results=[result], loc=loc)
    check_message(golden, "E0370-never-written", wrong)
    store = Move(whole(result), whole(u))
    assert not codes(program(*alloc(u), load, store, inputs=[x], results=[result]))


def test_a_result_may_be_written_anywhere_and_in_parts():
    store = Move(part(y, 3, 5, extent=(64, 64)), whole(u))
    body = (*alloc(u), Move(whole(u), whole(x)), serial("k", 0, store))
    assert not codes(program(*body, inputs=[x], results=[y]))


def test_an_empty_result_needs_no_writing():
    assert not codes(program(inputs=[x], results=[tensor("y", (0, 64))]))


def test_inputs_are_not_written(golden: Golden):
    source = Source()
    given = tensor("x", (64, 64), loc=spot(source.line("def scale(x, y):"), "x"))
    loc = source.line("    tl.data_move(x, u)")
    back = Move(whole(given, spot(loc, "x")), whole(u), loc=loc)
    load, store = Move(whole(u), whole(given)), Move(whole(y), whole(u))
    wrong = program(*alloc(u), load, store, back, inputs=[given], results=[y])
    check_message(golden, "E0371-input", wrong)


def test_a_tile_that_nothing_writes_is_not_read(golden: Golden):
    source = Source()
    loc = source.line("h = tl.alloc_ub((64, 64), x.dtype)")
    h = tile("h", Memory.UB, (64, 64), loc=loc)
    loc = source.line("tl.data_move(y, h)")
    store = Move(whole(y), whole(h, spot(loc, "h")), loc=loc)
    check_message(golden, "E0372-tile", program(*alloc(h), store, results=[y]))


def test_workspace_is_written_by_an_earlier_stage(golden: Golden):
    source = Source()
    loc = source.line("work = tl.alloc_gm((64, 64), x.dtype)")
    work = tensor("work", (64, 64), loc=loc)
    v = replace(u, name="v")
    loc = source.line("tl.data_move(v, work)")
    read = Stage(
        (),
        (
            *alloc(v),
            Move(whole(v), whole(work, spot(loc, "work")), loc=loc),
            Move(whole(y), whole(v)),
        ),
    )
    loc = source.line("tl.data_move(work, u)")
    fill = Stage((), (*alloc(u), Move(whole(u), whole(x)), Move(whole(work), whole(u), loc=loc)))
    made = Program("sample", (x,), (y,), (), (), (Alloc(work), read, fill))
    check_message(golden, "E0372-later-stage", made)
    assert not codes(replace(made, body=(Alloc(work), fill, read)))
    assert codes(replace(made, body=(Alloc(work), read))) == ["E0372"]


def test_a_result_may_be_read_back():
    v = replace(u, name="v")
    z = tensor("z", (64, 64))
    stages = (copy(y, x, u), copy(z, y, v))
    assert not codes(Program("sample", (x,), (y, z), (), (), stages))
    assert codes(Program("sample", (x,), (y, z), (), (), stages[::-1])) == ["E0372"]


def test_an_accumulator_that_only_products_touch_is_written():
    assert not codes(gemm())
