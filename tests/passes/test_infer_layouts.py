"""Layouts of on-chip buffers, from how they are used."""

import pytest

from tests.golden import Golden
from tests.verify.writing import (
    F16,
    F32,
    I8,
    NZ16,
    Source,
    alloc,
    codes,
    part,
    program,
    serial,
    spot,
    tensor,
    tile,
    transposed,
)
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import Binary, BinaryOp, Expr, Literal, Load
from tilelang.ir.nodes import (
    Alloc,
    If,
    Img2col,
    Map,
    Matmul,
    Move,
    Program,
    Reduce,
    ReduceOp,
    Window,
)
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, whole
from tilelang.ir.walk import reads, walk_program, written
from tilelang.layouts import ND, Layout, LayoutKind, layout_for
from tilelang.passes.infer_layouts import infer_layouts

NZ, ZZ, ZN, NN = LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN, LayoutKind.NN
NC1HWC0, FRACTAL_Z = LayoutKind.NC1HWC0, LayoutKind.FRACTAL_Z


def unwritten(name: str, memory: Memory, shape: tuple[int, ...], dtype: DType = F16) -> Buffer:
    """Return a tile as the tracer makes it where the user wrote no layout."""
    return tile(name, memory, shape, dtype, layout=ND)


def load(buffer: Buffer) -> Expr:
    return Load(whole(buffer))


def add(left: Buffer, right: Buffer) -> Expr:
    return Binary(BinaryOp.ADD, load(left), load(right))


def inferred(made: Program, *forced: str) -> dict[str, Layout]:
    """Return the layout of every tile after inference, and check that every use agrees with it.

    `forced` are the names of tiles whose layout the user wrote.
    """
    allocated = {s.buffer.name for s in walk_program(made) if isinstance(s, Alloc)}
    done = infer_layouts(made, frozenset(allocated - set(forced)))
    buffers = {s.buffer.name: s.buffer for s in walk_program(done) if isinstance(s, Alloc)}
    tensors = {buffer.name: buffer for buffer in (*made.inputs, *made.results)}
    for stmt in walk_program(done):
        target = written(stmt)
        for region in (*reads(stmt), *((target,) if target else ())):
            assert region.buffer == {**tensors, **buffers}[region.buffer.name]
    return {name: buffer.layout for name, buffer in buffers.items()}


@pytest.mark.parametrize("dtype", [F16, F32, I8])
def test_each_memory_of_the_cube_has_its_layout(dtype: DType):
    tiles = [unwritten(m.value, m, (32, 64), dtype) for m in Memory if m is not Memory.GM]
    assert inferred(program(*alloc(*tiles))) == {
        "l1": layout_for(NZ, dtype),
        "l0a": layout_for(ZZ, dtype),
        "l0b": layout_for(ZN, dtype),
        "l0c": NZ16,
        "ub": ND,
    }


def test_a_layout_that_is_written_stays():
    a1 = unwritten("a1", Memory.L1, (32, 32))
    b1 = tile("b1", Memory.L1, (32, 32), layout=layout_for(NN, F16))
    made = program(*alloc(a1, b1))
    assert inferred(made, "a1", "b1") == {"a1": ND, "b1": layout_for(NN, F16)}


def test_a_program_without_tiles_stays_as_it_is():
    work = tensor("work", (8, 8))
    made = Program("sample", (), (), (), (), (Alloc(work),))
    assert infer_layouts(made, frozenset({"work"})) == made


def test_a_row_in_l1_is_row_major():
    assert inferred(program(*alloc(unwritten("bias1", Memory.L1, (64,))))) == {"bias1": ND}


def test_what_load3d_reads_is_a_feature_map():
    x1, a0 = unwritten("x1", Memory.L1, (16, 8, 8)), unwritten("a0", Memory.L0A, (64, 144))
    gm = tensor("x", (16, 8, 8))
    read = Img2col(whole(a0), whole(x1), Window((3, 3)), ix.ZERO, ix.ZERO)
    made = program(*alloc(x1, a0), Move(whole(x1), whole(gm)), serial("k", 2, read), inputs=[gm])
    assert inferred(made)["x1"] == layout_for(NC1HWC0, F16)


def filled(buffer: Buffer, src: Buffer, *start: int, extent: tuple[int | None, ...]) -> Layout:
    """Return the layout inferred for `buffer`, which is filled from a region of `src`."""
    region = part(src, *start, extent=extent)
    made = program(*alloc(buffer), Move(whole(buffer), region), inputs=[src])
    return inferred(made)[buffer.name]


def test_a_feature_map_keeps_the_layout_of_its_tensor():
    x = tensor("x", (2, 32, 9, 9), layout=layout_for(NC1HWC0, F16))
    one, both = unwritten("x1", Memory.L1, (16, 4, 9)), unwritten("x1", Memory.L1, (2, 16, 4, 9))
    assert filled(one, x, 1, 0, 2, 0, extent=(None, 16, 4, 9)) == layout_for(NC1HWC0, F16)
    assert filled(both, x, 0, 0, 2, 0, extent=(2, 16, 4, 9)) == layout_for(NC1HWC0, F16)


def test_pixels_of_a_feature_map_become_rows_of_a_matrix():
    x = tensor("x", (2, 32, 8, 8), layout=layout_for(NC1HWC0, F16))
    a1 = unwritten("a1", Memory.L1, (64, 32))
    view = Permute(((0,), (2, 3), (1,)))
    src = part(x, 1, 0, 0, extent=(None, 64, 32), view=view)
    made = program(*alloc(a1), Move(whole(a1), src), inputs=[x])
    assert inferred(made)["a1"] == layout_for(NZ, F16)
    row = unwritten("a1", Memory.L1, (16, 16))
    assert filled(row, x, 0, 0, 3, 0, extent=(None, 16, None, 16)) == layout_for(NZ, F16)


def test_weights_keep_the_layout_of_their_tensor_or_of_their_use():
    w = tensor("w", (32, 16, 3, 3), I8, layout_for(FRACTAL_Z, I8))
    w1 = unwritten("w1", Memory.L1, (16, 16, 3, 3), I8)
    assert filled(w1, w, 0, 0, 0, 0, extent=(16, 16, 3, 3)) == layout_for(FRACTAL_Z, I8)
    plain = tensor("w", (32, 16, 3, 3), I8)
    acc, a1 = unwritten("acc", Memory.L0C, (32, 16)), unwritten("a1", Memory.L1, (32, 288), I8)
    matrix = part(w1, 0, 0, extent=(288, 16), view=AsMatrix())
    fill = Move(whole(w1), part(plain, 0, 0, 0, 0, extent=w1.shape))
    product = Matmul(whole(acc), whole(a1), matrix, cond.TRUE)
    made = program(*alloc(w1, acc, a1), fill, product, inputs=[plain])
    assert inferred(made)["w1"] == layout_for(FRACTAL_Z, I8)


def test_weights_that_come_as_a_matrix_lie_as_the_right_operand_does():
    w = tensor("w", (32, 32, 3, 3), I8, layout_for(FRACTAL_Z, I8))
    b1 = unwritten("b1", Memory.L1, (64, 16), I8)
    src = part(w, 32, 16, extent=(64, 16), view=AsMatrix())
    made = program(*alloc(b1), Move(whole(b1), src), inputs=[w])
    assert inferred(made)["b1"] == layout_for(ZN, I8)


@pytest.mark.parametrize(
    ("kind", "expected"), [(NZ, NZ), (ZZ, NZ), (ZN, ZN), (NN, ZN), (LayoutKind.ND, NZ)]
)
def test_rows_of_32_bytes_run_as_they_do_in_the_tensor(kind: LayoutKind, expected: LayoutKind):
    b = tensor("b", (64, 64), layout=layout_for(kind, F16))
    b1 = unwritten("b1", Memory.L1, (32, 32))
    assert filled(b1, b, 0, 0, extent=(32, 32)) == layout_for(expected, F16)


def test_a_transposed_destination_turns_the_rows_back():
    b, b1 = tensor("b", (64, 64), layout=layout_for(ZN, F16)), unwritten("b1", Memory.L1, (32, 64))
    made = program(*alloc(b1), Move(transposed(b1), part(b, 0, 0, extent=(64, 32))), inputs=[b])
    assert inferred(made)["b1"] == layout_for(NZ, F16)


def test_what_reads_a_tile_decides_before_what_fills_it():
    w = tensor("w", (32, 16, 3, 3), layout=layout_for(NC1HWC0, F16))
    w1, acc = unwritten("w1", Memory.L1, (32, 16, 3, 3)), unwritten("acc", Memory.L0C, (32, 32))
    a1 = unwritten("a1", Memory.L1, (32, 144))
    matrix = part(w1, 0, 0, extent=(144, 32), view=AsMatrix())
    product = Matmul(whole(acc), whole(a1), matrix, cond.TRUE)
    made = program(*alloc(w1, acc, a1), product, Move(whole(w1), whole(w)), inputs=[w])
    assert inferred(made)["w1"] == layout_for(FRACTAL_Z, F16)


def epilogue() -> Program:
    """Return a program that adds to what leaves L0C."""
    acc = unwritten("acc", Memory.L0C, (32, 32), F32)
    names = ("out", "mask", "half", "apart")
    tiles = {name: unwritten(name, Memory.UB, (32, 32), F32) for name in names}
    tiles["bias"] = unwritten("bias", Memory.UB, (1, 32), F32)
    tiles["sums"] = unwritten("sums", Memory.UB, (32, 1), F32)
    gm = tensor("gm", (32, 32), F32)
    row = part(tiles["half"], 0, 0, extent=(16, 32))
    body = (
        Move(whole(tiles["mask"]), whole(gm)),
        Map(whole(tiles["half"]), add(tiles["mask"], tiles["bias"])),
        Map(whole(tiles["apart"]), load(tiles["bias"])),
        Map(row, Literal(0, F32)),
        If(cond.TRUE, (Map(whole(tiles["out"]), add(tiles["out"], tiles["half"])),), ()),
        Reduce(whole(tiles["sums"]), ReduceOp.SUM, whole(tiles["out"]), 1),
        Move(whole(tiles["out"]), whole(acc)),
    )
    return program(*alloc(acc, *tiles.values()), *body, inputs=[gm])


def test_a_group_takes_the_layout_of_the_one_that_meets_the_cube():
    found = inferred(epilogue())
    assert {name for name, layout in found.items() if layout == NZ16} == {
        "acc",
        "out",
        "half",
        "mask",
    }
    assert {name for name, layout in found.items() if layout == ND} == {"apart", "bias", "sums"}


def test_a_written_layout_spreads_through_its_group():
    one = tile("one", Memory.UB, (32, 32), layout=layout_for(NZ, F16))
    two, three = (unwritten(name, Memory.UB, (32, 32)) for name in ("two", "three"))
    body = (Map(whole(three), load(two)), Map(whole(two), load(one)))
    found = inferred(program(*alloc(one, two, three), *body), "one")
    assert set(found.values()) == {layout_for(NZ, F16)}


def test_a_tile_that_goes_to_the_cube_is_in_its_layout():
    acc = unwritten("acc", Memory.L0C, (32, 32), F32)
    start, more = (unwritten(name, Memory.UB, (32, 32), F32) for name in ("start", "more"))
    body = (Map(whole(start), load(more)), Move(whole(acc), whole(start)))
    found = inferred(program(*alloc(acc, start, more), *body))
    assert found["start"] == found["more"] == NZ16


def test_moves_join_nothing():
    one = tile("one", Memory.UB, (32, 32), layout=layout_for(NZ, F16))
    two = unwritten("two", Memory.UB, (32, 32))
    found = inferred(program(*alloc(one, two), Move(whole(two), whole(one))), "one")
    assert found["two"] == ND


def test_a_group_with_two_layouts_shows_both(golden: Golden):
    source = Source()
    loc = source.line('mask = tl.alloc_ub((32, 32), tl.float32, layout="ND")')
    mask = tile("mask", Memory.UB, (32, 32), F32, loc=spot(loc, "tl.alloc_ub((32, 32), tl.float32"))
    acc, out, half = (
        unwritten(name, memory, (32, 32), F32)
        for name, memory in (("acc", Memory.L0C), ("out", Memory.UB), ("half", Memory.UB))
    )
    leave = Move(whole(out), whole(acc), loc=source.line("tl.data_move(out, acc)"))
    through = Map(whole(half), load(out), source.line("half[:] = out"))
    clash = Map(whole(half), add(half, mask), source.line("half[:] = half + mask"))
    made = program(*alloc(mask, acc, out, half), leave, through, clash)
    with pytest.raises(TileError) as caught:
        infer_layouts(made, frozenset({"acc", "out", "half"}))
    golden.check("passes/E0361-group.txt", f"{caught.value}\n")
    assert set(inferred(made)) == {"mask", "acc", "out", "half"}


def test_every_clash_is_told_once():
    left = [tile(f"l{i}", Memory.UB, (32, 32), layout=layout_for(NZ, F16)) for i in range(2)]
    right = [tile(f"r{i}", Memory.UB, (32, 32)) for i in range(2)]
    body = [Map(whole(one), load(other)) for one, other in zip(left, right, strict=True)]
    with pytest.raises(TileError) as caught:
        infer_layouts(program(*alloc(*left, *right), *body, *body), frozenset())
    assert len(caught.value.diagnostics) == 2


def test_what_is_inferred_verifies():
    made = epilogue()
    names = {stmt.buffer.name for stmt in walk_program(made) if isinstance(stmt, Alloc)}
    done = infer_layouts(made, frozenset(names))
    assert "E0361" not in codes(done)
    assert "E0313" not in codes(done)
