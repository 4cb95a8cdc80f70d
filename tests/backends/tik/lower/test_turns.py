"""Tiles of UB turned round: whole squares of elements of 8, 16 and 32 bits."""

import pytest

import tilelang as tl
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.instructions import TransposeBlocks, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.kernel import Kernel
from tilelang.machines import find_machine


@tl.kernel("x[M, N]: T -> y[N, M]: T")
def turn(x: tl.Tensor, y: tl.Tensor) -> None:
    M, N = x.shape
    for _ in tl.cores(1):
        u, v = tl.alloc_ub((M, N), x.dtype), tl.alloc_ub((N, M), x.dtype)
        tl.data_move(u, x)
        tl.data_move(v, u.T)
        tl.data_move(y, v)


@pytest.mark.parametrize("dtype", ["int8", "float16", "bfloat16", "float32", "int32"])
@pytest.mark.parametrize(("m", "n"), [(32, 32), (64, 32), (32, 96), (128, 64)])
def test_a_tile_is_turned_round(dtype: str, m: int, n: int) -> None:
    assert_agrees(turn, "ascend910b", dtype=dtype, M=m, N=n)


@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_the_first_generation_turns_bytes_and_halves(dtype: str) -> None:
    assert_agrees(turn, "ascend910", dtype=dtype, M=64, N=32)


def n_instructions(kernel: Kernel, dtype: str) -> int:
    program = kernel.program(machine="ascend910b", dtype=dtype, M=64, N=64)
    body = lower_program(program, find_machine("ascend910b")).body
    return sum(isinstance(item, TransposeBlocks) for item in walk(body))


def test_bytes_take_four_instructions_for_a_column_of_squares_and_others_one() -> None:
    assert n_instructions(turn, "int8") == 2 * 4  # two columns are written out
    assert n_instructions(turn, "float32") == 1  # eight are a loop


def test_the_halves_of_words_are_listed_in_pairs() -> None:
    text = turn.source("tik", machine="ascend910b", dtype="float32", M=64, N=64)
    assert "(64 * (entry // 2) + 8 * (entry % 2))] for entry in range(16)]" in text


@pytest.mark.parametrize(
    ("machine", "dtype", "m"), [("ascend910", "float32", 24), ("ascend910b", "float16", 24)]
)
def test_parts_of_squares_are_refused(machine: str, dtype: str, m: int) -> None:
    program = turn.program(machine=machine, dtype=dtype, M=m, N=32)
    with pytest.raises(tl.TileError, match="E1231"):
        lower_program(program, find_machine(machine))
