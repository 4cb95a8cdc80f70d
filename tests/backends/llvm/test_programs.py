"""Random programs: the same results as the numpy backend, bit for bit, on any number of threads."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.llvm.running import assert_same, expected_of, results_of, small_integers
from tests.programs import programs
from tilelang.ir.expression import Unary, UnaryOp, walk_expr
from tilelang.ir.nodes import Map, Program
from tilelang.ir.walk import walk_program

APPROXIMATE = {UnaryOp.EXP, UnaryOp.LN, UnaryOp.RSQRT, UnaryOp.TANH, UnaryOp.SIGMOID}


def is_exact(program: Program) -> bool:
    """Return whether no operation of `program` may differ in its last bits."""
    return not any(
        isinstance(part, Unary) and part.op in APPROXIMATE
        for stmt in walk_program(program)
        if isinstance(stmt, Map)
        for part in walk_expr(stmt.expr)
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(programs().filter(is_exact), st.integers(0, 99), st.sampled_from([1, 2, 3]))
def test_programs_give_what_numpy_gives(program: Program, seed: int, n_threads: int):
    inputs = small_integers(program.inputs, seed)
    found = results_of(program, inputs, n_threads=n_threads)
    for own, other in zip(found, expected_of(program, inputs), strict=True):
        assert_same(own, other)
