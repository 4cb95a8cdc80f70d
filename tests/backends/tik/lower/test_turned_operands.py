"""Operands that no load transposes are turned round in a stage of their own."""

from typing import Any

import pytest

from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.lower.turned_operands import turn_operands
from tilelang.ir.nodes import Move, Program
from tilelang.ir.region import Memory
from tilelang.ir.walk import walk_program
from tilelang.kernel import Kernel
from tilelang.kernels.gemm import gemm
from tilelang.machines import find_machine
from tilelang.passes import lower
from tilelang.verify import verify

MACHINE = find_machine(CHIP)


def turned(kernel: Kernel, **keywords: Any) -> tuple[Program, Program]:
    """Return the lowered program of `kernel`, and what turning makes of it."""
    program = lower(kernel.program(machine=CHIP, **keywords), MACHINE)
    return program, verify(turn_operands(program), MACHINE)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_right_operand_of_32_or_8_bits_is_turned_first(dtype: str) -> None:
    before, after = turned(gemm, dtype=dtype, M=40, N=80, K=70)
    assert [buffer.name for buffer in after.workspaces] == ["b_turned"]
    assert after.workspaces[0].shape == (80, 70)
    assert len(after.stages) == len(before.stages) + 1
    assert [core.extent for core in after.stages[0].grid] == [2, 2]
    loads = [s for s in walk_program(after) if isinstance(s, Move) and s.dst.buffer.name == "b1"]
    assert {load.src.buffer.name for load in loads} == {"b_turned"}
    assert {load.dst.buffer.memory for load in loads} == {Memory.L1}


def test_rows_that_end_inside_a_block_are_turned_too() -> None:
    _, after = turned(gemm, dtype="float16", M=40, N=50, K=70)
    assert [buffer.name for buffer in after.workspaces] == ["b_turned"]


@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (gemm, {"dtype": "float16", "M": 20, "N": 48, "K": 33}),
        (product(), {"dtype": "float32", "M": 20, "N": 17, "K": 33}),
        (product(), {"dtype": "int8", "M": 20, "N": 17, "K": 33}),
    ],
    ids=["halves in whole blocks", "k innermost", "bytes with k innermost"],
)
def test_what_loads_can_do_stays(kernel: Kernel, keywords: dict[str, Any]) -> None:
    before, after = turned(kernel, **keywords)
    assert after is before


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8"])
@pytest.mark.parametrize(("m", "k"), [(17, 33), (64, 64), (1, 1), (100, 65)])
def test_both_operands_may_be_turned(dtype: str, m: int, k: int) -> None:
    kernel = product(a="a[K, M]: T", b="b[K, N]: T")
    assert_agrees(kernel, CHIP, dtype=dtype, M=m, N=40, K=k)
