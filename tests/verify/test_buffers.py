"""A buffer by itself: its dtype, its layout and the sizes of tiles."""

from dataclasses import replace

import pytest

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    F16,
    F32,
    I8,
    I32,
    Source,
    alloc,
    check_message,
    codes,
    program,
    tensor,
    tile,
)
from tilelang.dtypes import DType
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

NZ, ZZ, ZN = LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN


def holding(*buffers: Buffer, tiles: dict[str, int] | None = None):
    """Return a program that allocates `buffers` and does nothing with them."""
    return program(*alloc(*buffers), tiles=tiles)


def test_rows_of_a_tile_come_in_sixteens_and_the_parameter_is_named(golden: Golden):
    check_message(golden, "E0351-m-tile", gemm(tiles=(100, 128, 64)))


def test_columns_of_a_tile_come_in_32_bytes(golden: Golden):
    source = Source()
    where = source.line("a1 = tl.alloc_l1((128, 48), a.dtype)")
    a1 = tile("a1", Memory.L1, (128, 48), I8, loc=where)
    check_message(golden, "E0351-int8-columns", holding(a1))


def test_a_size_smaller_than_a_block_has_one_legal_neighbour(golden: Golden):
    source = Source()
    b0 = tile("b0", Memory.L0B, (16, 8), loc=source.line("b0 = tl.alloc_l0b((16, 8), b.dtype)"))
    check_message(golden, "E0351-too-small", holding(b0))


def test_a_size_that_spoils_many_tiles_is_told_once():
    tiles = [tile(name, Memory.L1, (20, 20)) for name in ("a1", "b1")]
    assert codes(holding(*tiles)) == ["E0351"]
    assert codes(holding(*tiles, tile("c1", Memory.L1, (24, 32), I8))) == ["E0351", "E0351"]


def test_a_value_that_two_parameters_have_names_neither(golden: Golden):
    source = Source()
    acc = tile("acc", Memory.L0C, (17, 16), F32, loc=source.line("acc = tl.alloc_l0c((m, n), ...)"))
    check_message(golden, "E0351-ambiguous", holding(acc, tiles={"m_tile": 17, "n_tile": 17}))


@pytest.mark.parametrize(
    ("memory", "dtype", "legal"),
    [
        (Memory.L1, F16, (16, 16)),
        (Memory.L1, F32, (16, 8)),
        (Memory.L1, I8, (16, 32)),
        (Memory.L0A, I8, (16, 32)),
        (Memory.L0B, I8, (32, 16)),
        (Memory.L0B, F32, (8, 16)),
        (Memory.L0C, F32, (16, 16)),
        (Memory.L0C, I32, (16, 16)),
    ],
)
def test_the_least_tile_is_one_block(memory: Memory, dtype: DType, legal: tuple[int, int]):
    rows, columns = legal
    for shape in (legal, (3 * rows, 5 * columns), (2, rows, columns)):
        assert not codes(holding(tile("t", memory, shape, dtype)), "host")
    for shape in ((rows // 2, columns), (rows, columns // 2), (rows + 1, columns)):
        assert codes(holding(tile("t", memory, shape, dtype)), "host") == ["E0351"]


@pytest.mark.parametrize("shape", [(1,), (15, 17), (1, 1), (7,)])
def test_tiles_of_the_unified_buffer_have_any_size(shape: tuple[int, ...]):
    assert not codes(holding(tile("t", Memory.UB, shape)))
    assert not codes(holding(tile("t", Memory.UB, (15, 17), layout=layout_for(NZ, F16))))


def test_a_feature_map_and_weights_in_l1_have_any_size():
    fmap = tile("x1", Memory.L1, (3, 7, 5), layout=layout_for(LayoutKind.NC1HWC0, F16))
    weights = tile("w1", Memory.L1, (5, 3, 3, 3), layout=layout_for(LayoutKind.FRACTAL_Z, F16))
    assert not codes(holding(fmap, weights))


def test_a_tile_has_something_in_it(golden: Golden):
    source = Source()
    empty = tile("row", Memory.UB, (4, 0), loc=source.line("row = tl.alloc_ub((4, N), x.dtype)"))
    check_message(golden, "E0308-empty-tile", holding(empty))


def test_a_tensor_may_be_empty_but_not_less():
    assert not codes(program(inputs=[tensor("x", (0, 3))]))
    assert codes(program(inputs=[tensor("x", (-1, 3))])) == ["E0308"]


def test_no_buffer_holds_bool(golden: Golden):
    source = Source()
    mask = tile("mask", Memory.UB, (16,), DType.BOOL, loc=source.line("mask = ub bool[16]"))
    check_message(golden, "E0308-bool", holding(mask))


def test_a_dtype_that_the_machine_lacks_is_said_once(golden: Golden):
    wrong = gemm(dtype=DType.BFLOAT16)
    check_message(golden, "E0309-bfloat16", wrong, "ascend910")
    assert not codes(wrong, "ascend910b") or "E0309" not in codes(wrong, "ascend910b")
    assert not codes(wrong, "host")


def test_a_layout_needs_its_dimensions(golden: Golden):
    source = Source()
    bias = tensor("bias", (64,), layout=Layout(NZ, 16), loc=source.line("bias[N] @ NZ"))
    check_message(golden, "E0360-dimensions", program(inputs=[bias]))


def test_a_memory_of_the_cube_holds_its_own_layout(golden: Golden):
    source = Source()
    where = source.line('a0 = tl.alloc_l0a((16, 16), a.dtype, layout="NZ")')
    a0 = tile("a0", Memory.L0A, (16, 16), layout=layout_for(NZ, F16), loc=where)
    check_message(golden, "E0360-l0a", holding(a0))


@pytest.mark.parametrize(
    ("memory", "layout"),
    [
        (Memory.L0A, layout_for(ZN, F16)),
        (Memory.L0B, layout_for(ZZ, F16)),
        (Memory.L0C, ND),
        (Memory.L0C, layout_for(ZZ, F16)),
    ],
)
def test_any_other_layout_in_a_memory_of_the_cube_is_refused(memory: Memory, layout: Layout):
    assert codes(holding(tile("t", memory, (32, 32), F16, layout=layout))) == ["E0360"]


def test_blocks_have_the_width_of_their_dtype(golden: Golden):
    source = Source()
    where = source.line("a1 = l1 int8[32, 32] @ NZ(16)")
    a1 = tile("a1", Memory.L1, (32, 32), I8, layout=Layout(NZ, 16), loc=where)
    check_message(golden, "E0360-width", holding(a1))


def test_blocks_of_sixteen_may_leave_the_cube_with_any_dtype():
    acc = tile("acc", Memory.L0C, (32, 32), F32)
    out = replace(acc, name="out", memory=Memory.UB)
    small = replace(out, name="small", dtype=I8)
    assert not codes(holding(acc, out, small))
    assert not codes(program(inputs=[tensor("x", (32, 32), F32, Layout(NZ, 8))]))
    assert codes(holding(replace(acc, layout=Layout(NZ, 8)))) == ["E0360"]
