"""Results that fixpipe would overrun are stored by vector work, from workspace."""

from typing import Any

import pytest

from tests.backends.tik.lower.products import CHIP, product
from tests.backends.tik.lower.running import assert_agrees
from tilelang.backends.tik.lower import lower_kernels
from tilelang.backends.tik.lower.staged_results import stage_results
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.passes import lower
from tilelang.verify import verify

MACHINE = find_machine(CHIP)


def made(c: str = "c[M, N]: acc(T)", **sizes: Any) -> Program:
    return lower(product(c=c).program(machine=CHIP, dtype="float16", **sizes), MACHINE)


def test_columns_that_are_no_multiple_of_16_take_a_second_stage() -> None:
    program = made(M=20, N=41, K=16)
    staged = verify(stage_results(program), MACHINE)
    assert len(staged.stages) == 2
    (workspace,) = staged.workspaces
    assert workspace.shape == (1, 2, 32, 32)  # cores, cores, a tile


@pytest.mark.parametrize(("c", "n"), [("c[M, N]: acc(T)", 48), ("c[M, N]: float16 @ NZ", 41)])
def test_what_fixpipe_can_store_stays(c: str, n: int) -> None:
    program = made(c, M=20, N=n, K=16)
    assert stage_results(program) is program


def test_a_product_of_any_width_is_two_kernels() -> None:
    program = product().program(machine=CHIP, dtype="float16", M=20, N=41, K=16)
    names = [kernel.program.name for kernel in lower_kernels(program, MACHINE)]
    assert names == ["kernel_1", "kernel_2"]


@pytest.mark.parametrize("result", ["float32", "float16"])
@pytest.mark.parametrize(("m", "n"), [(20, 57), (1, 1), (33, 15), (16, 25)])
def test_the_numbers_agree(result: str, m: int, n: int) -> None:
    assert_agrees(product(c=f"c[M, N]: {result}"), CHIP, dtype="float16", M=m, N=n, K=20)
