"""Inputs with zeros behind them: what the pass changes, and that results stay."""

from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees, inputs_of
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.backends.tik.lower.extended_inputs import extend_input
from tilelang.kernel import Kernel
from tilelang.kernels.conv2d import conv2d_nc1hwc0
from tilelang.machines import find_machine
from tilelang.verify import verify

MACHINE = find_machine("ascend910")


@tl.kernel("x[M]: T; pad -> y[M]: T")
def windows(x: tl.Tensor, y: tl.Tensor, *, pad: int = 0) -> None:
    """Add the last of 16 windows of 64 elements that begin one after another, eight at a time."""
    for i in tl.cores(tl.ceildiv(x.shape[0], 16)):
        tile, out = tl.alloc_ub((64,), x.dtype), tl.alloc_ub((16,), x.dtype)
        out[:] = 0
        for j in tl.for_range(16):
            tl.data_move(tile, x[i * 16 + j], pad=pad)
            out[:] = out + tile[0:16]
        tl.data_move(y[i * 16], out)


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def rows(x: tl.Tensor, y: tl.Tensor) -> None:
    """Store rows that are summed with the fifteen after them."""
    for i in tl.cores(x.shape[0]):
        tile = tl.alloc_ub((16, x.shape[1]), x.dtype)
        out = tl.alloc_ub((1, x.shape[1]), "float32")
        narrow = tl.alloc_ub((1, x.shape[1]), x.dtype)
        tl.data_move(tile, x[i, 0])
        out[:] = tl.reduce_sum(tile, axis=0)
        narrow[:] = tl.cast(out, x.dtype)
        tl.data_move(y[i, 0], narrow)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("kernel", "sizes"), [(windows, {"M": 176}), (rows, {"M": 40, "N": 33})])
def test_results_stay(kernel: Kernel, sizes: dict[str, int], dtype: str) -> None:
    program = kernel.program(machine=MACHINE.name, dtype=dtype, **sizes)
    extended = extend_input(program, "x")
    assert extended is not None
    inputs, kind = inputs_of(program), program.results[0]
    wanted, found = (np.zeros(kind.shape, kind.dtype.numpy) for _ in range(2))
    NUMPY.compile(program, MACHINE)(*inputs, wanted)
    NUMPY.compile(verify(extended, MACHINE), MACHINE)(*inputs, found)
    np.testing.assert_array_equal(found, wanted)
    assert_agrees(kernel, MACHINE.name, dtype=dtype, **sizes)


def test_there_are_as_many_zeros_as_tiles_reach() -> None:
    program = rows.program(machine=MACHINE.name, dtype="float16", M=40, N=33)
    extended = extend_input(program, "x")
    assert extended is not None
    assert [buffer.shape for buffer in extended.workspaces] == [(55, 33)]


def test_weights_in_fractals_stay_in_fractals() -> None:
    keywords = {"N": 1, "C": 3, "H": 5, "W": 5, "O": 20, "R": 3, "S": 3, "groups": 20}
    program = conv2d_nc1hwc0.program(
        machine=MACHINE.name, dtype={"T": "int8", "Y": "int32"}, **keywords
    )
    extended = extend_input(program, "w")
    assert extended is not None
    (copy,) = extended.workspaces
    assert (copy.shape, copy.layout) == ((35, 3, 3, 3), program.inputs[1].layout)
    inputs, kind = inputs_of(program), program.results[0]
    shape = kind.layout.physical_shape(kind.shape)
    wanted, found = (np.zeros(shape, np.int32) for _ in range(2))
    NUMPY.compile(program, MACHINE)(*inputs, wanted)
    NUMPY.compile(verify(extended, MACHINE), MACHINE)(*inputs, found)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("name", "keywords"), [("x", {"pad": 1}), ("y", {}), ("z", {})], ids=["ones", "result", "none"]
)
def test_other_tensors_stay(name: str, keywords: dict[str, Any]) -> None:
    program = windows.program(machine=MACHINE.name, dtype="float16", M=176, **keywords)
    assert extend_input(program, name) is None
