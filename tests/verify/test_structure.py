"""Names, places and loops."""

from dataclasses import replace

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    F32,
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
    times,
)
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import IndexValue
from tilelang.ir.nodes import Alloc, Core, If, Map, Move, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, whole

x = tensor("x", (64, 64))
y = tensor("y", (64, 64))


def copying(*body: Stmt) -> Program:
    """Return a program that fills `y` from `x` through UB, after `body`."""
    through = tile("through", Memory.UB, (64, 64))
    moves = (Move(whole(through), whole(x)), Move(whole(y), whole(through)))
    return program(*alloc(through), *body, *moves, inputs=[x], results=[y])


def test_a_name_stands_for_one_buffer(golden: Golden):
    source = Source()
    one = tile("row", Memory.UB, (16,), loc=source.line("row = ub float16[16]"))
    other = tile("row", Memory.UB, (32,), loc=source.line("row = ub float16[32]"))
    check_message(golden, "E0301-two-buffers", copying(*alloc(one), *alloc(other)))


def test_a_name_stands_for_one_loop_variable(golden: Golden):
    source = Source()
    loops = [serial("k", 2, loc=source.line("for k < 2:")) for _ in range(2)]
    check_message(golden, "E0301-two-loops", copying(*loops))


def test_a_variable_and_a_buffer_may_share_a_name():
    assert not codes(copying(serial("x", 2)))


def test_a_tile_is_not_used_after_its_loop(golden: Golden):
    source = Source()
    loop = source.line("for k in tl.for_range(2):")
    piece = tile(
        "piece", Memory.UB, (64, 64), loc=source.line("    piece = tl.alloc_ub((64, 64), x.dtype)")
    )
    fill = Move(whole(piece), whole(x), loc=source.line("    tl.data_move(piece, x)"))
    store = source.line("tl.data_move(y, piece)")
    body = serial("k", 2, *alloc(piece), fill, loc=loop)
    use = Move(whole(y), whole(piece, spot(store, "piece")), loc=store)
    check_message(golden, "E0302-after-the-loop", program(body, use, inputs=[x], results=[y]))


def test_a_tile_is_allocated_before_it_is_used(golden: Golden):
    source = Source()
    use = source.line("tl.data_move(piece, x)")
    piece = tile("piece", Memory.UB, (64, 64), loc=source.line("piece = ub float16[64, 64]"))
    wrong = copying(Move(whole(piece), whole(x), loc=use), *alloc(piece))
    check_message(golden, "E0302-before-allocation", wrong)


def test_a_tile_is_what_its_allocation_says(golden: Golden):
    source = Source()
    piece = tile("piece", Memory.UB, (64, 64), loc=source.line("piece = ub float16[64, 64]"))
    other = tile("piece", Memory.UB, (64, 64), F32)
    use = source.line("move piece <- x")
    wrong = copying(*alloc(piece), Move(whole(other), whole(x), loc=use))
    check_message(golden, "E0302-another-form", wrong)


def test_workspace_is_allocated_between_stages(golden: Golden):
    source = Source()
    work = tensor("work", (8, 8), loc=source.line("work = tl.alloc_gm((8, 8), x.dtype)"))
    check_message(golden, "E0303-workspace-in-a-stage", copying(*alloc(work)))


def test_a_tile_is_allocated_inside_a_stage(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (16,), loc=source.line("row = tl.alloc_ub((16,), x.dtype)"))
    fine = copying()
    wrong = replace(fine, body=(Alloc(row, row.loc), *fine.body))
    check_message(golden, "E0303-tile-between-stages", wrong)


def test_inputs_lie_in_gm(golden: Golden):
    source = Source()
    where = source.line("kernel sample(bias: ub float16[16])")
    bias = Buffer("bias", Memory.UB, x.dtype, (16,), x.layout, spot(where, "bias"))
    fine = copying()
    check_message(golden, "E0303-input", replace(fine, inputs=(x, bias)))


def test_workspace_between_stages_is_in_scope_of_the_later_ones():
    work = tensor("work", (64, 64))
    tiles = [tile(name, Memory.UB, (64, 64)) for name in ("one", "two")]
    stages = [
        Stage((), (*alloc(one), Move(whole(one), whole(src)), Move(whole(dst), whole(one))))
        for one, src, dst in zip(tiles, (x, work), (work, y), strict=True)
    ]
    two_stages = Program("sample", (x,), (y,), (), (), (stages[0], stages[1]))
    assert set(codes(two_stages)) == {"E0302"}
    assert not codes(replace(two_stages, body=(Alloc(work), *stages)))


def test_a_variable_has_no_value_outside_its_loop(golden: Golden):
    source = Source()
    through = tile("through", Memory.UB, (64, 64))
    loop = serial("k", 4, loc=source.line("for k in tl.for_range(4):"))
    line = source.line("tl.data_move(through, x[16 * k, 0])")
    src = part(x, times(16, "k"), 0, extent=(64, 64), loc=spot(line, "x[16 * k, 0]"))
    load = Move(whole(through), src, loc=line)
    store = Move(whole(y), whole(through))
    wrong = program(*alloc(through), loop, load, store, inputs=[x], results=[y])
    check_message(golden, "E0304-outside-its-loop", wrong)


def test_variables_are_in_scope_wherever_an_index_stands():
    k = ix.variable("k")
    row = tile("row", Memory.UB, (16,), F32)
    condition = If(cond.less(k, ix.constant(1)), (), ())
    stored = Map(whole(row), IndexValue(k))
    for stmt in (serial("t", k), condition, stored):
        assert "E0304" in codes(copying(*alloc(row), stmt))
        assert "E0304" not in codes(copying(*alloc(row), serial("k", 2, stmt)))


def test_a_loop_has_at_least_one_stage(golden: Golden):
    source = Source()
    loop = serial("k", 4, stages=0, loc=source.line("for k in tl.for_range(4, stages=0):"))
    check_message(golden, "E0305-stages", copying(loop))


def test_a_grid_has_no_negative_size(golden: Golden):
    source = Source()
    fine = gemm()
    (stage,) = fine.stages
    loc = source.line("for i in tl.cores(M - 8):")
    wrong = replace(fine, body=(replace(stage, grid=(Core("i", -1), Core("j", 8)), loc=loc),))
    check_message(golden, "E0305-grid", wrong)


def test_empty_sizes_are_fine():
    for sizes in ((0, 17, 3), (17, 0, 3), (17, 3, 0), (1, 1, 1)):
        assert not codes(gemm(sizes, (16, 16, 16)))
