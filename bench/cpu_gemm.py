"""Matrix products of the llvm backend against what a user could pick here.

    python -m bench.cpu_gemm [--quick] [--threads 1|2] [--dtype float32 ...] [--write]

One thread: everyone in one process, taking turns, by the processor's time. Two threads: fresh
processes for each library, taking turns, by the clock (`cpu_threads.py`). Printed are medians in
1e9 operations a second, and ratios of medians. `--write` puts each table in a section of
bench/RESULTS.md. Peers that are not installed are left out.
"""

import statistics
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import cpu_threads
from bench.cpu_kernels.turns import medians
from bench.cpu_peak import Peak
from bench.cpu_peers import Case, find_peers
from bench.results import RESULTS, conditions, publish
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
N_QUICK = 5
"""Sizes of `--quick`, the first of them."""
_LEAST_SHARED = 512
"""The least M from which two threads are measured."""
_MOST_ROUNDS, _LEAST_ROUNDS, _CASE_OPERATIONS = 21, 5, 1e12
"""Rounds of a case: as many as make so many operations of each who takes part."""

_HEAD = (
    "| M x N x K | peak | ours | of peak | best peer | its rate | ours / best |",
    "|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One case on one thread: the peak of the multiplier, and everyone's median."""

    case: Case
    peak: float
    """1e9 operations a second."""
    times: dict[str, float]
    """Seconds a product, by who computed it."""

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

    def line(self) -> str:
        """Return the row as a line of the table."""
        case, best, ratio, own = self.case, self.best_peer, self.ratio(), self.rate("ours")
        peer = f"{best} | {self.rate(best):.0f} | {ratio:.2f}" if best else "none | |"
        sizes = f"{case.m}x{case.n}x{case.k}"
        return f"| {sizes} | {self.peak:.0f} | {own:.0f} | {own / self.peak:.0%} | {peer} |"


def main() -> None:
    """Measure, print the tables, and write them if asked to."""
    options = _options()
    for n_threads in (options.threads,) if options.threads else (1, 2):
        for dtype in options.dtype:
            heading = f"Matrix products of {dtype}, {n_threads} thread{'s' * (n_threads > 1)}"
            publish(heading, _table(options, dtype, n_threads), write=options.write)


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.cpu_gemm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes, rounds and processes")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="one table only")
    parser.add_argument("--dtype", nargs="*", choices=DTYPES, default=DTYPES)
    parser.add_argument("--processes", type=int, default=10, help="of ours, on two threads")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    return parser.parse_args()


def _table(options: Namespace, dtype: str, n_threads: int) -> Iterator[str]:
    """Yield the lines of a section: how it was measured, the table, the mean of its ratios."""
    quick = " --quick" * options.quick
    yield from conditions(f"python -m bench.cpu_gemm{quick} --threads {n_threads} --write")
    yield "Medians in 1e9 operations a second, with the tiles that a user gets without asking."
    cases = [Case(*size, dtype) for size in SIZES[: N_QUICK if options.quick else None]]
    if n_threads == 1:
        yield from ("", *_HEAD)
        rows = (_measured(case, quick=options.quick) for case in cases)
    else:
        yield from (*cpu_threads.LEGEND, "", *cpu_threads.HEAD)
        shared = [case for case in cases if case.m >= _LEAST_SHARED]
        rows = cpu_threads.rows(shared, 4 if options.quick else options.processes)
    ratios: list[float | None] = []
    for row in rows:
        ratios.append(row.ratio())
        yield row.line()
    yield from _mean(ratios)


def _measured(case: Case, *, quick: bool) -> Row:
    """Measure everyone in this process, taking turns."""
    peak = Peak(DType(case.dtype))
    most = int(_CASE_OPERATIONS / case.n_operations)
    n_rounds = min(max(most, _LEAST_ROUNDS), 9 if quick else _MOST_ROUNDS)
    times = medians({"peak": peak.run, **find_peers(case, 1)}, n_rounds)
    return Row(case, peak.n_operations / times.pop("peak") / 1e9, times)


def _mean(ratios: Sequence[float | None]) -> Iterator[str]:
    found = [ratio for ratio in ratios if ratio is not None]
    if found:
        yield ""
        yield f"Geometric mean of ours / best: {statistics.geometric_mean(found):.3f}"


if __name__ == "__main__":
    main()
