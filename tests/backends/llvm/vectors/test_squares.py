"""Squares are turned round in registers: values move, nothing outside is touched."""

import re
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tests.backends.llvm.running import compiled
from tilelang.backends.llvm.code import Code
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.backends.llvm.vectors.squares import turned
from tilelang.backends.llvm.vectors.values import Lanes


@tl.kernel("x[M, N]: T -> y[N, M]: T")
def turn(x: tl.Tensor, y: tl.Tensor) -> None:
    tile = tl.alloc_ub((x.shape[0], x.shape[1]), x.dtype)
    tl.data_move(tile, x)
    tl.data_move(y.view((1,), (0,)), tile)


def squares_of(program: Any) -> int:
    """Return how many shuffles the code has: a square takes four for each of its vectors."""
    return compiled(program).source.count("shufflevector")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "int32"])
@pytest.mark.parametrize(("m", "n"), [(16, 16), (17, 33), (15, 40), (64, 31), (1, 20), (48, 16)])
def test_a_turned_copy_is_exact(dtype: str, m: int, n: int):
    x = np.arange(m * n).reshape(m, n) % 120
    program = turn.program(M=m, N=n, dtype=dtype)
    x, found = (array.astype(program.inputs[0].dtype.numpy) for array in (x, np.zeros((n, m))))
    compiled(program)(x, found)
    np.testing.assert_array_equal(found, x.T)


def test_a_copy_that_turns_takes_squares_and_a_small_one_does_not():
    assert squares_of(turn.program(M=32, N=32, dtype="float16")) >= 4 * 16
    assert squares_of(turn.program(M=15, N=15, dtype="float16")) < 4 * 16


def test_rows_of_a_square_become_its_columns():
    code = Code()
    lanes = Lanes(code, find_host(), 4)
    columns = turned(lanes, "i32", ["%a", "%b", "%c", "%d"])
    values = {name: [f"{name}{lane}" for lane in range(4)] for name in ("%a", "%b", "%c", "%d")}
    for line in code.lines():
        if "shufflevector" in line:
            name, left, right = re.findall(r"%\w+", line)
            order = [int(lane) for lane in re.findall(r"i32 (\d+)", line)]
            both = values[left] + values[right]
            values[name] = [both[lane] for lane in order]
    wanted = [[f"{name}{lane}" for name in ("%a", "%b", "%c", "%d")] for lane in range(4)]
    assert [values[column] for column in columns] == wanted
