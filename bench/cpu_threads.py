"""Matrix products on two threads, in many fresh processes.

Two threads are twice as fast as one where nothing else runs, and a computer is seldom quiet. So
each process measures besides, taking turns with our product, a loop that never leaves the
registers, on one thread and on two: what it gains is what the computer gave. And it counts what
other programs used of its processors meanwhile. Every library has processes of its own, which take
turns: their spinning workers disturb each other.

    python -m bench.cpu_threads KIND      reads cases and writes times, a line of JSON each
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.cpu_peak import Peak
from bench.cpu_peers import Case, Run, find_peers, ours
from tilelang.dtypes import DType

N_THREADS = 2
PEERS = ("openblas", "torch")
_SAMPLE_SECONDS, _CASE_SECONDS = 0.005, 0.5
"""What a sample takes at least, and a case in one process at most, of each who takes part."""
_MOST_SAMPLES, _LEAST_SAMPLES = 15, 3
_OWN = ("ours", "ours alone", "loop", "loop alone")
_HOPELESS = 1.5
"""Peers whose first product takes so many times the best's are left out."""

_CALM = 0.05
"""A process is calm while others use no more of a processor than this."""

HEAD = (
    "| M x N x K | ours | of one thread | the loop | calm | busy | best peer | its rate "
    "| ours / best |",
    "|---|---|---|---|---|---|---|---|---|",
)
LEGEND = (
    "Each cell is the median over fresh processes, and in brackets the least and the most. `of one",
    "thread` is our speed on two threads as a multiple of ours on one, `the loop` the same of the",
    "register-only loop, in turns with ours: what the computer gave. Cells are of the processes",
    f"that were calm, where others used {_CALM:.0%} of a processor at most (of all, if none was);",
    "`busy` is `of one thread` in the rest of ours.",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process found: median seconds by name, and the others' share of a processor."""

    times: dict[str, float]
    others: float

    @property
    def is_calm(self) -> bool:
        """Whether others left the processors to it."""
        return self.others <= _CALM


@dataclass(frozen=True, slots=True)
class Row:
    """One case, measured in many processes."""

    case: Case
    ours: Sequence[Sample]
    peers: Sequence[Sample]

    def line(self) -> str:
        """Return the row as a line of the table that `HEAD` begins."""
        case, best, own = self.case, self.best_peer, calm(self.ours)
        n_calm = sum(one.is_calm for one in self.ours)
        busy = [one.times["ours alone"] / one.times["ours"] for one in self.ours if not one.is_calm]
        cells = [
            f"{case.m}x{case.n}x{case.k}",
            spread(self._rates(own, "ours"), 0),
            spread([one.times["ours alone"] / one.times["ours"] for one in own], 2),
            spread([one.times["loop alone"] / one.times["loop"] for one in own], 2),
            f"{n_calm} of {len(self.ours)}",
            spread(busy, 2) if busy else "",
        ]
        if best is None:
            cells += ["none", "", ""]
        else:
            cells += [best, spread(self._rates(calm(self.peers, best), best), 0)]
            cells.append(f"{self.ratio():.2f}")
        return f"| {' | '.join(cells)} |"

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others, by its median."""
        names = {name for one in self.peers for name in one.times}
        return min(names, key=lambda name: self._median(self.peers, name), default=None)

    def ratio(self) -> float | None:
        """Return our speed as a share of the best peer's."""
        best = self.best_peer
        if best is None:
            return None
        return self._median(self.peers, best) / self._median(self.ours, "ours")

    def _median(self, samples: Sequence[Sample], name: str) -> float:
        return statistics.median(one.times[name] for one in calm(samples, name))

    def _rates(self, samples: Sequence[Sample], name: str) -> list[float]:
        """Return 1e9 operations a second, by process."""
        return [self.case.n_operations / one.times[name] / 1e9 for one in samples]


def calm(samples: Sequence[Sample], name: str = "ours") -> Sequence[Sample]:
    """Return the samples that have `name` and were calm; where there are none, all that have it."""
    found = [one for one in samples if name in one.times]
    return [one for one in found if one.is_calm] or found


def spread(values: Sequence[float], digits: int) -> str:
    """Return the median, and the least and the most in brackets."""
    middle, least, most = (f"{f(values):.{digits}f}" for f in (statistics.median, min, max))
    return f"{middle} ({least}-{most})"


def rows(cases: Sequence[Case], n_processes: int) -> Iterator[Row]:
    """Measure every case in so many processes of ours, and half as many of each peer."""
    ours_found: list[list[Sample]] = []
    peers_found: list[list[Sample]] = []
    for number in range(n_processes):
        ours_found.append(_in_process("ours", cases))
        if number % 2 == 0:
            peers_found += [_in_process(kind, cases) for kind in PEERS]
    for place, case in enumerate(cases):
        yield Row(case, [one[place] for one in ours_found], [one[place] for one in peers_found])


def _in_process(kind: str, cases: Sequence[Case]) -> list[Sample]:
    """Return what a fresh process of a kind finds, case by case."""
    asked = "".join(json.dumps(asdict(case)) + "\n" for case in cases)
    command = [sys.executable, "-m", "bench.cpu_threads", kind]
    answer = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    return [Sample(**json.loads(line)) for line in answer.stdout.splitlines()]


def _work(kind: str) -> None:
    """Answer each case on standard input with a sample on standard output."""
    for line in sys.stdin:
        case = Case(**json.loads(line))
        runs = _our_runs(case) if kind == "ours" else find_peers(case, N_THREADS, kind)
        print(json.dumps(asdict(_measured(runs))), flush=True)


def _our_runs(case: Case) -> dict[str, Run]:
    dtype = DType(case.dtype)
    runs = ours(case, N_THREADS), ours(case, 1), Peak(dtype, N_THREADS).run, Peak(dtype).run
    return dict(zip(_OWN, runs, strict=True))


def _measured(runs: dict[str, Run]) -> Sample:
    for run in runs.values():
        run()
    firsts = {name: _timed(run, 1) for name, run in runs.items()}
    slowest = _HOPELESS * min(firsts.values(), default=0.0)
    runs = {name: run for name, run in runs.items() if name in _OWN or firsts[name] < slowest}
    counts = {name: max(1, int(_SAMPLE_SECONDS / max(firsts[name], 1e-7))) for name in runs}
    longest = max([firsts[name] for name in runs], default=1.0)
    n_samples = min(max(int(_CASE_SECONDS / longest), _LEAST_SAMPLES), _MOST_SAMPLES)
    samples: dict[str, list[float]] = {name: [] for name in runs}
    others = _others()
    for _ in range(n_samples):
        for name, run in runs.items():
            samples[name].append(_timed(run, counts[name]))
    return Sample({name: statistics.median(taken) for name, taken in samples.items()}, others())


def _timed(run: Run, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def _others() -> Callable[[], float]:
    """Begin to count; the function returned says what part of a processor others used since."""
    start, foreign = time.perf_counter(), _foreign_seconds()

    def share() -> float:
        return max((_foreign_seconds() - foreign) / (time.perf_counter() - start), 0.0)

    return share


def _foreign_seconds() -> float:
    """Return processor seconds of everyone but this process (Linux; 0 elsewhere)."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, *_ = map(int, stat.read_text().split()[1:9])
    own = os.times()
    busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return busy - own.user - own.system


if __name__ == "__main__":
    _work(sys.argv[1])
