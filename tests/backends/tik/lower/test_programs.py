"""Random tile programs: refused with a code of the lowering, or run to the right numbers."""

from hypothesis import HealthCheck, given, settings

import tilelang as tl
from tests.backends.tik.lower.running import inputs_of, run
from tests.correctness import assert_correct, logical
from tests.programs import programs
from tilelang.backends.tik import BACKEND
from tilelang.ir.nodes import Program

REFUSALS = {"E1219", "E1230", "E1231", "E1232", "E1233", "E1235", "E1236", "E1237", "E1238",
            "E1239", "E1241", "E1242", "E1243", "E1245"}  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(programs())
def test_programs_are_refused_or_right(program: Program) -> None:
    inputs = inputs_of(program)
    try:
        found, _ = run(program, "ascend910", inputs)
    except tl.TileError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} <= REFUSALS:
            return
        raise
    assert_correct(program, logical(program, inputs, results=False), found, BACKEND.numerics)
