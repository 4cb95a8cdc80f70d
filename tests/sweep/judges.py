"""Judges that worker processes find by name: one that crashes, one that says where it ran."""

import os

from tilelang.sweep.judge import Outcome, Task


def say_process(task: Task) -> tuple[Outcome, ...]:
    """Return the number of the process as the sample of each program."""
    return tuple(Outcome((float(os.getpid()),)) for _ in task.programs)


def crash_at_80(task: Task) -> tuple[Outcome, ...]:
    """End the process, as machine code that crashes does, if a program has n_tile=80."""
    if any(dict(program.tiles)["n_tile"] == 80 for program in task.programs):
        os._exit(1)
    return tuple(Outcome((float(dict(program.tiles)["n_tile"]),)) for program in task.programs)
