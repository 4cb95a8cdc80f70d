"""The end of a sweep: the best times are measured against each other, and the winner is checked."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from tilelang.diagnostics import TileError
from tilelang.sweep.course import Candidate, Course
from tilelang.sweep.judge import time_programs
from tilelang.sweep.keys import group_key
from tilelang.sweep.runner import Here
from tilelang.sweep.spread import noise_of
from tilelang.sweep.trial import Status, Trial

MOST_FINALISTS = 8
MARGIN = 0.05
"""Whoever was within 5 % of the best time once may be the best."""
FINAL_REPEATS = 3
"""Times the samples of a trial."""
NOT_CHECKED = "not checked"
OK = "ok"


def compare_finalists(
    course: Course, candidates: Sequence[Candidate], trials: Sequence[Trial]
) -> list[Trial]:
    """Return `trials` with the best of them measured again, interleaved with each other."""
    final = list(trials)
    numbers = _finalists(trials)
    if len(numbers) < 2:
        return final
    repeats = course.plan.repeats * FINAL_REPEATS
    programs = [candidates[number].program for number in numbers]
    keys = [course.key_of(program, f"time x{repeats}") for program in programs]
    comparison = group_key(keys)
    samples = course.log.final(comparison, keys)
    if samples is None:
        course.watch.begin("measuring the best against each other", len(numbers))
        runner = course.runner if course.plan.dask else Here()
        tasks = [course.task(programs, repeats)]
        ((_, outcomes),) = runner.run(time_programs, tasks, lambda _: None)
        samples = [outcome.samples for outcome in outcomes]
        if not all(samples):
            return final  # one failed this time: the values that there are stand
        course.log.keep_final(comparison, dict(zip(keys, samples, strict=True)))
    for number, times in zip(numbers, samples, strict=True):
        noise = noise_of(times)
        final[number] = replace(final[number], value=median(times), noise=noise, samples=times)
    return final


def check_winner(
    course: Course, candidates: Sequence[Candidate], trials: Sequence[Trial]
) -> tuple[list[Trial], int | None, str]:
    """Return `trials` with wrong ones marked, the number of the best right one, and its verdict."""
    checked = list(trials)
    for number in ranking(trials):
        candidate = candidates[number]
        verdict = _verdict(course, candidate)
        if verdict == OK or verdict.startswith(NOT_CHECKED):
            return checked, number, verdict
        checked[number] = replace(
            checked[number], status=Status.WRONG, code="E0911", reason=verdict
        )
    return checked, None, NOT_CHECKED


def ranking(trials: Sequence[Trial]) -> list[int]:
    """Return the numbers of the ranked trials, the best first."""
    values = {
        number: trial.value
        for number, trial in enumerate(trials)
        if trial.status is Status.RANKED and trial.value is not None
    }
    return sorted(values, key=lambda number: values[number])


def _finalists(trials: Sequence[Trial]) -> list[int]:
    """Return the numbers of the trials of which one sample at least comes close to the best median.

    By their best samples, since a disturbance only ever adds time.
    """
    numbers = ranking(trials)
    limit = (1 + MARGIN) * min((trials[number].value or 0.0 for number in numbers), default=0.0)
    least = {number: min(trials[number].samples) for number in numbers}
    close = [number for number in numbers if least[number] <= limit]
    return sorted(close, key=lambda number: least[number])[:MOST_FINALISTS]


def _verdict(course: Course, candidate: Candidate) -> str:
    if not course.plan.check:
        return f"{NOT_CHECKED}: the plan says so"
    if course.problem.kernel.reference_function is None:
        return f"{NOT_CHECKED}: the kernel has no reference"
    key = course.key_of(candidate.program, f"check {course.plan.seed}")
    known = course.log.verdict(key)
    if known is None:
        course.watch.begin("checking the winner", 1)
        known = _check(course, candidate)
        course.log.keep_verdict(key, known)
    return known


def _check(course: Course, candidate: Candidate) -> str:
    problem = course.problem
    try:
        report = problem.kernel.check(
            backends=[problem.backend.name],
            dtype=problem.dtypes,
            machine=problem.machine.name,
            seed=course.plan.seed,
            **problem.dims,
            **problem.attributes,
            **candidate.all_tiles,
        )
    except TileError as error:
        return error.diagnostics[0].message
    wrong = next((row for row in report.all_rows if row.verdict != OK), None)
    return wrong.verdict.splitlines()[0] if wrong else OK
