"""First-generation paths on a machine that lacks them."""

from dataclasses import replace

import pytest

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    F16,
    F32,
    NZ16,
    Source,
    alloc,
    chunks,
    codes,
    part,
    program,
    tensor,
    tile,
    times,
)
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir.expression import Binary, BinaryOp, Cast, Expr, Load, Rounding, Unary, UnaryOp
from tilelang.ir.nodes import If, Map, Matmul, Move, Program, Stmt
from tilelang.ir.region import Buffer, Memory, Region, whole
from tilelang.ir.walk import walk_program
from tilelang.machines import find_machine
from tilelang.passes.legalise import legalise

SPLIT = find_machine("ascend910b")
source = Source()
a, b = tensor("a", (32, 32)), tensor("b", (32, 32))
c = tensor("c", (32, 32), F32)
half = tensor("half", (32, 32), F16)
a1, b1 = tile("a1", Memory.L1, (32, 32)), tile("b1", Memory.L1, (32, 32))
acc = tile("acc", Memory.L0C, (32, 32), F32)
loc = source.line("tl.matmul(acc, a1, b1)")
PRODUCT: tuple[Stmt, ...] = (
    *alloc(a1, b1, acc),
    Move(whole(a1), whole(a)),
    Move(whole(b1), whole(b)),
    Matmul(whole(acc), whole(a1), whole(b1), cond.TRUE, loc),
)


def ub(name: str, dtype: DType = F32) -> Buffer:
    return tile(name, Memory.UB, (32, 32), dtype, layout=NZ16)


def multiplying(*after: Stmt, result: Buffer = c) -> Program:
    """Return a product of two matrices in L0C, and what is done with it."""
    return program(*PRODUCT, *after, inputs=[a, b], results=[result])


def moves_out(made: Program) -> list[tuple[Region, Region]]:
    """Return destination and source of every move to GM."""
    gm = Memory.GM
    return [
        (stmt.dst, stmt.src)
        for stmt in walk_program(made)
        if isinstance(stmt, Move) and stmt.dst.buffer.memory is gm
    ]


def cast(buffer: Buffer, dtype: DType, rounding: Rounding = Rounding.NEAREST) -> Expr:
    return Cast(Load(whole(buffer)), dtype, rounding)


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910", "host", "sm90"])
def test_first_generation_paths_are_left_alone(machine: str):
    made = gemm()
    assert legalise(made, find_machine(machine)) is made


def test_a_result_leaves_in_one_move_where_cores_are_split():
    made = gemm(sizes=(100, 17, 33), tiles=(32, 48, 16))
    done = legalise(made, SPLIT)
    ((dst, src),) = moves_out(done)
    assert src == whole(src.buffer)
    assert src.buffer.name == "acc"
    assert [dst] == [dst for dst, _ in moves_out(made)]
    assert not codes(done, "ascend910b")
    assert legalise(done, SPLIT) == done


def test_the_dtype_may_change_on_the_way():
    u, v = ub("u"), ub("v", F16)
    converting = (Move(whole(u), whole(acc)), Map(whole(v), cast(u, F16)))
    made = multiplying(*alloc(u, v), *converting, Move(whole(half), whole(v)), result=half)
    done = legalise(made, SPLIT)
    assert moves_out(done) == [(whole(half), whole(acc))]
    assert not codes(done, "ascend910b")
    on_the_path = (*alloc(v), Move(whole(v), whole(acc)), Move(whole(half), whole(v)))
    assert moves_out(legalise(multiplying(*on_the_path, result=half), SPLIT)) == moves_out(done)


def test_a_result_may_leave_twice_and_by_row_blocks():
    u = tile("u", Memory.UB, (16, 32), F32, layout=NZ16)
    block = part(acc, times(16, "r"), 0, extent=(16, 32))
    store = part(c, times(16, "r"), 0, extent=(16, 32))
    body = (*alloc(u), Move(whole(u), block), Move(store, whole(u)), Move(store, whole(u)))
    done = legalise(multiplying(chunks("r", 2, *body)), SPLIT)
    assert moves_out(done) == [(store, block), (store, block)]
    assert not codes(done, "ascend910b")


def refusals(*after: Stmt) -> list[str]:
    """Return the codes of what `legalise` refuses."""
    with pytest.raises(TileError) as caught:
        legalise(multiplying(*after), SPLIT)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_vector_work_on_the_way_out_is_refused(golden: Golden):
    text = Source()
    u = ub("u")
    leave = Move(whole(u), whole(acc), loc=text.line("tl.data_move(u, acc)"))
    relu = Map(whole(u), Unary(UnaryOp.RELU, Load(whole(u))), text.line("u[:] = tl.relu(u)"))
    store = Move(whole(c), whole(u), loc=text.line("tl.data_move(c, u)"))
    with pytest.raises(TileError) as caught:
        legalise(multiplying(*alloc(u), leave, relu, store), SPLIT)
    golden.check("passes/E0380-relu.txt", f"{caught.value}\n")


def test_anything_but_a_copy_is_refused():
    u, v = ub("u"), ub("v", F16)
    leave = (*alloc(u, v), Move(whole(u), whole(acc)))
    add = Map(whole(v), cast(u, F16, Rounding.FLOOR))
    assert refusals(*leave, add) == ["E0380"]
    doubled = Map(whole(u), Binary(BinaryOp.ADD, Load(whole(u)), Load(whole(u))))
    assert refusals(*leave, doubled) == ["E0380", "E0380"]
    rows = part(u, 0, 0, extent=(16, 32))
    assert refusals(*leave, Move(part(c, 0, 0, extent=(16, 32)), rows)) == ["E0380"]
    assert refusals(*leave, If(cond.TRUE, (Move(whole(c), whole(u)),), ())) == ["E0380"]


def test_rounding_twice_is_refused():
    u, v, w = ub("u"), ub("v", F16), ub("w")
    leave = (*alloc(u, v, w), Move(whole(u), whole(acc)), Map(whole(v), cast(u, F16)))
    assert refusals(*leave, Map(whole(w), cast(v, F32)), Move(whole(c), whole(w))) == ["E0380"]


def test_a_result_that_was_overwritten_in_between_is_refused():
    u = ub("u")
    again = (*alloc(u), Move(whole(u), whole(acc)), PRODUCT[-1], Move(whole(c), whole(u)))
    assert refusals(*again) == ["E0380"]


def test_a_buffer_of_an_outer_body_is_not_dissolved():
    u = ub("u")
    inner = chunks("r", 1, Move(whole(u), whole(acc)))
    assert refusals(*alloc(u), inner, Move(whole(c), whole(u))) == ["E0380"]
    parts = Move(part(u, 0, 0, extent=(16, 32)), part(acc, 0, 0, extent=(16, 32)))
    assert refusals(*alloc(u), parts) == ["E0380"]


def test_vector_work_that_never_meets_the_cube_stays():
    u, v = ub("u"), ub("v")
    other = tensor("other", (32, 32), F32)
    out = tensor("out", (32, 32), F32)
    vector = (
        *alloc(u, v),
        Move(whole(v), whole(other)),
        Map(whole(v), Unary(UnaryOp.RELU, Load(whole(v)))),
        Move(whole(out), whole(v)),
    )
    leave = (Move(whole(u), whole(acc)), Move(whole(c), whole(u)))
    made = replace(multiplying(*vector, *leave), inputs=(a, b, other), results=(c, out))
    done = legalise(made, SPLIT)
    assert moves_out(done) == [(whole(out), whole(v)), (whole(c), whole(acc))]
    assert not codes(done, "ascend910b")


def test_a_buffer_filled_again_is_no_result_any_more():
    u = ub("u")
    other = tensor("other", (32, 32), F32)
    leave = (*alloc(u), Move(whole(u), whole(acc)), Move(whole(c), whole(u)))
    reuse = (Move(whole(u), whole(other)), Move(whole(c), whole(u)))
    done = legalise(multiplying(*leave, *reuse), SPLIT)
    assert moves_out(done) == [(whole(c), whole(acc)), (whole(c), whole(u))]
