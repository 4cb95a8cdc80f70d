"""Weights [O, C, R, S] go into panels along the rows that they lie in, and nothing else does."""

import pytest

from tests.backends.llvm.running import compiled, expected_of, results_of, small_integers
from tilelang.backends.llvm.passes import optimise
from tilelang.backends.llvm.runtime.host import find_host
from tilelang.ir.nodes import Move, Program
from tilelang.ir.region import AsMatrix
from tilelang.ir.walk import walk_program
from tilelang.kernels.conv2d import conv2d
from tilelang.machines import find_machine
from tilelang.passes import lower


def convolution(c: int, o: int, r: int, s: int, dtype: str = "float16", **more: int) -> Program:
    """Return a convolution of a map with 2 by 3 output positions."""
    types = {"T": dtype, "Y": "int32" if dtype == "int8" else dtype}
    sizes = {"N": 1, "C": c, "H": r + 1, "W": s + 2, "O": o, "R": r, "S": s, "biased": 0}
    return conv2d.program(**{**sizes, **more}, dtype=types, machine="host")


@pytest.mark.parametrize("c", [3, 16, 33])
@pytest.mark.parametrize("o", [1, 17, 48])
@pytest.mark.parametrize(("r", "s"), [(1, 1), (2, 5)])
def test_every_weight_meets_its_channel_and_tap(c: int, o: int, r: int, s: int):
    program = convolution(c, o, r, s)
    inputs = small_integers(program.inputs, seed=3)
    (found,), (expected,) = results_of(program, inputs), expected_of(program, inputs)
    assert (found == expected).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("groups", [1, 2])
def test_other_dtypes_and_groups_are_as_exact(dtype: str, groups: int):
    program = convolution(20, 34, 3, 3, dtype, groups=groups)
    inputs = small_integers(program.inputs, seed=4)
    (found,), (expected,) = results_of(program, inputs), expected_of(program, inputs)
    assert (found == expected).all()


def test_plain_weights_are_turned_in_squares():
    """A map of one pixel has none, so all that shuffles is in the weights."""
    program = convolution(32, 16, 3, 3, H=3, W=3)
    assert compiled(program).source.count("shufflevector") >= 4 * 16


def test_a_part_of_a_pack_has_all_taps_of_its_channels():
    program = convolution(64, 64, 3, 3, N=2, H=40, W=40)
    parts = [
        stmt.src.shape[0]
        for stmt in walk_program(optimise(lower(program, find_machine("host")), find_host()))
        if isinstance(stmt, Move) and isinstance(stmt.src.view, AsMatrix)
    ]
    assert parts == [144]
