"""Words turned round by halves, where no instruction takes words."""

import pytest

from tests.backends.tik.lower.running import assert_agrees
from tests.backends.tik.lower.test_turns import turn
from tilelang.backends.tik.instructions import TikType, TransposeBlocks, walk
from tilelang.backends.tik.lower import lower_program
from tilelang.machines import find_machine


@pytest.mark.parametrize("machine", ["ascend310", "ascend910"])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize(("m", "n"), [(16, 16), (32, 16), (16, 48), (128, 64)])
def test_words_are_turned_round(machine: str, dtype: str, m: int, n: int) -> None:
    assert_agrees(turn, machine, dtype=dtype, M=m, N=n)


def test_a_column_of_squares_takes_six_instructions_on_halves() -> None:
    program = turn.program(machine="ascend910", dtype="float32", M=64, N=16)
    body = lower_program(program, find_machine("ascend910")).body
    made = [item for item in walk(body) if isinstance(item, TransposeBlocks)]
    assert [item.repeat for item in made] == [4] * 6
    assert {operand.dtype for item in made for operand in item.dsts} == {TikType.INT16}
