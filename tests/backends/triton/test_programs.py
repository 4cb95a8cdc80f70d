"""Random programs in Triton's interpreter, against the strict executor that defines them."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.triton.running import SM90, Array, Job, needs_triton, random_inputs, run_all
from tests.programs import programs
from tilelang.backends.numpy import BACKEND as NUMPY
from tilelang.backends.triton.compiler import generate
from tilelang.backends.triton.options import Options
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


def strict_results(job: Job) -> list[Array]:
    shapes = [buffer.layout.physical_shape(buffer.shape) for buffer in job.program.results]
    results = [
        np.zeros(shape, buffer.dtype.numpy)
        for buffer, shape in zip(job.program.results, shapes, strict=True)
    ]
    NUMPY.compile(job.program, SM90)(*job.inputs, *results)
    return results


@needs_triton
def test_random_programs_compute_what_the_strict_executor_computes():
    jobs = [job for number, one in enumerate(draw_programs()) for job in jobs_of(number, one)]
    assert len(jobs) > N_PROGRAMS // 2
    for job, found in zip(jobs, run_all(jobs), strict=True):
        story = f"{job.program}\n{job.generated.text}"
        assert not isinstance(found, str), f"{found}\n{story}"
        for array, wanted in zip(found, strict_results(job), strict=True):
            _compare(array, wanted, story)


def _compare(array: Array, wanted: Array, story: str) -> None:
    if wanted.dtype.kind in "iu":
        np.testing.assert_array_equal(array, wanted, story)
        return
    tolerance = 2.0**-9 if wanted.dtype.itemsize == 2 else 2.0**-16
    np.testing.assert_allclose(
        array.astype(np.float64), wanted, rtol=tolerance, atol=tolerance, err_msg=story
    )
