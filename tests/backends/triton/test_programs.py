"""Random programs in Triton's interpreter, within the bound of the program in float64."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.triton.running import SM90, Job, needs_triton, random_inputs, run_all
from tests.correctness import assert_correct, logical
from tests.programs import programs
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
from tilelang.backends.triton.promises import IN_THE_INTERPRETER
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program

N_PROGRAMS = 60
REFUSED = {"E1301", "E1305"}
"""What a random program may well have: a side that is no power of two, a short product."""


def draw_programs() -> list[Program]:
    drawn: list[Program] = []

    @seed(20261120)
    @settings(
        max_examples=N_PROGRAMS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(programs())
    def collect(program: Program) -> None:
        drawn.append(program)

    collect()
    return drawn


def jobs_of(number: int, program: Program) -> list[Job]:
    """Return the program in both forms of loads, unless Triton cannot hold it."""
    inputs = random_inputs(program, number)
    small = [np.clip(one, -8, 8) if one.dtype == np.int32 else one for one in inputs]
    try:
        return [
            Job(program, generate(program, SM90, options), small)
            for options in (Options(interpreter=True), Options(descriptors=False))
        ]
    except TileError as error:
        if {one.code for one in error.diagnostics} <= REFUSED:
            return []
        raise


@needs_triton
def test_random_programs_are_within_the_bound_of_what_is_promised():
    jobs = [job for number, one in enumerate(draw_programs()) for job in jobs_of(number, one)]
    assert len(jobs) > N_PROGRAMS // 2
    for job, found in zip(jobs, run_all(jobs), strict=True):
        story = f"{job.program}\n{job.generated.text}"
        assert not isinstance(found, str), f"{found}\n{story}"
        inputs = logical(job.program, job.inputs, results=False)
        results = logical(job.program, found, results=True)
        try:
            assert_correct(job.program, inputs, results, IN_THE_INTERPRETER)
        except AssertionError as error:
            error.add_note(story)
            raise
