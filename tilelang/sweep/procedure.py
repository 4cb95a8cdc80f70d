"""A sweep from its first tile to its report."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tilelang.attributes import python_text
from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.sweep.climb import climb
from tilelang.sweep.course import Candidate, Course, read_candidates
from tilelang.sweep.cycles import CycleModel, find_model
from tilelang.sweep.final import check_winner, compare_finalists
from tilelang.sweep.keys import describe_sweep, place_of, sweep_key, versions
from tilelang.sweep.log import Log
from tilelang.sweep.picture import save_pictures
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.prediction import find_correlation
from tilelang.sweep.problem import Problem
from tilelang.sweep.ranks import Correlation
from tilelang.sweep.report import Report, find_noise
from tilelang.sweep.rungs import rungs
from tilelang.sweep.runner import open_runner
from tilelang.sweep.space import Space, Tiles, read_space
from tilelang.sweep.trial import Trial, tiles_text
from tilelang.sweep.watch import Unwatched, Watch


def sweep_problem(
    problem: Problem,
    tiles: Mapping[str, Iterable[int] | str],
    plan: Plan,
    watch: Watch | None = None,
) -> Report:
    """Try `tiles` on `problem` as `plan` says; draw the pictures where a folder is given for them.

    Raises:
        TileError: for tiles, a plan or a log that cannot be; never for what one trial does.
    """
    started = time.perf_counter()
    space = read_space(problem.kernel, tiles, problem.fixed)
    metric = choose_metric(problem, plan)
    combinations = space.draw(plan.random, plan.seed)
    with Log(plan.out) as log, open_runner(plan) as runner:
        key, place = sweep_key(problem, metric), place_of(metric, plan)
        log.enter_sweep(key, describe_sweep(problem, metric))
        seen = watch or Unwatched()
        now = versions(problem)
        course = Course(problem, plan, metric, log, key, place, now, runner, seen)
        report = _report(course, space, combinations, started)
    return _drawn(report) if plan.out is not None and plan.pictures else report


def choose_metric(problem: Problem, plan: Plan) -> Metric:
    """Return the metric that `plan` names, else cycles where the backend counts them.

    Raises:
        TileError: E0904 for cycles without a model, E0616 for times where nothing runs.
    """
    backend = problem.backend
    default = Metric.CYCLES if isinstance(backend, CycleModel) else Metric.TIME
    metric = Metric(plan.metric) if plan.metric else default
    if metric is Metric.CYCLES:
        find_model(backend)
    elif backend.runs_here is not None and plan.dask is None:
        message = f"backend {backend.name!r} does not run here: {backend.runs_here}"
        hint = "sweep on a backend that runs here, or by cycles where it has a model"
        raise TileError(Diagnostic("E0616", message, callsite.location(None), hint))
    return metric


def _report(course: Course, space: Space, combinations: Sequence[Tiles], started: float) -> Report:
    problem, metric = course.problem, course.metric
    candidates, illegal = read_candidates(problem, combinations)
    least_size = max(max(values) for values in space.axes.values())
    trials = climb(course, candidates, rungs(metric, course.plan, problem.backend), least_size)
    noise = find_noise(trials, course.drift)
    if metric is Metric.TIME:
        trials = compare_finalists(course, candidates, trials)
    trials, number, verdict = check_winner(course, candidates, trials)
    winner = None if number is None else trials[number]
    if number is not None and winner is not None:
        rest = (verdict, course.versions)
        course.log.keep_winner(course.key, winner, candidates[number].all_tiles, rest)
    order = {tuple(tiles.items()): place for place, tiles in enumerate(combinations)}
    everything = sorted([*trials, *illegal], key=lambda trial: order[tuple(trial.tiles.items())])
    return Report(
        problem.kernel.name,
        problem.sizes,
        problem.backend.name,
        problem.machine.name,
        metric,
        course.place,
        tuple(everything),
        winner,
        verdict,
        None if winner is None else _call(problem, winner),
        noise,
        _correlation(course, candidates, trials),
        time.perf_counter() - started,
        course.log.path,
    )


def _drawn(report: Report) -> Report:
    """Return the report with its pictures, or with what is missing to draw them."""
    try:
        return replace(report, pictures=tuple(save_pictures(report)))
    except TileError as error:
        return replace(report, undrawn=error.diagnostics[0])


def _correlation(
    course: Course, candidates: Sequence[Candidate], trials: Sequence[Trial]
) -> Correlation | None:
    pairs = zip(candidates, trials, strict=True)
    values = [(one.all_tiles, trial.value) for one, trial in pairs if trial.value is not None]
    return find_correlation(course.log, course.problem, course.metric, values)


def _call(problem: Problem, winner: Trial) -> str:
    """Return the winner as a call to paste; the machine where it is not the backend's own."""
    kernel, backend = problem.kernel, problem.backend
    parts = [*kernel.input_names]
    parts += [f"{name}={python_text(value)}" for name, value in problem.settings.items()]
    parts.append(f'backend="{backend.name}"')
    if problem.machine.name != backend.machine:
        parts.append(f'machine="{problem.machine.name}"')
    parts += [f"{name}={value!r}" for name, value in problem.options.items()]
    parts.append(tiles_text({**problem.fixed, **winner.tiles}))
    return f"{kernel.name}({', '.join(parts)})"
