"""What the steps of one sweep share, and the tiles that they work on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.ir.nodes import Program
from tilelang.sweep.columns import as_json
from tilelang.sweep.judge import Task
from tilelang.sweep.keys import trial_key
from tilelang.sweep.log import Log
from tilelang.sweep.plan import Metric, Plan
from tilelang.sweep.problem import Problem
from tilelang.sweep.runner import Runner
from tilelang.sweep.space import Tiles
from tilelang.sweep.trial import Status, Trial
from tilelang.sweep.watch import Watch


@dataclass(frozen=True, slots=True)
class Candidate:
    """Legal tiles with their program, which has the values of all tile parameters."""

    tiles: Tiles
    program: Program

    @property
    def all_tiles(self) -> dict[str, int]:
        """Every tile parameter of the kernel with its value."""
        return dict(self.program.tiles)


@dataclass(frozen=True, slots=True)
class Course:
    """One sweep: what, how, and where it is kept. `drift` collects medians of one program."""

    problem: Problem
    plan: Plan
    metric: Metric
    log: Log
    key: str
    place: str
    versions: str
    runner: Runner
    watch: Watch
    drift: list[float] = field(default_factory=list[float])

    def task(self, programs: Sequence[Program], repeats: int) -> Task:
        """Return a task for the backend, machine and options of the problem."""
        options: dict[str, Any] = self.problem.options
        names = (self.problem.backend.name, self.problem.machine.name)
        return Task(tuple(programs), *names, options, repeats, self.plan.seed)

    def key_of(self, program: Program, judge: str) -> str:
        """Return the key of a trial of `program`."""
        parts = (judge, self.place, self.versions, as_json(self.problem.options))
        return trial_key(program, parts)


def read_candidates(
    problem: Problem, combinations: Sequence[Tiles]
) -> tuple[list[Candidate], list[Trial]]:
    """Return the legal ones of `combinations`, and the others as trials with their reasons."""
    legal: list[Candidate] = []
    illegal: list[Trial] = []
    for tiles in combinations:
        try:
            legal.append(Candidate(tiles, problem.program(tiles)))
        except TileError as error:
            illegal.append(refused(tiles, error.diagnostics[0]))
    return legal, illegal


def refused(tiles: Tiles, reason: Diagnostic) -> Trial:
    """Return the trial of tiles that the verifier or the backend refused."""
    return Trial(tiles, Status.ILLEGAL, code=reason.code, reason=reason.message)
