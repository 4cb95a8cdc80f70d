"""Img2col, TIK's load3d."""

from dataclasses import replace

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
)
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.nodes import Img2col, Move, Program, Window
from tilelang.ir.region import Buffer, Memory, whole
from tilelang.layouts import Layout, LayoutKind, layout_for

NC1HWC0 = layout_for(LayoutKind.NC1HWC0, F16)
WINDOW = Window((3, 3), padding=(1, 1, 1, 1))


class Load3d:
    """One `load3d` being written: a feature map in L1, a matrix in L0A."""

    def __init__(
        self,
        *,
        memory: Memory = Memory.L1,
        layout: Layout = NC1HWC0,
        shape: tuple[int, ...] = (20, 8, 8),
        dtype: DType = F16,
    ) -> None:
        self.source = Source()
        self.gm = tensor("x", shape, dtype)
        loc = self.source.line(f"x1 = tl.alloc_{memory.value}({shape}, x.dtype)")
        self.fmap = tile("x1", memory, shape, dtype, layout=layout, loc=loc)
        loc = self.source.line("a0 = tl.alloc_l0a((64, 144), x.dtype)")
        self.matrix = tile("a0", Memory.L0A, (64, 9 * dtype.k0), dtype, loc=loc)
        line = self.source.line("    tl.load3d(a0, x1, ..)")
        dst = whole(self.matrix, spot(line, "a0"))
        src = whole(self.fmap, spot(line, "x1"))
        self.stmt = Img2col(dst, src, WINDOW, ix.ZERO, ix.ZERO, line)

    def program(self, stmt: Img2col, *buffers: Buffer, n: int = 4) -> Program:
        fill = Move(whole(self.fmap), whole(self.gm))
        used = (*alloc(self.fmap, self.matrix, *buffers), fill, serial("i", n, stmt))
        return program(*used, inputs=[self.gm])


@pytest.mark.parametrize("dtype", [F16, I8])
def test_a_feature_map_in_l1_becomes_a_tile_of_l0a(dtype: DType):
    layout = layout_for(LayoutKind.NC1HWC0, dtype)
    made = Load3d(dtype=dtype, layout=layout)
    moving = replace(made.stmt, row=times(7, "i"), column=times(dtype.k0, "i"))
    assert not codes(made.program(moving))


def test_the_feature_map_is_nc1hwc0(golden: Golden):
    made = Load3d(layout=layout_for(LayoutKind.NZ, F16), shape=(16, 16, 16))
    check_message(golden, "E0336-layout", made.program(made.stmt))


def test_the_feature_map_is_in_l1(golden: Golden):
    made = Load3d(memory=Memory.UB)
    check_message(golden, "E0336-memory", made.program(made.stmt))


def test_the_feature_map_has_one_image(golden: Golden):
    made = Load3d(shape=(2, 16, 8, 8))
    check_message(golden, "E0336-images", made.program(made.stmt))
    line = made.stmt.loc
    one = part(made.fmap, 1, 0, 0, 0, extent=(None, 16, 8, 8), loc=line)
    assert not codes(made.program(replace(made.stmt, src=one)))


def test_the_result_goes_where_the_machine_can_put_it(golden: Golden):
    made = Load3d()
    loc = made.source.line("u = tl.alloc_ub((64, 144), x.dtype)")
    u = tile("u", Memory.UB, (64, 144), loc=loc)
    into_ub = replace(made.stmt, dst=whole(u))
    assert not codes(made.program(into_ub, u), "ascend910")
    check_message(golden, "E0336-target", made.program(into_ub, u), "ascend910b")


def test_the_dtype_stays(golden: Golden):
    made = Load3d()
    loc = made.source.line("f0 = tl.alloc_l0a((64, 144), tl.float32)")
    f0 = tile("f0", Memory.L0A, (64, 144), F32, loc=loc)
    check_message(golden, "E0336-dtype", made.program(replace(made.stmt, dst=whole(f0)), f0))


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("E0337-kernel", Window((0, 3))),
        ("E0337-stride", Window((3, 3), stride=(1, 0))),
        ("E0337-dilation", Window((3, 3), dilation=(0, 1))),
        ("E0337-padding", Window((3, 3), padding=(0, 0, -1, 0))),
    ],
)
def test_a_window_has_sizes(golden: Golden, name: str, window: Window):
    made = Load3d()
    check_message(golden, name, made.program(replace(made.stmt, window=window)))


def test_windows_start_at_no_negative_row(golden: Golden):
    made = Load3d()
    row = ix.add(times(16, "i"), ix.constant(-16))
    check_message(golden, "E0338-row", made.program(replace(made.stmt, row=row)))


def test_columns_start_at_a_group_of_channels(golden: Golden):
    made = Load3d()
    column = times(8, "i")
    check_message(golden, "E0338-column", made.program(replace(made.stmt, column=column)))


def test_rows_may_run_past_the_last_window():
    made = Load3d()
    assert not codes(made.program(replace(made.stmt, row=times(1000, "i"))))
