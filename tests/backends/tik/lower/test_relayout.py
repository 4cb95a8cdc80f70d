"""Blocks put into another order in UB, bit for bit."""

import numpy as np
import pytest

from tests.backends.tik.lower.running import Array
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.instructions import DataMove, InstructionProgram, Operand, Scope, TikType
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.forms import Axis, Form
from tilelang.backends.tik.lower.relayout import relayout
from tilelang.backends.tik.lower.writer import Writer
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.region import Buffer, Memory
from tilelang.layouts import ND


def reordered(values: Array, dtype: DType, column_block: int) -> Array:
    """Return `values` in columns of blocks, by way of UB in the emulator."""
    kind, (n_rows, n_columns) = TikType(dtype.value), values.shape
    writer = Writer()
    x, y = (writer.tensor(name, kind, values.shape, Scope.GM) for name in "xy")
    rows, blocks = (
        writer.tensor(name, kind, values.shape, Scope.UB) for name in ("rows", "blocks")
    )
    buffer = Buffer("tile", Memory.UB, dtype, values.shape, ND)
    n_blocks = values.nbytes // 32
    writer.write(DataMove(Operand(rows, kind), Operand(x, kind), 1, n_blocks))
    plain = (Axis(n_rows, n_columns), Axis(n_columns, 1))
    blocked = (Axis(n_rows, column_block), Axis(n_columns, 1, column_block, n_rows * column_block))
    dst, src = (
        Box(Form(buffer, name, kind, Scope.UB, values.shape, axes), ix.ZERO, axes, values.shape)
        for name, axes in ((blocks, blocked), (rows, plain))
    )
    relayout(writer, dst, src)
    writer.write(DataMove(Operand(y, kind), Operand(blocks, kind), 1, n_blocks))
    program = InstructionProgram("reorder", "Ascend910A", writer.body, (x,), (y,))
    return emulate(program, {"x": values}).outputs["y"]


@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.FLOAT32, DType.INT8, DType.INT32])
@pytest.mark.parametrize(("n_rows", "n_groups"), [(1, 3), (8, 8), (17, 9), (130, 2), (300, 1)])
def test_any_bits_arrive(dtype: DType, n_rows: int, n_groups: int) -> None:
    block = max(16, dtype.k0)
    random = np.random.default_rng(0)
    n_bytes = n_groups * block * dtype.n_bytes
    values = random.integers(0, 256, (n_rows, n_bytes), np.uint8).view(dtype.numpy)
    found = reordered(values, dtype, block)
    wanted = values.reshape(n_rows, n_groups, block).swapaxes(0, 1)
    assert found.tobytes() == np.ascontiguousarray(wanted).tobytes()
