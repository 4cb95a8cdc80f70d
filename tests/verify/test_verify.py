"""The verifier as a whole: what it lets through, in which order it complains, and how often."""

from dataclasses import replace

import pytest

from tests.golden import Golden
from tests.verify.gemm_program import gemm
from tests.verify.writing import (
    Source,
    alloc,
    codes,
    message,
    program,
    tensor,
    tile,
)
from tilelang.diagnostics import Location, TileError
from tilelang.dtypes import DType
from tilelang.ir.nodes import Move
from tilelang.ir.region import Memory, whole
from tilelang.machines import find_machine, machine_names
from tilelang.verify import verify

SIZES = (1, 15, 16, 17, 127, 997, 1000)


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p", "ascend910", "host", "sm90"])
@pytest.mark.parametrize("size", SIZES)
def test_a_matrix_product_of_any_size_is_fine(machine: str, size: int):
    made = gemm((size, size, size), (64, 48, 32))
    assert verify(made, find_machine(machine)) is made


def test_on_split_cores_a_product_needs_legalising_first():
    assert codes(gemm(), "ascend910b") == ["E0312"]


@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.INT8])
def test_the_host_takes_every_dtype(dtype: DType):
    assert not codes(gemm(dtype=dtype), "host")


def test_several_mistakes_are_told_together_in_the_order_of_the_source(golden: Golden):
    made = gemm(tiles=(100, 512, 1000))
    golden.check("verify/several-mistakes.txt", message(made))
    with pytest.raises(TileError) as caught:
        verify(made, find_machine("ascend910"))
    lines = [d.location.line for d in caught.value.diagnostics if d.location]
    assert lines == sorted(lines)
    assert len(set(codes(made))) > 1


def test_a_mistake_in_an_unrolled_loop_is_told_once():
    source = Source()
    loc = source.line("    tl.data_move(row, x)")
    row = tile("row", Memory.UB, (32,))
    wrong = Move(whole(row), whole(tensor("x", (64,))), loc=loc)
    made = program(*alloc(row), wrong, wrong, inputs=[tensor("x", (64,))])
    assert codes(made) == ["E0310"]


def test_a_mistake_in_a_called_function_is_ordered_by_the_call():
    source = Source()
    inner = source.line("    tl.data_move(row, x)")
    first, second = source.line("copy(row)"), source.line("tl.data_move(row, y)")
    called = Location(inner.file, inner.line, called_from=second)
    row = tile("row", Memory.UB, (32,))
    x, y = tensor("x", (64,)), tensor("y", (65,))
    moves = (Move(whole(row), whole(x), loc=called), Move(whole(row), whole(y), loc=first))
    said = message(program(*alloc(row), *moves, inputs=[x, y]))
    assert said.index("[65]") < said.index("[64]")
    assert "called from kernel.py:3" in said


def test_nodes_without_a_place_are_told_without_a_line():
    row = tile("row", Memory.UB, (32,))
    x = tensor("x", (64,))
    said = message(program(*alloc(row), Move(whole(row), whole(x)), inputs=[x]))
    assert said.startswith("error[E0310]: cannot move [64] of `x` into [32] of `row`\n")
    assert "unknown" not in said


def test_every_machine_has_a_verdict_on_every_dtype():
    for name in machine_names():
        for dtype in (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.INT8):
            assert set(codes(gemm(dtype=dtype), name)) <= {"E0309", "E0312", "E0314", "E0334"}


def test_the_program_is_not_changed():
    made = gemm()
    assert verify(made, find_machine("host")) == replace(made)
