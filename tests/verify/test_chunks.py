"""Row blocks that a backend may do at once or as one."""

import pytest

from tests.golden import Golden
from tests.verify.writing import (
    F16,
    F32,
    NZ16,
    Source,
    alloc,
    check_message,
    chunks,
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
from tilelang.ir.expression import Binary, BinaryOp, Literal, Load
from tilelang.ir.index import Index
from tilelang.ir.nodes import Core, If, Map, Matmul, Move, Program, Reduce, ReduceOp, Stmt
from tilelang.ir.region import Memory, Region, whole

r = ix.variable("r")
x, y = tensor("x", (128, 64), F32), tensor("y", (128, 64), F32)
rows = tile("rows", Memory.UB, (32, 64), F32)
kept = tile("kept", Memory.UB, (128, 64), F32)
sums = tile("sums", Memory.UB, (128, 1), F32)
top = tile("top", Memory.UB, (1, 64), F32)


def block(start: Index, *, of: str = "kept") -> Region:
    """Return 32 rows from `start` of a buffer that lives outside the loop."""
    return part({"kept": kept, "x": x, "y": y}[of], start, 0, extent=(32, 64))


def zero(region: Region) -> Map:
    return Map(region, Literal(0, F32))


def looping(*body: Stmt, source: Source | None = None) -> Program:
    """Return a program with `body` in a loop over row blocks of 32 rows."""
    loc = source.line("    for r in tl.chunks(acc, rows=32):") if source else None
    loop = (
        chunks("r", 4, *alloc(rows), *body, loc=loc) if loc else chunks("r", 4, *alloc(rows), *body)
    )
    fills = (zero(whole(kept)), zero(whole(sums)), zero(whole(top)))
    store = Move(whole(y), whole(kept))
    grid = (Core("i", 8),)
    outside = (*alloc(kept, sums, top), *fills, loop, store)
    return program(*outside, inputs=[x], results=[y], grid=grid)


def test_rows_come_in_are_worked_on_and_go_out():
    start = times(32, "r")
    body = (
        Move(whole(rows), block(start, of="x")),
        Map(whole(rows), Binary(BinaryOp.ADD, Load(whole(rows)), Load(block(start)))),
        Map(block(start), Load(whole(rows))),
        Reduce(part(sums, start, 0, extent=(32, 1)), ReduceOp.SUM, whole(rows), 1),
        Move(block(ix.add(times(128, "i"), start), of="y"), whole(rows)),
        If(cond.less(ix.variable("i"), ix.constant(3)), (zero(whole(rows)),), ()),
    )
    assert not codes(looping(*body))


def test_a_loop_has_no_place_among_row_blocks(golden: Golden):
    source = Source()
    wrong = looping(source=source)
    loc = source.line("        for k in tl.for_range(4):")
    wrong = looping(serial("k", 4, loc=loc), source=source)
    check_message(golden, "E0306-a-loop", wrong)


def test_only_vector_work_is_done_by_row_blocks():
    a1, b1 = tile("a1", Memory.L1, (16, 16)), tile("b1", Memory.L1, (16, 16))
    acc = tile("acc", Memory.L0C, (16, 16), F32)
    product = Matmul(whole(acc), whole(a1), whole(b1), cond.TRUE)
    along_rows = Reduce(whole(top), ReduceOp.SUM, whole(rows), 0)
    on_itself = If(cond.less(r, ix.constant(1)), (), ())
    for stmt in (product, along_rows, on_itself):
        assert "E0306" in codes(looping(*alloc(a1, b1, acc), stmt))


def test_row_blocks_do_not_add_up_in_one_place(golden: Golden):
    source = Source()
    looping(source=source)
    loc = source.line("        top[:] = top + rows[0:1, :]")
    row = part(rows, 0, 0, extent=(1, 64))
    into = whole(top, spot(loc, "top[:]"))
    adding = Map(into, Binary(BinaryOp.ADD, Load(whole(top)), Load(row)), loc)
    check_message(golden, "E0307-one-place", looping(zero(whole(rows)), adding))


@pytest.mark.parametrize(
    ("start", "fine"),
    [
        (times(32, "r"), True),
        (ix.add(times(32, "r"), ix.constant(0)), True),
        (times(16, "r"), False),
        (ix.constant(32), False),
        (ix.subtract(ix.constant(96), times(32, "r")), False),
        (ix.scale(ix.modulo(r, 2), 32), False),
        (ix.minimum(times(32, "r"), ix.constant(96)), False),
        (ix.add(times(32, "r"), ix.floor_div(r, 4)), False),
    ],
)
def test_a_row_block_is_written_by_its_own_chunk(start: Index, fine: bool):
    assert codes(looping(zero(block(start)))) == ([] if fine else ["E0307"])


def test_a_row_block_does_not_read_what_another_writes():
    start = times(32, "r")
    write = Map(block(start), Literal(0, F32))
    next_one = ix.minimum(ix.add(start, ix.constant(32)), ix.constant(96))
    assert codes(looping(write, Map(whole(rows), Load(block(next_one))))) == ["E0307"]
    assert not codes(looping(write, Map(whole(rows), Load(block(start)))))
    half = part(kept, ix.add(start, ix.constant(16)), 0, extent=(16, 64))
    assert not codes(looping(write, zero(half)))
    over = part(kept, ix.add(start, ix.constant(16)), 0, extent=(32, 64))
    assert "E0307" in codes(looping(write, Map(whole(rows), Load(over))))


def test_a_row_block_is_not_a_block_of_columns():
    columns = part(kept, 0, times(16, "r"), extent=(128, 16))
    assert not codes(looping(zero(columns)))
    assert codes(looping(zero(columns), zero(block(times(32, "r"))))) == ["E0307"]


def test_what_is_only_read_may_be_read_by_all():
    assert not codes(looping(Map(whole(rows), Load(block(ix.constant(32))))))


def test_a_tile_of_the_cube_leaves_by_row_blocks():
    acc = tile("acc", Memory.L0C, (128, 64), F32)
    out = tile("out", Memory.UB, (32, 64), F32, layout=NZ16)
    a1, b1 = tile("a1", Memory.L1, (128, 16)), tile("b1", Memory.L1, (16, 64))
    a, b = tensor("a", (128, 16), F16), tensor("b", (16, 64), F16)
    start = times(32, "r")
    before = (
        *alloc(acc, a1, b1),
        Move(whole(a1), whole(a)),
        Move(whole(b1), whole(b)),
        Matmul(whole(acc), whole(a1), whole(b1), cond.TRUE),
    )
    leave = Move(whole(out), part(acc, start, 0, extent=(32, 64)))
    store = Move(block(start, of="y"), whole(out))
    loop = chunks("r", 4, *alloc(out), leave, store)
    assert not codes(program(*before, loop, inputs=[a, b], results=[y]))
