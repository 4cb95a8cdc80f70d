"""Where a region may lie in its buffer, for all values of the loop variables."""

import pytest

from tests.golden import Golden
from tests.verify.writing import (
    F16,
    F32,
    I8,
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
    transposed,
)
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import Literal
from tilelang.ir.index import Index
from tilelang.ir.nodes import If, Map, Move, Program, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, whole
from tilelang.layouts import LayoutKind, layout_for

k = ix.variable("k")
x = tensor("x", (1000, 1000))
ROWS = tensor("rows", (1000, 1000), F32)


def filling(region: Region, n: int = 1, tiles: dict[str, int] | None = None) -> Program:
    """Return a program that fills `region` from GM, for `k` below `n`."""
    buffer = region.buffer
    gm = tensor("gm", (64,) * len(region.shape), buffer.dtype)
    src = part(gm, *(0,) * gm.rank, extent=region.shape)
    body = serial("k", n, Move(region, src, loc=region.loc))
    return program(*alloc(buffer), body, inputs=[gm], tiles=tiles)


def zeroing(region: Region) -> Stmt:
    """Return a statement that writes a region of UB."""
    return Map(region, Literal(0, region.buffer.dtype))


def l1(shape: tuple[int, ...] = (128, 64), source: Source | None = None) -> Buffer:
    where = source.line(f"a1 = tl.alloc_l1({shape}, x.dtype)") if source else None
    buffer = tile("a1", Memory.L1, shape)
    return tile("a1", Memory.L1, shape, loc=where) if where else buffer


def test_a_region_past_the_end_is_shown_with_the_values_that_reach_it(golden: Golden):
    source = Source()
    a1 = l1(source=source)
    line = source.line("    tl.data_move(a1[16 * k, 0], x)")
    wrong = part(a1, times(16, "k"), 0, extent=(32, 64), loc=spot(line, "a1[16 * k, 0]"))
    check_message(golden, "E0321-past-the-end", filling(wrong, 9))
    assert not codes(filling(wrong, 7))


def test_a_region_before_the_beginning_names_the_guard(golden: Golden):
    source = Source()
    h = tile("h", Memory.UB, (4, 16, 16), loc=source.line("h = tl.alloc_ub((4, 16, 16), x.dtype)"))
    line = source.line("    h[k - 1, :, :] = 0")
    start = ix.add(k, ix.constant(-1))
    region = part(h, start, 0, 0, extent=(None, 16, 16), loc=spot(line, "h[k - 1, :, :]"))
    loop = serial("k", 4, Map(region, Literal(0, F16), line))
    check_message(golden, "E0321-before-the-beginning", program(*alloc(h), loop))
    guarded = serial("k", 4, If(cond.less(ix.ZERO, k), (Map(region, Literal(0, F16)),), ()))
    assert not codes(program(*alloc(h), guarded))
    first = serial("k", 4, If(cond.equal(k, ix.ZERO), (), (Map(region, Literal(0, F16)),)))
    assert not codes(program(*alloc(h), first))


def test_a_constant_start_says_where_to_start(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (64,), loc=source.line("row = tl.alloc_ub((64,), x.dtype)"))
    line = source.line("tl.data_move(row[48:], x)")
    region = part(row, 48, extent=(32,), loc=spot(line, "row[48:]"))
    check_message(golden, "E0321-constant-start", filling(region))


def test_a_region_larger_than_its_buffer_says_how_large_it_must_be(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (64,), loc=source.line("row = tl.alloc_ub((64,), x.dtype)"))
    line = source.line("tl.data_move(row, x[0:100])")
    region = part(row, 0, extent=(100,), loc=spot(line, "row"))
    check_message(golden, "E0321-too-large", filling(region))


def test_what_cannot_be_tried_is_not_called_proved(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (64,), loc=source.line("row = tl.alloc_ub((64,), x.dtype)"))
    line = source.line("    tl.data_move(row[k % 5 * 16:], x)")
    start = ix.scale(ix.modulo(k, 5), 16)
    region = part(row, start, extent=(16,), loc=spot(line, "row[k % 5 * 16:]"))
    check_message(golden, "E0321-too-many-values", filling(region, 1 << 21))


def test_the_last_element_is_the_last():
    row = tile("row", Memory.UB, (64,))
    for n, fits in ((49, True), (50, False)):
        region = part(row, k, extent=(16,))
        assert codes(filling(region, n), "host") == ([] if fits else ["E0321"])


def test_the_last_row_counts_the_step():
    row = tile("row", Memory.UB, (64,))
    for extent, fits in ((16, True), (17, False)):
        region = part(row, 3, extent=(extent,), step=(4,))
        assert ("E0321" in codes(filling(region), "host")) is not fits


def test_regions_of_gm_may_hang_over():
    a1 = l1()
    src = part(x, times(-100, "k"), 990, extent=(128, 64))
    body = serial("k", 50, Move(whole(a1), src))
    assert not codes(program(*alloc(a1), body, inputs=[x]))


def test_nothing_is_said_of_code_that_never_runs():
    row = tile("row", Memory.UB, (16,))
    beyond = part(row, 5000, extent=(3,))
    assert codes(program(*alloc(row), zeroing(beyond), inputs=[]))
    assert not codes(program(*alloc(row), serial("k", 0, zeroing(beyond))))
    never = If(cond.FALSE, (zeroing(beyond),), ())
    assert not codes(program(*alloc(row), never))


def test_a_start_that_cuts_blocks_shows_its_coefficient(golden: Golden):
    source = Source()
    a1 = l1(source=source)
    line = source.line("    tl.data_move(a1[8 * k, 0], x)")
    region = part(a1, times(8, "k"), 0, extent=(16, 64), loc=spot(line, "a1[8 * k, 0]"))
    check_message(golden, "E0322-step-of-eight", filling(region, 8))


def test_a_start_off_by_a_constant_is_corrected(golden: Golden):
    source = Source()
    a1 = l1(source=source)
    line = source.line("    tl.data_move(a1[16 * k + 4, 0], x)")
    start = ix.add(times(16, "k"), ix.constant(4))
    region = part(a1, start, 0, extent=(16, 64), loc=spot(line, "a1[16 * k + 4, 0]"))
    check_message(golden, "E0322-constant", filling(region, 7))


def test_columns_of_int8_start_at_multiples_of_32(golden: Golden):
    source = Source()
    loc = source.line("a1 = tl.alloc_l1((16, 128), x.dtype)")
    a1 = tile("a1", Memory.L1, (16, 128), I8, loc=loc)
    line = source.line("tl.data_move(a1[0, 16], x)")
    region = part(a1, 0, 16, extent=(16, 32), loc=spot(line, "a1[0, 16]"))
    check_message(golden, "E0322-int8-columns", filling(region))


@pytest.mark.parametrize(
    ("start", "fine"),
    [
        (times(16, "k"), True),
        (times(48, "k"), True),
        (ix.scale(ix.floor_div(k, 2), 16), True),
        (ix.minimum(times(16, "k"), ix.constant(112)), True),
        (ix.minimum(times(16, "k"), ix.constant(104)), False),
        (ix.scale(ix.modulo(k, 2), 8), False),
        (ix.add(times(16, "k"), ix.scale(ix.modulo(k, 2), 8)), False),
        (ix.scale(ix.modulo(times(2, "k"), 4), 8), True),
        (ix.constant(15), False),
        (ix.constant(17), False),
    ],
)
def test_alignment_is_proved_for_every_form_of_index(start: Index, fine: bool):
    buffer = l1((512, 64))
    region = part(buffer, start, 0, extent=(16, 64))
    assert codes(filling(region, 8)) == ([] if fine else ["E0322"])


def test_the_k_axis_of_l0b_is_counted_in_blocks_of_its_width():
    b0 = tile("b0", Memory.L0B, (64, 64), F32)
    b1 = tile("b1", Memory.L1, (64, 64), F32, layout=layout_for(LayoutKind.ZN, F32))
    for start, fine in ((8, True), (16, True), (4, False)):
        dst, src = (part(b, start, 0, extent=(8, 64)) for b in (b0, b1))
        body = (*alloc(b0, b1), Move(whole(b1), part(ROWS, 0, 0, extent=(64, 64))))
        found = codes(program(*body, Move(dst, src), inputs=[ROWS]), "host")
        assert found == ([] if fine else ["E0322", "E0322"])


def test_a_transposed_region_is_aligned_along_the_axes_of_its_buffer():
    b1 = tile("b1", Memory.L1, (64, 64), F32)
    b0 = tile("b0", Memory.L0B, (64, 64), F32)
    view = Permute(((1,), (0,)))
    for start, fine in ((8, True), (4, False)):
        src = part(b1, start, 0, extent=(8, 64), view=view)
        dst = part(b0, 0, 0, extent=(8, 64))
        body = (*alloc(b0, b1), Move(whole(b1), part(ROWS, 0, 0, extent=(64, 64))))
        found = codes(program(*body, Move(dst, src), inputs=[ROWS]), "host")
        assert found == ([] if fine else ["E0322"])


def test_a_part_of_a_block_does_not_move(golden: Golden):
    source = Source()
    a1 = l1(source=source)
    line = source.line("tl.data_move(a1[16:24], x)")
    region = part(a1, 16, 0, extent=(8, 64), loc=spot(line, "a1[16:24]"))
    check_message(golden, "E0323-half-a-block", filling(region))


def test_a_single_row_of_a_fractal_tile_does_not_move(golden: Golden):
    source = Source()
    a1 = l1(source=source)
    line = source.line("tl.data_move(a1[k, :], x)")
    region = part(a1, 16, 0, extent=(None, 64), loc=spot(line, "a1[k, :]"))
    check_message(golden, "E0323-a-single-row", filling(region))


def test_rows_of_a_fractal_tile_move_without_gaps():
    a1 = l1()
    assert codes(filling(part(a1, 0, 0, extent=(16, 32), step=(1, 2)))) == ["E0323"]


def test_a_feature_map_moves_by_whole_groups_of_channels():
    fmap = tile("x1", Memory.L1, (40, 7, 5), layout=layout_for(LayoutKind.NC1HWC0, F16))
    for start, extent, expected in ((16, 24, []), (16, 16, []), (8, 16, ["E0322"])):
        region = part(fmap, start, 3, 1, extent=(extent, 4, 3))
        assert codes(filling(region)) == expected
    assert codes(filling(part(fmap, 0, 0, 0, extent=(8, 7, 5)))) == ["E0323"]


def test_a_transposed_feature_map_keeps_its_channels_whole():
    fmap = tile("x1", Memory.L1, (32, 8, 8), layout=layout_for(LayoutKind.NC1HWC0, F16))
    view = Permute(((0,), (2,), (1,)))
    for start, found in ((16, []), (8, ["E0322"])):
        region = part(fmap, start, 3, 1, extent=(16, 4, 4), view=view)
        assert codes(filling(region)) == found


def test_rows_of_a_tile_in_the_unified_buffer_may_be_cut_anywhere():
    out = tile("out", Memory.UB, (64, 64), F32, layout=layout_for(LayoutKind.NZ, F16))
    assert not codes(program(*alloc(out), zeroing(part(out, 3, 16, extent=(5, 16)))))
    assert not codes(program(*alloc(out), zeroing(part(out, 3, 0, extent=(None, 64)))))
    cut = zeroing(part(out, 0, 8, extent=(64, 16)))
    assert codes(program(*alloc(out), cut)) == ["E0322"]


def test_a_start_in_the_unified_buffer_is_aligned_in_bytes(golden: Golden):
    source = Source()
    row = tile("row", Memory.UB, (64,), loc=source.line("row = tl.alloc_ub((64,), x.dtype)"))
    line = source.line("    tl.data_move(row[5 * k:], x)")
    region = part(row, times(5, "k"), extent=(16,), loc=spot(line, "row[5 * k:]"))
    check_message(golden, "E0324-bytes", filling(region, 3))
    assert not codes(filling(region, 3), "host")
    assert not codes(filling(region, 1))


def test_rows_that_are_not_aligned_ask_for_wider_rows(golden: Golden):
    source = Source()
    h = tile("h", Memory.UB, (8, 20), F32, loc=source.line("h = tl.alloc_ub((8, 20), x.dtype)"))
    line = source.line("    h[k, :] = 0")
    region = part(h, k, 0, extent=(None, 20), loc=spot(line, "h[k, :]"))
    wrong = program(*alloc(h), serial("k", 8, Map(region, Literal(0, F32), line)))
    check_message(golden, "E0324-odd-rows", wrong)


def test_every_second_row_of_half_a_block_is_aligned():
    h = tile("h", Memory.UB, (8, 4), F32)
    for step, expected in ((2, []), (1, ["E0324"])):
        region = part(h, times(step, "k"), 0, extent=(2, 4))
        assert codes(program(*alloc(h), serial("k", 3, zeroing(region)))) == expected


def test_a_view_names_each_dimension_once(golden: Golden):
    source = Source()
    fmap = tensor("x", (2, 3, 8, 8), loc=source.line("def conv(x, w, y):"))
    row = tile("row", Memory.UB, (2, 192))
    line = source.line("tl.data_move(row, x.view((0,), (3, 2, 1)))")
    view = Permute(((0,), (3, 2, 1)))
    src = part(fmap, 0, 0, extent=(2, 192), view=view, loc=line)
    wrong = program(*alloc(row), Move(whole(row), src, loc=line), inputs=[fmap])
    check_message(golden, "E0320-view", wrong)


def test_a_fractal_tile_is_not_viewed(golden: Golden):
    source = Source()
    loc = source.line("a1 = tl.alloc_l1((4, 16, 16), x.dtype)")
    a1 = tile("a1", Memory.L1, (4, 16, 16), loc=loc)
    row = tile("row", Memory.UB, (64, 16))
    line = source.line("tl.data_move(row, a1.view((0, 1), (2,)))")
    src = part(a1, 0, 0, extent=(64, 16), view=Permute(((0, 1), (2,))), loc=line)
    fill = Move(whole(a1), whole(tensor("gm", (4, 16, 16))))
    wrong = program(
        *alloc(a1, row), fill, Move(whole(row), src, loc=line), inputs=[fill.src.buffer]
    )
    check_message(golden, "E0320-view-of-a-tile", wrong)


def test_only_weights_are_seen_as_a_matrix(golden: Golden):
    source = Source()
    w = tensor("w", (16, 16, 3, 3), loc=source.line("def conv(x, w, y):"))
    row = tile("row", Memory.UB, (144, 16))
    line = source.line("tl.data_move(row, tl.as_matrix(w))")
    src = part(w, 0, 0, extent=(144, 16), view=AsMatrix(), loc=spot(line, "tl.as_matrix(w)"))
    wrong = program(*alloc(row), Move(whole(row), src, loc=line), inputs=[w])
    check_message(golden, "E0320-as-matrix", wrong)


@pytest.mark.parametrize(
    "region",
    [
        Region(x, Permute(((0,), (1,))), (ix.ZERO,), (1,), (4,)),
        Region(x, Permute(((0,),)), (ix.ZERO,), (1,), (4,)),
        part(x, 0, 0, extent=(4, 4), step=(1, 0)),
        part(x, 0, 0, extent=(4, -4)),
    ],
)
def test_a_malformed_region_stops_other_rules(region: Region):
    row = tile("row", Memory.UB, (4, 4))
    assert codes(program(*alloc(row), Move(whole(row), region), inputs=[x])) == ["E0320"]


def test_weights_as_a_matrix_are_cut_between_blocks():
    w1 = tile("w1", Memory.L1, (32, 16, 2, 2), layout=layout_for(LayoutKind.FRACTAL_Z, F16))
    gm = tensor("gm", (32, 16, 2, 2))
    for row, column, found in ((16, 16, []), (8, 16, ["E0322"]), (16, 8, ["E0322"])):
        b1 = tile("b1", Memory.L1, (16, 16), layout=layout_for(LayoutKind.ZN, F16))
        through = tile("through", Memory.UB, (16, 16))
        src = part(w1, row, column, extent=(16, 16), view=AsMatrix())
        moves = (
            Move(whole(w1), whole(gm)),
            Move(whole(through), src),
            Move(whole(b1), whole(through)),
        )
        assert codes(program(*alloc(w1, b1, through), *moves, inputs=[gm])) == found


def test_views_that_permute_and_merge_are_fine():
    fmap = tensor("x", (2, 3, 8, 8))
    a1 = tile("a1", Memory.L1, (64, 16))
    src = part(fmap, 1, 0, 0, extent=(None, 64, 16), view=Permute(((0,), (2, 3), (1,))))
    assert not codes(program(*alloc(a1), Move(whole(a1), src), inputs=[fmap]))
    row = tile("row", Memory.UB, (64, 32))
    turned = tile("turned", Memory.UB, (32, 64))
    body = (Move(whole(row), part(x, 0, 0, extent=(64, 32))), Move(whole(turned), transposed(row)))
    assert not codes(program(*alloc(row, turned), *body, inputs=[x]))
