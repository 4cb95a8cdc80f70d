"""`tilelang sweep`: tile parameters tried, ranked, drawn, and the winner as a line to paste."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from tilelang.cli.heat_map import show_heat_map
from tilelang.cli.options import (
    AttributeOption,
    DimsOption,
    DTypeOption,
    JsonOption,
    KernelArgument,
    MachineOption,
    SeedOption,
    join_arguments,
    read_integers,
)
from tilelang.cli.problem import ReadProgram, SizedKernel, find_problem
from tilelang.cli.run import BackendOption
from tilelang.cli.tables import print_json, progress
from tilelang.diagnostics import Diagnostic, TileError
from tilelang.sweep.plan import Plan
from tilelang.sweep.problem import Problem, read_problem
from tilelang.sweep.procedure import sweep_problem
from tilelang.sweep.report import Report
from tilelang.sweep.trial import Trial
from tilelang.sweep.values import read_settings
from tilelang.sweep.wording import head_lines, tail_lines

INTERRUPTED = 130
"""The status of a command that Ctrl-C ended, as shells have it (128 and the number of SIGINT)."""

ValuesOption: TypeAlias = Annotated[
    list[str],
    typer.Option("--tile", metavar="n_tile=16:1024:x2", help="Or 16:128:+16, or 16,32,64."),
]
BackendSettingOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="n_threads=1", help="Options of the backend."),
]
MetricOption: TypeAlias = Annotated[
    Literal["time", "cycles"] | None,
    typer.Option("--metric", help="Measured, or by the backend's cycle model (if it has one)."),
]
OutOption: TypeAlias = Annotated[
    str | None, typer.Option("--out", metavar="DIR", help="Folder for the log and pictures.")
]
PicturesOption: TypeAlias = Annotated[bool, typer.Option(help="Draw the heat map, with --out.")]
RandomOption: TypeAlias = Annotated[
    int | None, typer.Option("--random", metavar="N", help="Try N tiles drawn at random.")
]
HalvingOption: TypeAlias = Annotated[
    bool, typer.Option("--halving", help="Judge all roughly, the best with care.")
]
RepeatsOption: TypeAlias = Annotated[int, typer.Option("--repeats", help="Samples of a time.")]
JobsOption: TypeAlias = Annotated[
    int, typer.Option("--jobs", help="Processes; times are measured in one.")
]
DaskOption: TypeAlias = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help='A scheduler, or "local".')
]
CheckOption: TypeAlias = Annotated[
    bool, typer.Option(help="Compare the winner with the reference.")
]
RetryOption: TypeAlias = Annotated[
    bool, typer.Option("--retry", help="Try again what failed before.")
]


def sweep(
    kernel: KernelArgument,
    tile: ValuesOption,
    dims: DimsOption = None,
    attr: AttributeOption = None,
    option: BackendSettingOption = None,
    dtype: DTypeOption = "float16",
    backend: BackendOption = "numpy",
    machine: MachineOption = None,
    metric: MetricOption = None,
    out: OutOption = None,
    pictures: PicturesOption = True,
    random: RandomOption = None,
    halving: HalvingOption = False,
    repeats: RepeatsOption = 7,
    jobs: JobsOption = 1,
    dask: DaskOption = None,
    check: CheckOption = True,
    retry: RetryOption = False,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Try tile parameters, say which are illegal and why, rank the others, check the winner.

    Every trial is logged as it finishes: run the same again and nothing is run twice, add a value
    and only what is new is run. The exit status is 0 only if there is a winner.
    """
    plan = Plan(
        metric, out, pictures, random, seed, halving, jobs, dask, repeats, check=check, retry=retry
    )
    settings = read_settings("--tile", tile)
    sized = _sized(find_problem(kernel, dtype, dims, None, attr), kernel)
    known = sized.kernel.tile_parameters
    fixed = {name: it[0] for name, it in settings.items() if len(it) == 1 and name in known}
    swept = {name: values for name, values in settings.items() if name not in fixed}
    options = read_integers("--option", option)
    keywords = join_arguments(problem=sized.keywords, tile=fixed, option=options)
    problem = read_problem(sized.kernel, (backend, machine), dtype=sized.dtype, keywords=keywords)
    report = _watched(problem, swept, plan)
    _print(report, as_json)
    raise typer.Exit(0 if report.ok else 1)


def _watched(problem: Problem, swept: Mapping[str, Sequence[int]], plan: Plan) -> Report:
    try:
        with _Bar() as bar:
            return sweep_problem(problem, swept, plan, bar)
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


class _Bar:
    """Shows the trials as a progress bar with the time left and the best so far."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        best = TextColumn("{task.fields[best]}")
        self._bars = Progress(
            *columns, TimeRemainingColumn(), best, console=progress(), transient=True
        )
        self._task: TaskID | None = None
        self._best: float | None = None

    def __enter__(self) -> "_Bar":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, what: str, n_trials: int) -> None:
        """Start a bar of its own for a step of the sweep."""
        self._best = None
        self._task = self._bars.add_task(what, total=n_trials, best="")

    def finish(self, trial: Trial) -> None:
        """Count a trial, and show it if it is the best."""
        if self._task is None:
            return
        if trial.value is not None and (self._best is None or trial.value < self._best):
            self._best = trial.value
            self._bars.update(self._task, best=f"best so far: {trial.text}")
        self._bars.advance(self._task)


def _sized(problem: SizedKernel | ReadProgram, name: str) -> SizedKernel:
    if isinstance(problem, SizedKernel):
        return problem
    message = f"{name} is a program, whose tile parameters are fixed, and a sweep varies them"
    hint = "name the kernel that the program was made from"
    raise TileError(Diagnostic("E0612", message, hint=hint))


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
        return
    _say(list(head_lines(report)))
    show_heat_map(report)
    _say(list(tail_lines(report)))


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines))
