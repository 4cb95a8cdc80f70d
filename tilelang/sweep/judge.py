"""Judging programs: what runs in this process, in another, or on a cluster.

Everything here is found by its name and takes plain data, so that it can be sent elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tilelang.arguments import allocate, physical_kinds
from tilelang.backend import Executable, find_backend
from tilelang.check import random_inputs
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program
from tilelang.machines import find_machine
from tilelang.sweep.cycles import find_model
from tilelang.sweep.timing import Run, sample, start


@dataclass(frozen=True, slots=True)
class Task:
    """Programs to judge together, and how; they have the same inputs and results."""

    programs: tuple[Program, ...]
    backend: str
    machine: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    repeats: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Samples of one program, or the error; `refused` if the backend cannot express it."""

    samples: tuple[float, ...] = ()
    code: str | None = None
    reason: str | None = None
    refused: bool = False


def count_cycles(task: Task) -> tuple[Outcome, ...]:
    """Return what the backend's cycle model says about each program."""
    model, machine = find_model(find_backend(task.backend)), find_machine(task.machine)

    def count(program: Program) -> Outcome:
        try:
            return Outcome((float(model.cycles(program, machine).total),))
        except Exception as error:  # a sweep outlives whatever one configuration does
            return failure(error, refused=isinstance(error, TileError))

    return tuple(map(count, task.programs))


def compile_programs(task: Task) -> tuple[Outcome, ...]:
    """Compile each program, so that backends that keep machine code on disk have it."""
    found = (_compiled(task, program) for program in task.programs)
    return tuple(one if isinstance(one, Outcome) else Outcome() for one in found)


def time_programs(task: Task) -> tuple[Outcome, ...]:
    """Return the seconds of a call of each program, sampled in interleaved rounds."""
    arrays = _arrays(task)
    started = [_started(task, program, arrays) for program in task.programs]
    try:
        sample([one for one in started if isinstance(one, Run)])
    except Exception as error:  # as above; which program it was does not show
        broken = failure(error)
        return tuple(one if isinstance(one, Outcome) else broken for one in started)
    return tuple(
        one if isinstance(one, Outcome) else Outcome(tuple(one.samples)) for one in started
    )


def failure(error: Exception, *, refused: bool = False) -> Outcome:
    """Return the outcome of a program that raised `error`: its code and its first sentence."""
    if isinstance(error, TileError):
        first = error.diagnostics[0]
        return Outcome((), first.code, first.message, refused)
    lines = str(error).splitlines() or ["no message"]
    return Outcome((), "E0907", f"{type(error).__name__}: {lines[0]}")


def _arrays(task: Task) -> list[Any]:
    first = task.programs[0]
    inputs = random_inputs(first, task.seed)
    return [*inputs, *allocate(physical_kinds(first.results), None)]


def _compiled(task: Task, program: Program) -> Executable | Outcome:
    try:
        machine = find_machine(task.machine)
        return find_backend(task.backend).compile(program, machine, **task.options)
    except Exception as error:  # a sweep outlives whatever one configuration does
        return failure(error, refused=isinstance(error, TileError))


def _started(task: Task, program: Program, arrays: list[Any]) -> Run | Outcome:
    executable = _compiled(task, program)
    if isinstance(executable, Outcome):
        return executable
    try:
        return start(executable, arrays, task.repeats)
    except Exception as error:  # a sweep outlives whatever one configuration does
        return failure(error)
