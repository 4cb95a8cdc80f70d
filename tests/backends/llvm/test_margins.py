"""Nothing outside an array is read or written: arrays lie between margins of poison."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.llvm.running import assert_same, compiled, small_integers
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.ir.nodes import Program
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.gemm import gemm
from tilelang.kernels.linear import linear
from tilelang.kernels.split_k_gemm import split_k_gemm
from tilelang.machines import find_machine

Array = NDArray[Any]
MARGIN = 1025
"""Elements; odd, so that arrays are aligned to an element and nothing more."""


@pytest.mark.parametrize("k", [1, 3, 15, 17, 33])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int8"])
def test_products_of_an_odd_k_stay_inside(dtype: str, k: int):
    check(gemm.program(dtype={"T": dtype}, machine="host", M=3, N=5, K=k))


@pytest.mark.parametrize("m", [1, 7, 8, 9, 31, 33, 41])
@pytest.mark.parametrize("n", [1, 15, 17, 64, 95])
def test_sums_kept_in_a_tensor_stay_inside(m: int, n: int):
    """Tiles of 16 rows hang over at the bottom, the only tile of columns at the right."""
    sizes = {"M": m, "N": n, "K": 40}
    check(
        gemm.program(
            dtype={"T": "float16"}, machine="host", **sizes, m_tile=16, n_tile=96, k_tile=16
        )
    )


@pytest.mark.parametrize("k", [1, 3, 17])
@pytest.mark.parametrize("n", [1, 17])
def test_transposed_weights_of_an_odd_k_stay_inside(n: int, k: int):
    dtype = {"T": "bfloat16"}
    check(linear.program(dtype=dtype, machine="host", M=1, N=n, K=k, activation=0))


@pytest.mark.parametrize(("height", "top", "bottom"), [(1, 2, 1), (2, 1, 1), (3, 3, 0), (1, 0, 2)])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_rows_of_padding_are_not_read(dtype: str, height: int, top: int, bottom: int):
    sizes = {"N": 1, "C": 1, "H": height, "W": 1, "O": 1, "R": 1, "S": 1}
    pads = {"pad_top": top, "pad_bottom": bottom}
    check(conv2d.program(dtype={"T": dtype, "Y": dtype}, machine="host", **sizes, **pads))


@pytest.mark.parametrize("splits", [1, 3, 7])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "int8"])
def test_splits_behind_the_end_of_k_touch_nothing(dtype: str, splits: int):
    """With 7 splits of one step most tiles lie behind the operands, wherever k is odd."""
    sizes = {"M": 3, "N": 5, "K": 35}
    check(split_k_gemm.program(dtype={"T": dtype}, machine="host", splits=splits, **sizes))


def test_a_split_behind_the_end_of_k_leaves_the_packed_tiles_of_others():
    """It once wrote a row at a negative k, so before its own tile of the workspace."""
    sizes, tiles = {"M": 33, "N": 16, "K": 33}, {"m_tile": 32, "n_tile": 16, "k_tile": 32}
    dtype = {"T": "bfloat16"}
    program = split_k_gemm.program(dtype=dtype, machine="host", splits=3, **sizes, **tiles)
    a, b = (np.ones(buffer.shape, buffer.dtype.numpy) for buffer in program.inputs)
    b[-1] = np.inf  # shows wherever it lands: zero times infinity is NaN
    found = np.zeros((33, 16), np.float32)
    compiled(program, n_threads=1)(a, b, found)
    assert np.isposinf(found).all()


def check(program: Program) -> None:
    """Run on arrays between margins; compare with the strict numpy backend, and the margins."""
    inputs = small_integers(program.inputs, 7)
    empty = [
        np.zeros(buffer.layout.physical_shape(buffer.shape), buffer.dtype.numpy)
        for buffer in program.results
    ]
    wanted = [array.copy() for array in empty]
    NUMPY.compile(program, find_machine("host"), strict=True)(*inputs, *wanted)
    memories = [surrounded(array) for array in (*inputs, *empty)]
    before = [memory.copy() for memory in memories]
    arrays = [
        memory[MARGIN:-MARGIN].reshape(array.shape)
        for memory, array in zip(memories, (*inputs, *empty), strict=True)
    ]
    compiled(program)(*arrays)
    for found, array in zip(arrays[len(inputs) :], wanted, strict=True):
        assert_same(found, array)
    for memory, old in zip(memories, before, strict=True):
        assert memory[:MARGIN].tobytes() == old[:MARGIN].tobytes()
        assert memory[-MARGIN:].tobytes() == old[-MARGIN:].tobytes()


def surrounded(array: Array) -> Array:
    """Return one line of memory with `array` in its midst: NaN before and after, or 101."""
    poison = 101 if array.dtype.kind in "iu" else np.nan
    memory = np.full(array.size + 2 * MARGIN, poison, array.dtype)
    memory[MARGIN:-MARGIN] = array.ravel()
    return memory
