"""`tilelang demo`: GEMM on every backend present, at sizes that do and do not divide, checked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any

import typer
from rich.progress import Progress

from tilelang.backend import backend_names, find_backend
from tilelang.check import Row as CheckRow
from tilelang.check import check, check_options, random_inputs, runnable
from tilelang.check.isolation import Elsewhere
from tilelang.check.process import Ended, Process
from tilelang.check.report import OK
from tilelang.cli.check import row_of
from tilelang.cli.options import JsonOption
from tilelang.cli.tables import Row, console, progress, show
from tilelang.diagnostics import TileError
from tilelang.kernel import Kernel
from tilelang.shipped import find_kernel


@dataclass(frozen=True, slots=True)
class Trial:
    """One problem of the demo."""

    dims: tuple[int, int, int]
    dtype: str

    @property
    def size(self) -> str:
        """The sizes M, N and K as a row shows them."""
        return " x ".join(map(str, self.dims))

    @property
    def command(self) -> str:
        """What checks this problem alone."""
        sizes = ",".join(f"{name}={size}" for name, size in zip("MNK", self.dims, strict=True))
        return f"tilelang check gemm --dims {sizes} --dtype {self.dtype}"


TRIALS = (
    Trial((128, 128, 128), "float16"),
    Trial((512, 512, 512), "float16"),
    Trial((1000, 1003, 997), "float16"),
    Trial((333, 77, 1009), "bfloat16"),
    Trial((257, 129, 65), "float32"),
    Trial((512, 512, 512), "int8"),
    Trial((1, 17, 3), "int8"),
)
"""Some sizes are multiples of a tile, most are not, and one is smaller than a fractal."""

LIMIT_SECONDS = 300.0
"""What one backend may take for one problem; the slowest takes some seconds."""
HERE = "host"
"""The machine of backends that run at this computer's own speed."""
SHORT = 1 << 24
"""Products that an emulator or an interpreter does in about a second."""

COLUMNS = {
    "backend": "backend",
    "size": "M x N x K",
    "dtype": "dtype",
    "milliseconds": "ms",
    "gflops": "Gflop/s",
    "share": "error / bound",
    "verdict": "verdict",
}

NEXT_STEPS = """
The error is a share of a bound derived from the dtype and from K: up to 1, rounding explains it.
What to try next:

  tilelang check gemm --dims M=1000,N=1003,K=997 --dtype float16 --tile m_tile=64
  tilelang source gemm --backend numpy --dims M=64,N=64,K=64
  tilelang layout NZ --shape 32x48
  tilelang machine ascend910
  tilelang explain

Run `source .venv/bin/activate` first. Then write a kernel of your own: README.md starts with one,
and kernels/gemm.py is the one that just ran.
"""


def demo(as_json: JsonOption = False) -> None:
    """Run GEMM on every backend present on random data, check it, and print a table."""
    kernel = find_kernel("gemm")
    with Process(LIMIT_SECONDS) as process:
        rows = list(_run_all(kernel, process))
    if not as_json:
        console().print(f"{kernel.name}: {kernel.signature}\n", markup=False)
    show(rows, COLUMNS, as_json=as_json)
    for error in dict.fromkeys(row["error"] for row in rows if row["error"]):
        print(f"\n{error}", file=sys.stderr)
    if not as_json:
        _say_who_is_absent()
        print(NEXT_STEPS, end="")
    good = all(str(row["verdict"]).startswith(("ok", "refused")) for row in rows)
    raise typer.Exit(0 if good else 1)


def _run_all(kernel: Kernel, process: Process) -> Iterator[Row]:
    with Progress(console=progress(), transient=True) as bar:
        task = bar.add_task("", total=len(TRIALS))
        for trial in TRIALS:
            bar.update(task, description=f"gemm {trial.size} {trial.dtype}")
            yield from _rows(kernel, trial, process)
            bar.advance(task)


def _rows(kernel: Kernel, trial: Trial, process: Process) -> Iterator[Row]:
    """Yield a row for each backend; where its machine does not take the dtype, that is said."""
    M, N, K = trial.dims
    names = [name for name in runnable() if _is_short(trial, name)]
    program = kernel.program(dtype=trial.dtype, M=M, N=N, K=K)
    drawn: list[Any] = list(random_inputs(program, seed=0))
    arrays = dict(zip(kernel.input_names, drawn, strict=True))
    refusals = {name: _refusal(kernel, arrays, name) for name in names}
    judge = Elsewhere(process, trial.command, kernel.name)
    checked = [name for name in names if not refusals[name]]
    report = check(kernel, judge, backends=checked, machine=None, seed=0, keywords=arrays)
    about: Row = {"size": trial.size, "dtype": trial.dtype}
    for row in report.rows:
        found = process.call(time_call, drawn, row.backend) if row.verdict == OK else None
        if isinstance(found, Ended):
            failed = judge.failed(program, row.backend, row.machine, found)
            yield {**_cells(failed, None, trial), **about}
        else:
            yield {**_cells(row, found or row.seconds, trial), **about}
    for name, code in refusals.items():
        if code:
            refused: Row = {"backend": name, "verdict": f"refused: {code}", "error": None}
            yield {**dict.fromkeys(COLUMNS), **about, **refused}


def _cells(row: CheckRow, seconds: float | None, trial: Trial) -> Row:
    """Return what the table shows of a backend, and the whole of an error."""
    gflops = 2 * prod(trial.dims) / seconds / 1e9 if seconds else None
    time: Row = {"milliseconds": seconds and seconds * 1e3, "gflops": gflops}
    return {**row_of(row), **time, "error": row.verdict if "\n" in row.verdict else None}


def _is_short(trial: Trial, name: str) -> bool:
    """Return whether a backend that only stands in for hardware is done with `trial` soon."""
    stands_in = check_options(find_backend(name))[1] or find_backend(name).machine != HERE
    return not stands_in or prod(trial.dims) <= SHORT


def _refusal(kernel: Kernel, arrays: Mapping[str, Any], name: str) -> str | None:
    """Return the code with which the machine of a backend refuses the problem, if it does."""
    try:
        kernel.program(machine=find_backend(name).machine, **arrays)
    except TileError as error:
        return error.diagnostics[0].code
    return None


def time_call(arrays: Sequence[Any], name: str) -> float | None:
    """Return the time of a call that finds `gemm` compiled; None if it cannot run here."""
    if find_backend(name).runs_here is not None:
        return None
    times: list[float] = []
    for _ in range(2):
        started = perf_counter()
        find_kernel("gemm")(*arrays, backend=name)
        times.append(perf_counter() - started)
    return times[-1]


def _say_who_is_absent() -> None:
    for name in backend_names():
        try:
            reason = find_backend(name).runs_here
        except TileError as error:
            reason = error.diagnostics[0].message
        if reason:
            print(f"\nnot here: {name} ({reason})")
