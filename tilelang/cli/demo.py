"""`tilelang demo`: GEMM on every backend present, at sizes that do and do not divide, checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import typer
from rich.progress import Progress

from tilelang.backend import backend_names, find_backend
from tilelang.check import Report, check_options, runnable
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
    rows = list(_run_all(kernel))
    if not as_json:
        console().print(f"{kernel.name}: {kernel.signature}\n", markup=False)
    show(rows, COLUMNS, as_json=as_json)
    if not as_json:
        _say_who_is_absent()
        print(NEXT_STEPS, end="")
    failed = [row for row in rows if row["verdict"] != "ok" and row["milliseconds"] is not None]
    raise typer.Exit(1 if failed else 0)


def _run_all(kernel: Kernel) -> Iterator[Row]:
    pairs = [(trial, name) for trial in TRIALS for name in runnable() if _is_short(trial, name)]
    with Progress(console=progress(), transient=True) as bar:
        task = bar.add_task("", total=len(pairs))
        for trial, name in pairs:
            bar.update(task, description=f"gemm {trial.size} {trial.dtype} on {name}")
            yield from _try(kernel, trial, name)
            bar.advance(task)


def _is_short(trial: Trial, name: str) -> bool:
    """Return whether a backend that only stands in for hardware is done with `trial` soon."""
    stands_in = check_options(find_backend(name))[1] or find_backend(name).machine != HERE
    return not stands_in or prod(trial.dims) <= SHORT


def _try(kernel: Kernel, trial: Trial, name: str) -> Iterator[Row]:
    """Yield the row of one backend; if its machine does not take the dtype, that is said in it."""
    try:
        yield from _rows(_check(kernel, trial, name), trial)
    except TileError as error:
        row: Row = dict.fromkeys(COLUMNS)
        refused = f"refused: {error.diagnostics[0].code}"
        yield {**row, "backend": name, "size": trial.size, "dtype": trial.dtype, "verdict": refused}


def _check(kernel: Kernel, trial: Trial, name: str) -> Report:
    """Return the second of two checks, which finds the kernel compiled and times a call alone."""
    M, N, K = trial.dims
    kernel.check(dtype=trial.dtype, M=M, N=N, K=K, backends=[name])
    return kernel.check(dtype=trial.dtype, M=M, N=N, K=K, backends=[name])


def _rows(report: Report, trial: Trial) -> Iterator[Row]:
    for row in report.rows:
        flops = 2 * prod(trial.dims)
        gflops = None if row.seconds is None else flops / row.seconds / 1e9
        yield {**row_of(row), "size": trial.size, "dtype": trial.dtype, "gflops": gflops}


def _say_who_is_absent() -> None:
    for name in backend_names():
        try:
            reason = find_backend(name).runs_here
        except TileError as error:
            reason = error.diagnostics[0].message
        if reason:
            print(f"\nnot here: {name} ({reason})")
