"""Judging the legal tiles: what the log has not yet is run, and kept as soon as it is finished."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.sweep.course import Candidate, Course
from tilelang.sweep.judge import Outcome, Task, compile_programs, count_cycles, time_programs
from tilelang.sweep.plan import Metric
from tilelang.sweep.rungs import Rung, n_kept
from tilelang.sweep.runner import DIED, Here
from tilelang.sweep.spread import noise_of
from tilelang.sweep.trial import Status, Trial

BATCH = 8
"""Programs that are timed in one interleaved group."""
MAX_ATTEMPTS = 2
"""A trial that ended the whole sweep so often is not begun again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A trial that is to be run."""

    number: int
    candidate: Candidate
    program: Program
    key: str


def climb(
    course: Course, candidates: Sequence[Candidate], ladder: Sequence[Rung], least_size: int
) -> list[Trial]:
    """Return a trial of each candidate, after the rungs of `ladder` that it came to."""
    trials: dict[int, Trial] = {}
    remaining = dict(enumerate(candidates))
    for rung in ladder:
        if rung.shrink > 1 and not _shrinks(course, rung, least_size):
            continue
        found = judge(course, list(remaining.values()), rung, least_size)
        trials |= dict(zip(remaining, found, strict=True))
        if rung is not ladder[-1]:
            kept = _best(trials, remaining)
            for number in set(remaining) - kept:
                trials[number] = _dropped(trials[number], rung, course.metric)
            remaining = {number: candidates[number] for number in sorted(kept)}
    return [trials[number] for number in range(len(candidates))]


def judge(
    course: Course, candidates: Sequence[Candidate], rung: Rung, least_size: int
) -> list[Trial]:
    """Return a trial of each candidate at one rung, from the log where it has it."""
    problem = course.problem if rung.shrink == 1 else course.problem.shrunk(rung.shrink, least_size)
    trials: dict[int, Trial] = {}
    waiting: list[Waiting] = []
    course.watch.begin(f"judging by {rung.judge}", len(candidates))
    for number, candidate in enumerate(candidates):
        try:
            program = candidate.program if rung.shrink == 1 else problem.program(candidate.tiles)
        except TileError:  # legal at full size alone: judged there
            program = candidate.program
        one = Waiting(number, candidate, program, course.key_of(program, rung.judge))
        known = _known(course, one)
        if known is None:
            waiting.append(one)
        else:
            trials[number] = known
            course.watch.finish(known)
    for one, trial in _run(course, waiting, rung):
        course.log.finish(one.key, course.key, rung.judge, one.candidate.all_tiles, trial)
        course.watch.finish(trial)
        trials[one.number] = trial
    return [trials[number] for number in range(len(candidates))]


def _known(course: Course, one: Waiting) -> Trial | None:
    known = course.log.find(one.key, one.candidate.tiles)
    if course.plan.retry:
        return None if known and known.status is Status.FAILED else known
    if known is None and course.log.attempts(one.key) >= MAX_ATTEMPTS:
        reason = f"the sweep ended while it ran, {MAX_ATTEMPTS} times; retry=True tries again"
        return Trial(one.candidate.tiles, Status.FAILED, code=DIED.code, reason=reason)
    return known


def _run(course: Course, waiting: Sequence[Waiting], rung: Rung) -> Iterator[tuple[Waiting, Trial]]:
    if rung.metric is Metric.CYCLES:
        batches = [[one] for one in waiting]
        tasks = [course.task([one.program], 1) for one in waiting]
        yield from _judged(course, batches, tasks, rung)
        return
    failed = dict(_compiled(course, waiting))
    yield from ((one, trial) for one in waiting if (trial := failed.get(one.number)))
    batches = _batches(course, [one for one in waiting if one.number not in failed])
    anchor = batches[0][0].program if batches else None
    tasks = [
        course.task(
            [*(one.program for one in batch), *([anchor] if anchor and n else [])], rung.repeats
        )
        for n, batch in enumerate(batches)
    ]
    yield from _judged(course, batches, tasks, rung)


def _judged(
    course: Course, batches: Sequence[Sequence[Waiting]], tasks: Sequence[Task], rung: Rung
) -> Iterator[tuple[Waiting, Trial]]:
    def begin(number: int) -> None:
        course.log.begin(course.key, [one.key for one in batches[number]])

    is_time = rung.metric is Metric.TIME
    runner = course.runner if course.plan.dask or not is_time else Here()
    for number, outcomes in runner.run(time_programs if is_time else count_cycles, tasks, begin):
        batch = batches[number]
        anchor = outcomes[len(batch) :] or (outcomes[:1] if is_time else ())
        course.drift.extend(median(one.samples) for one in anchor if one.samples)
        for one, outcome in zip(batch, outcomes, strict=False):
            yield one, trial_of(one.candidate, outcome)


def _compiled(course: Course, waiting: Sequence[Waiting]) -> Iterator[tuple[int, Trial]]:
    """Compile in other processes, where there are some; yield those that cannot be."""
    if course.plan.jobs == 1 or course.plan.dask:
        return
    tasks = [course.task([one.program], 1) for one in waiting]
    for number, (outcome,) in course.runner.run(compile_programs, tasks, lambda _: None):
        if outcome.code is not None:
            yield waiting[number].number, trial_of(waiting[number].candidate, outcome)


def _batches(course: Course, waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    """Return groups to be timed together; what ended an earlier sweep perhaps is on its own."""
    suspects = [one for one in waiting if course.log.attempts(one.key)]
    others = [one for one in waiting if one not in suspects]
    groups = [list(others[start : start + BATCH]) for start in range(0, len(others), BATCH)]
    return [*groups, *([one] for one in suspects)]


def trial_of(candidate: Candidate, outcome: Outcome) -> Trial:
    """Return the trial that ended with `outcome`."""
    if outcome.code is not None:
        status = Status.ILLEGAL if outcome.refused else Status.FAILED
        return Trial(candidate.tiles, status, code=outcome.code, reason=outcome.reason)
    value, noise = median(outcome.samples), noise_of(outcome.samples)
    return Trial(candidate.tiles, Status.RANKED, value, noise, outcome.samples)


def _shrinks(course: Course, rung: Rung, least_size: int) -> bool:
    return course.problem.shrunk(rung.shrink, least_size).dims != course.problem.dims


def _best(trials: dict[int, Trial], remaining: dict[int, Candidate]) -> set[int]:
    values = {number: value for number in remaining if (value := trials[number].value) is not None}
    return set(sorted(values, key=lambda number: values[number])[: n_kept(len(values))])


def _dropped(trial: Trial, rung: Rung, metric: Metric) -> Trial:
    """Return `trial` as one that went no further; a value of another kind is left out."""
    if trial.status is not Status.RANKED:
        return trial
    comparable = rung.metric is metric and rung.shrink == 1
    value = trial.value if comparable else None
    return replace(trial, status=Status.DROPPED, value=value, reason=f"after {rung.judge}")
