"""Where trials run: in this process, in several through joblib, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.sweep.judge import Outcome, Task
from tilelang.sweep.packages import need
from tilelang.sweep.plan import Plan

Judge: TypeAlias = Callable[[Task], tuple[Outcome, ...]]
Begin: TypeAlias = Callable[[int], None]
Results: TypeAlias = Iterator[tuple[int, tuple[Outcome, ...]]]

LOCAL = "local"
DIED = Outcome(code="E0908", reason="the process that ran it died (killed, or a crash)")


class Runner(Protocol):
    """Runs tasks."""

    def run(self, judge: Judge, tasks: Sequence[Task], begin: Begin) -> Results:
        """Yield the number of each task and its outcomes, as they are finished.

        `begin` is told the number of a task that, should it crash, takes the sweep with it.
        """
        ...


class Here:
    """Runs tasks in this process, one after the other."""

    def run(self, judge: Judge, tasks: Sequence[Task], begin: Begin) -> Results:
        """Yield the number of each task and its outcomes, in order."""
        for number, task in enumerate(tasks):
            begin(number)
            yield number, judge(task)


@dataclass(frozen=True, slots=True)
class Joblib:
    """Runs tasks through joblib, with these arguments of its `parallel_config`."""

    settings: dict[str, Any]

    def run(self, judge: Judge, tasks: Sequence[Task], begin: Begin) -> Results:
        """Yield the number of each task and its outcomes, as they are finished.

        When a process dies joblib gives up all that were running. Each is then run on its own, so
        that only the one that kills its process is lost.
        """
        waiting = dict(enumerate(tasks))
        try:
            for number, outcomes in self._parallel(judge, list(waiting.items())):
                del waiting[number]
                yield number, outcomes
        except _deaths():
            for number, task in [*waiting.items()]:
                yield number, self._alone(judge, task)

    def _parallel(self, judge: Judge, tasks: Sequence[tuple[int, Task]]) -> Results:
        joblib = need("joblib", "sweep")
        with joblib.parallel_config(**self.settings):
            calls = (joblib.delayed(_numbered)(judge, number, task) for number, task in tasks)
            yield from joblib.Parallel(return_as="generator_unordered")(calls)

    def _alone(self, judge: Judge, task: Task) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for program in task.programs:
            one = replace(task, programs=(program,))
            try:
                outcomes += [it for _, found in self._parallel(judge, [(0, one)]) for it in found]
            except _deaths():
                outcomes.append(DIED)
        return tuple(outcomes)


@contextmanager
def open_runner(plan: Plan) -> Generator[Runner]:
    """Open what `plan` asks for.

    Raises:
        TileError: E0604 if joblib or Dask is not installed, E0905 if there is no such cluster.
    """
    if plan.dask is not None:
        with _cluster(plan):
            yield Joblib({"backend": "dask"})
    elif plan.jobs > 1:
        need("joblib", "sweep")
        yield Joblib({"backend": "loky", "n_jobs": plan.jobs})
    else:
        yield Here()


@contextmanager
def _cluster(plan: Plan) -> Generator[None]:
    """Connect to the cluster; one thread a worker, for trials disturb each other."""
    need("joblib", "sweep")
    distributed = need("distributed", "sweep")
    if plan.dask == LOCAL:
        settings = {"n_workers": plan.jobs, "threads_per_worker": 1, "dashboard_address": None}
        client: Any = distributed.Client(**settings)
    else:
        try:
            client = distributed.Client(plan.dask, timeout="10s")
        except (OSError, ValueError) as error:
            raise TileError(_no_cluster(plan.dask, error)) from None
    with client:
        yield


def _numbered(judge: Judge, number: int, task: Task) -> tuple[int, tuple[Outcome, ...]]:
    return number, judge(task)


def _deaths() -> tuple[type[BaseException], ...]:
    """Return what joblib raises when a process dies."""
    try:
        return (BrokenProcessPool, need("distributed", "sweep").KilledWorker)
    except TileError:  # without Dask there is only joblib's own
        return (BrokenProcessPool,)


def _no_cluster(address: str | None, error: Exception) -> Diagnostic:
    return Diagnostic(
        "E0905",
        f"there is no Dask scheduler at {address!r}: {error}",
        callsite.location(None),
        f"give the address that `dask scheduler` prints, or {LOCAL!r} for workers on this computer",
    )
