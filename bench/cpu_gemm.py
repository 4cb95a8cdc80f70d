"""Matrix products of the llvm backend against what a user could pick here.

    python -m bench.cpu_gemm [--quick] [--threads 1|2] [--dtype float32 ...] [--write]

One thread: everyone in one process, taking turns. Two threads: a process for each library, taking
turns, since their spinning workers disturb each other. Printed are medians in 1e9 operations a
second, and ratios of medians. `--write` puts each table in a section of bench/RESULTS.md. Peers
that are not installed are left out, and said to be.
"""

import json
import platform
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import llvmlite
import numpy as np

from bench.cpu_peak import Peak
from bench.cpu_peers import Case, find_peers
from bench.results import RESULTS, write_section
from tilelang.dtypes import DType

DTYPES = ("float32", "float16", "bfloat16", "int8")
SIZES = (
    (16, 1024, 256),
    (256, 256, 256),
    (512, 512, 512),
    (1000, 1003, 997),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
    (4096, 4096, 4096),
)
QUICK = SIZES[:5]
KINDS = ("ours", "openblas", "torch")
_SAMPLE_SECONDS = 0.004
"""A sample repeats its product for so long at least."""

Times = dict[str, float]
"""Seconds a product, by who computed it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case measured: the peak of the multiplier, and everyone's median."""

    case: Case
    n_threads: int
    peak: float
    times: Times
    note: str = ""

    def rate(self, name: str) -> float:
        """Return 1e9 operations a second."""
        return self.case.n_operations / self.times[name] / 1e9

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others."""
        peers = [name for name in self.times if name != "ours"]
        return min(peers, key=self.times.__getitem__, default=None)

    def ratio(self) -> float | None:
        """Return our speed as a share of the best peer's."""
        best = self.best_peer
        return None if best is None else self.times[best] / self.times["ours"]


def main() -> None:
    """Measure, print the table, and write it if asked to."""
    options = _options()
    if options.worker:
        _work(options.worker, options.threads or 2)
        return
    rows = list(_rows(options))
    if options.write:
        for n_threads in sorted({row.n_threads for row in rows}):
            lines = _results(options, [row for row in rows if row.n_threads == n_threads])
            write_section(f"Matrix products, {_threads(n_threads)}", [*lines])


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.cpu_gemm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="one table only")
    parser.add_argument("--dtype", nargs="*", choices=DTYPES, default=DTYPES)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--worker", choices=KINDS, help="a process of the two-thread table")
    return parser.parse_args()


def _rows(options: Namespace) -> Iterator[Row]:
    n_rounds = 9 if options.quick else 21
    sizes = QUICK if options.quick else SIZES
    cases = [Case(*size, dtype) for dtype in options.dtype for size in sizes]
    for n_threads in (options.threads,) if options.threads else (1, 2):
        measure = _alone if n_threads == 1 else _in_processes
        print(f"\n## {_threads(n_threads)}\n", flush=True)
        print(*_HEAD, sep="\n", flush=True)
        for case in cases:
            if n_threads > 1 and case.m < 512:
                continue
            row = measure(case, n_rounds)
            print(_line(row), flush=True)
            yield row


def _alone(case: Case, n_rounds: int) -> Row:
    """Measure everyone in this process, taking turns."""
    peers, peak = find_peers(case, 1), Peak(_multiplied(case))
    count = _repetitions(case)
    samples: dict[str, list[float]] = {name: [] for name in peers}
    peaks: list[float] = []
    for run in peers.values():
        run()
    for _ in range(n_rounds):
        peaks.append(peak.measure())
        for name, run in peers.items():
            samples[name].append(_timed(run, count))
    times = {name: statistics.median(taken) for name, taken in samples.items()}
    return Row(case, 1, statistics.median(peaks), times)


def _timed(run: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def _repetitions(case: Case) -> int:
    return max(1, int(_SAMPLE_SECONDS * 200e9 / case.n_operations))


def _multiplied(case: Case) -> DType:
    """Return the dtype whose multiplier the case uses."""
    return DType.FLOAT32 if case.dtype == "float16" else DType(case.dtype)


def _in_processes(case: Case, n_rounds: int) -> Row:
    """Measure each kind in a process of its own, taking turns; and ourselves on one thread."""
    workers = {kind: _start(kind, 2) for kind in KINDS} | {"ours alone": _start("ours", 1)}
    samples: dict[str, list[float]] = {}
    for _ in range(n_rounds):
        for kind, worker in workers.items():
            for name, seconds in _ask(worker, case).items():
                key = "ours alone" if kind == "ours alone" else name
                samples.setdefault(key, []).append(seconds)
    for worker in workers.values():
        worker.terminate()
        worker.wait()
    times = {name: statistics.median(taken) for name, taken in samples.items()}
    alone = times.pop("ours alone")
    note = f"{alone / times['ours']:.2f} of one thread"
    return Row(case, 2, 2 * Peak(_multiplied(case)).measure(), times, note)


def _start(kind: str, n_threads: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.cpu_gemm", "--worker", kind]
    command += ["--threads", str(n_threads)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(worker: "subprocess.Popen[str]", case: Case) -> Times:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(json.dumps(asdict(case)) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def _work(kind: str, n_threads: int) -> None:
    """Answer each case on standard input with times on standard output."""
    known: dict[Case, Mapping[str, Callable[[], object]]] = {}
    for line in sys.stdin:
        case = Case(**json.loads(line))
        if case not in known:
            known[case] = find_peers(case, n_threads, kind)
            for run in known[case].values():
                run()
        count = _repetitions(case)
        times = {name: _timed(run, count) for name, run in known[case].items()}
        print(json.dumps(times), flush=True)


_HEAD = (
    "| dtype | M x N x K | peak | ours | of peak | best peer | its rate | ours / best | |",
    "|---|---|---|---|---|---|---|---|---|",
)


def _line(row: Row) -> str:
    case, best, ratio = row.case, row.best_peer, row.ratio()
    sizes = f"{case.m}x{case.n}x{case.k}"
    own = row.rate("ours")
    peer = f"{best} | {row.rate(best):.0f} | {ratio:.2f}" if best else "none | |"
    cells = (case.dtype, sizes, f"{row.peak:.0f}", f"{own:.0f}", f"{own / row.peak:.0%}", peer)
    return f"| {' | '.join(cells)} | {row.note} |"


def _threads(n_threads: int) -> str:
    return f"{n_threads} thread{'s' * (n_threads > 1)}"


def _results(options: Namespace, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a section of RESULTS.md: how it was measured, the table, the means."""
    yield f"`python -m bench.cpu_gemm{' --quick' if options.quick else ''} --write`, medians in 1e9"
    yield "operations a second, with the tiles that a user gets without asking."
    yield ""
    torch = "with torch" if find_spec("torch") else "without torch, which is not installed"
    yield f"{platform.machine()}, {_processor()}; Python {platform.python_version()}, "
    yield f"llvmlite {llvmlite.__version__}, numpy {np.__version__}, {torch}."
    yield ""
    yield from _HEAD
    yield from map(_line, rows)
    yield ""
    yield from _means(rows)


def _means(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the geometric mean of the ratios, for each dtype."""
    ratios: dict[str, list[float]] = {}
    for row in rows:
        ratio = row.ratio()
        if ratio is not None:
            ratios.setdefault(row.case.dtype, []).append(ratio)
    for dtype, found in ratios.items():
        mean = statistics.geometric_mean(found)
        yield f"* {dtype}: geometric mean of ours / best peer {mean:.3f}"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    names = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.processor()


if __name__ == "__main__":
    main()
