"""Moves: one shape, and a path that changes no more than it can."""

import math

import pytest

from tests.golden import Golden
from tests.verify.writing import (
    F16,
    F32,
    I8,
    I32,
    NZ16,
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
    transposed,
    without_byte_transposes,
)
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import Literal
from tilelang.ir.nodes import Map, Mmad, Move, Program, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, whole
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

BF16 = DType.BFLOAT16
x = tensor("x", (256, 256))
k = ix.variable("k")


def zero(buffer: Buffer) -> Stmt:
    """Return a statement that fills a buffer of UB."""
    return Map(whole(buffer), Literal(0, buffer.dtype))


def loading(dst: Buffer, src: Region | Buffer, source: Source, **options: float) -> Program:
    """Return a program that moves `src`, of GM, to `dst`."""
    region = whole(src) if isinstance(src, Buffer) else src
    loc = source.line(f"tl.data_move({dst.name}, {region.buffer.name})")
    return program(
        *alloc(dst), Move(whole(dst), region, **options, loc=loc), inputs=[region.buffer]
    )


def multiplied(acc: Buffer) -> tuple[Stmt, ...]:
    """Return statements that give the accumulator `acc` a value."""
    m, n = acc.shape
    a0, b0 = tile("a0", Memory.L0A, (m, 16)), tile("b0", Memory.L0B, (16, n))
    a1 = tile("a1", Memory.L1, (m, 16))
    b1 = tile("b1", Memory.L1, (16, n))
    moves = (
        Move(whole(a1), part(x, 0, 0, extent=(m, 16))),
        Move(whole(b1), part(x, 0, 0, extent=(16, n))),
        Move(whole(a0), whole(a1)),
        Move(whole(b0), whole(b1)),
    )
    return (*alloc(acc, a0, b0, a1, b1), *moves, Mmad(whole(acc), whole(a0), whole(b0), cond.TRUE))


def test_shapes_are_equal(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (4, 64), loc=source.line("row = tl.alloc_ub((4, 64), x.dtype)"))
    src = part(x, 0, 0, extent=(4, 48))
    check_message(golden, "E0310-shapes", loading(row, src, source))


def test_shapes_that_are_turned_round_suggest_a_transpose(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (4, 64), loc=source.line("row = tl.alloc_ub((4, 64), x.dtype)"))
    src = part(x, 0, 0, extent=(64, 4))
    check_message(golden, "E0310-turned-round", loading(row, src, source))


def test_a_move_may_drop_single_elements():
    row = tile("row", Memory.UB, (64,))
    assert not codes(loading(row, part(x, 3, 0, extent=(None, 64)), Source()))


def test_a_result_leaves_the_cube_through_ub(golden: Golden):
    source = Source()
    acc = tile(
        "acc", Memory.L0C, (32, 32), F32, loc=source.line("acc = tl.alloc_l0c((32, 32), ..)")
    )
    c = tensor("c", (32, 32), F32, loc=source.line("def gemm(a, b, c):"))
    store = Move(whole(c), whole(acc), loc=source.line("tl.data_move(c, acc)"))
    wrong = program(*multiplied(acc), store, inputs=[x], results=[c])
    check_message(golden, "E0312-l0c-to-gm", wrong)
    assert not codes(wrong, "ascend910b")


def test_an_accumulator_is_loaded_through_ub(golden: Golden):
    source = Source()
    acc = tile("acc", Memory.L0C, (32, 32), loc=source.line("acc = tl.alloc_l0c((32, 32), ..)"))
    check_message(golden, "E0312-gm-to-l0c", loading(acc, tensor("c", (32, 32)), source))


def test_only_the_cube_reads_its_operands(golden: Golden):
    source = Source()
    a0 = tile("a0", Memory.L0A, (32, 32), loc=source.line("a0 = tl.alloc_l0a((32, 32), x.dtype)"))
    out = tile("out", Memory.UB, (32, 32), loc=source.line("out = tl.alloc_ub((32, 32), x.dtype)"))
    a1 = tile("a1", Memory.L1, (32, 32))
    loads = (Move(whole(a1), part(x, 0, 0, extent=(32, 32))), Move(whole(a0), whole(a1)))
    read = Move(whole(out), whole(a0), loc=source.line("tl.data_move(out, a0)"))
    wrong = program(*alloc(a0, out, a1), *loads, read, inputs=[x])
    check_message(golden, "E0312-out-of-l0a", wrong)


def test_a_path_casts_what_it_can_and_nothing_else(golden: Golden):
    source = Source()
    acc = tile(
        "acc", Memory.L0C, (32, 32), F32, loc=source.line("acc = tl.alloc_l0c((32, 32), ..)")
    )
    where = source.line("out = tl.alloc_ub((32, 32), tl.bfloat16)")
    out = tile("out", Memory.UB, (32, 32), BF16, layout=NZ16, loc=where)
    move = Move(whole(out), whole(acc), loc=source.line("tl.data_move(out, acc)"))
    wrong = program(*multiplied(acc), *alloc(out), move, inputs=[x])
    assert codes(wrong, "ascend910") == ["E0309", "E0311"]
    assert not codes(wrong, "host")
    where = source.line("out = tl.alloc_ub((32, 32), tl.int8)")
    out = tile("out", Memory.UB, (32, 32), I8, layout=NZ16, loc=where)
    move = Move(whole(out), whole(acc), loc=move.loc)
    check_message(
        golden, "E0311-path-casts", program(*multiplied(acc), *alloc(out), move, inputs=[x])
    )
    half = tile("half", Memory.UB, (32, 32), F16, layout=NZ16)
    move = Move(whole(half), whole(acc))
    assert not codes(program(*multiplied(acc), *alloc(half), move, inputs=[x]))


def test_a_move_between_gm_and_ub_keeps_the_dtype(golden: Golden):
    source = Source()
    where = source.line("row = tl.alloc_ub((256, 256), tl.float32)")
    row = tile("row", Memory.UB, (128, 256), F32, loc=where)
    wrong = loading(row, part(x, 0, 0, extent=(128, 256)), source)
    check_message(golden, "E0311-no-cast", wrong)


def test_what_leaves_l0c_stays_in_its_layout(golden: Golden):
    source = Source()
    acc = tile(
        "acc", Memory.L0C, (32, 32), F32, loc=source.line("acc = tl.alloc_l0c((32, 32), ..)")
    )
    where = source.line('out = tl.alloc_ub((32, 32), tl.float32, layout="ND")')
    out = tile("out", Memory.UB, (32, 32), F32, loc=where)
    move = Move(whole(out), whole(acc), loc=source.line("tl.data_move(out, acc)"))
    wrong = program(*multiplied(acc), *alloc(out), move, inputs=[x])
    check_message(golden, "E0313-l0c-to-nd", wrong)


def test_what_leaves_l0c_is_not_transposed(golden: Golden):
    source = Source()
    acc = tile("acc", Memory.L0C, (32, 16), F32)
    out = tile("out", Memory.UB, (16, 32), F32, layout=NZ16)
    loc = source.line("tl.data_move(out, acc.T)")
    move = Move(whole(out), transposed(acc, spot(loc, "acc.T")), loc=loc)
    wrong = program(*multiplied(acc), *alloc(out), move, inputs=[x])
    check_message(golden, "E0313-l0c-transposed", wrong)


def test_blocks_of_another_width_are_another_layout():
    acc = tile("acc", Memory.L0C, (32, 32), F32)
    out = tile("out", Memory.UB, (32, 32), F32, layout=Layout(LayoutKind.NZ, 8))
    moved = Move(whole(out), whole(acc))
    assert codes(program(*multiplied(acc), *alloc(out), moved, inputs=[x])) == ["E0313"]


def test_an_operand_is_not_loaded_from_row_major_memory(golden: Golden):
    source = Source()
    a0 = tile("a0", Memory.L0A, (32, 32), loc=source.line("a0 = tl.alloc_l0a((32, 32), x.dtype)"))
    src = part(x, 0, 0, extent=(32, 32))
    check_message(golden, "E0313-nd-to-l0a", loading(a0, src, source))


def test_an_operand_may_be_loaded_from_fractals_in_gm():
    for kind, memory in ((LayoutKind.NZ, Memory.L0A), (LayoutKind.ZN, Memory.L0B)):
        a0 = tile("a0", memory, (32, 32))
        gm = tensor("gm", (32, 32), layout=layout_for(kind, F16))
        assert not codes(loading(a0, gm, Source()))


def test_fractals_that_a_view_takes_apart_are_none():
    a0 = tile("a0", Memory.L0A, (32, 32))
    gm = tensor("gm", (2, 16, 32), layout=layout_for(LayoutKind.NZ, F16))
    src = part(gm, 0, 0, extent=(32, 32), view=Permute(((0, 1), (2,))))
    assert codes(loading(a0, src, Source())) == ["E0313"]


def test_a_row_major_tile_of_l1_is_no_operand(golden: Golden):
    source = Source()
    where = source.line('a1 = tl.alloc_l1((32, 32), x.dtype, layout="ND")')
    a1 = tile("a1", Memory.L1, (32, 32), layout=ND, loc=where)
    a0 = tile("a0", Memory.L0A, (32, 32), loc=source.line("a0 = tl.alloc_l0a((32, 32), x.dtype)"))
    fill = Move(whole(a1), part(x, 0, 0, extent=(32, 32)))
    load = Move(whole(a0), whole(a1), loc=source.line("tl.data_move(a0, a1)"))
    wrong = program(*alloc(a1, a0), fill, load, inputs=[x])
    check_message(golden, "E0313-nd-in-l1", wrong)


def operand_load(
    memory: Memory, dtype: DType, *, turned: bool, kind: LayoutKind = LayoutKind.NZ
) -> Program:
    """Return a program that loads an operand from L1, transposed or not."""
    source = Source()
    where = source.line("t1 = tl.alloc_l1((32, 64), x.dtype)")
    t1 = tile("t1", Memory.L1, (32, 64), dtype, layout=layout_for(kind, dtype), loc=where)
    t0 = tile("t0", memory, (64, 32) if turned else (32, 64), dtype)
    text = "t1.T" if turned else "t1"
    loc = source.line(f"tl.data_move(t0, {text})")
    src = transposed(t1, spot(loc, text)) if turned else whole(t1, spot(loc, text))
    gm = tensor("gm", (32, 64), dtype)
    body = (Move(whole(t1), whole(gm)), Move(whole(t0), src, loc=loc))
    return program(*alloc(t1, t0), *body, inputs=[gm])


def test_the_right_operand_of_int8_is_stored_with_k_last(golden: Golden):
    wrong = operand_load(Memory.L0B, I8, turned=False)
    check_message(golden, "E0314-int8-right", wrong, without_byte_transposes())
    assert not codes(operand_load(Memory.L0B, I8, turned=True), without_byte_transposes())
    assert not codes(wrong, "host")


def test_the_left_operand_of_int8_is_stored_with_k_last(golden: Golden):
    wrong = operand_load(Memory.L0A, I8, turned=True)
    check_message(golden, "E0314-int8-left", wrong, without_byte_transposes())
    assert not codes(operand_load(Memory.L0A, I8, turned=False), without_byte_transposes())
    assert not codes(wrong, "host")


@pytest.mark.parametrize("memory", [Memory.L0A, Memory.L0B])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("dtype", [F16, I8])
def test_operands_are_loaded_either_way(memory: Memory, dtype: DType, turned: bool):
    assert not codes(operand_load(memory, dtype, turned=turned))


def test_rows_that_run_along_k_need_no_transpose():
    kinds = {LayoutKind.ZN: False, LayoutKind.NN: False, LayoutKind.ZZ: True}
    for kind, transposes in kinds.items():
        wrong = operand_load(Memory.L0B, I8, turned=False, kind=kind)
        found = codes(wrong, without_byte_transposes())
        assert found == (["E0314"] if transposes else [])


def test_weights_as_a_matrix_have_k_in_their_rows():
    w1 = tile("w1", Memory.L1, (32, 64, 1, 1), I8, layout=layout_for(LayoutKind.FRACTAL_Z, I8))
    b0 = tile("b0", Memory.L0B, (64, 32), I8)
    gm = tensor("w", (32, 64, 1, 1), I8, layout_for(LayoutKind.FRACTAL_Z, I8))
    matrix = part(w1, 0, 0, extent=(64, 32), view=AsMatrix())
    body = (Move(whole(w1), whole(gm)), Move(whole(b0), matrix))
    assert not codes(program(*alloc(w1, b0), *body, inputs=[gm]))


def test_a_padding_value_fits_the_dtype(golden: Golden):
    source = Source()
    row = tile(
        "row", Memory.UB, (4, 64), I8, loc=source.line("row = tl.alloc_ub((4, 64), tl.int8)")
    )
    src = tensor("codes", (4, 64), I8)
    check_message(golden, "E0315-infinity", loading(row, src, source, pad=-math.inf))


@pytest.mark.parametrize(
    ("dtype", "pad", "fine"),
    [
        (F16, -math.inf, True),
        (F16, math.nan, True),
        (F16, 65504, True),
        (F16, 65519, True),
        (F16, 65520, False),
        (F32, 3.5e38, False),
        (F32, -3.4e38, True),
        (F16, 1e-9, True),
        (I8, -128, True),
        (I8, 128, False),
        (I8, 0.0, True),
        (I8, 0.5, False),
        (I8, math.nan, False),
        (I32, 2**31 - 1, True),
        (I32, 10**400, False),
        (F32, -(10**400), False),
    ],
)
def test_padding_values_are_checked_for_every_dtype(dtype: DType, pad: float, fine: bool):
    row = tile("row", Memory.UB, (4, 64), dtype)
    wrong = loading(row, tensor("gm", (4, 64), dtype), Source(), pad=pad)
    assert codes(wrong) == ([] if fine else ["E0315"])


def test_a_move_inside_a_buffer_does_not_overlap(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (64,), loc=source.line("row = tl.alloc_ub((64,), x.dtype)"))
    loc = source.line("tl.data_move(row[16:], row[0:48])")
    dst, src = part(row, 16, extent=(48,)), part(row, 0, extent=(48,))
    wrong = program(*alloc(row), zero(row), Move(dst, src, loc=loc))
    check_message(golden, "E0316-overlap", wrong)


def test_two_slots_of_a_buffer_are_apart():
    h = tile("h", Memory.UB, (2, 16, 16))
    slots = (ix.modulo(ix.add(k, ix.constant(add)), 2) for add in (1, 0))
    dst, src = (part(h, slot, 0, 0, extent=(None, 16, 16)) for slot in slots)
    assert not codes(program(*alloc(h), zero(h), serial("k", 9, Move(dst, src))))


def test_nothing_is_proved_of_views_that_merge_differently():
    u = tile("u", Memory.UB, (4, 4, 16))
    front = part(u, 0, 0, extent=(4, 16), view=Permute(((0, 1), (2,))))
    back = part(u, 3, 0, extent=(None, 64), view=Permute(((0,), (1, 2))))
    end = part(u, 12, 0, extent=(4, 16), view=Permute(((0, 1), (2,))))
    flat = part(u, 0, extent=(64,), view=Permute(((0, 1, 2),)))
    body = (*alloc(u), zero(u))
    assert not codes(program(*body, Move(end, front)), "host")
    assert codes(program(*body, Move(back, flat)), "host") == ["E0316"]


def test_axes_are_matched_through_permuted_views():
    u = tile("u", Memory.UB, (2, 16, 32))
    turned = part(u, 0, 0, 1, extent=(16, 32, None), view=Permute(((1,), (2,), (0,))))
    first = part(u, 0, 0, 0, extent=(None, 16, 32))
    second = part(u, 1, 0, 0, extent=(None, 16, 32))
    body = (*alloc(u), zero(u))
    assert not codes(program(*body, Move(first, turned)), "host")
    assert codes(program(*body, Move(second, turned)), "host") == ["E0316"]


def test_interleaved_elements_are_apart():
    row = tile("row", Memory.UB, (64,))
    even = part(row, 0, extent=(32,), step=(2,))
    odd = part(row, 1, extent=(32,), step=(2,))
    third = part(row, 1, extent=(16,), step=(3,))
    body = (*alloc(row), zero(row))
    assert not codes(program(*body, Move(odd, even)), "host")
    assert codes(program(*body, Move(part(row, 0, extent=(16,), step=(2,)), third)), "host")
