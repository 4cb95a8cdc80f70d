"""Counts how often a correct backend leaves the bound of a check; it should be never.

    python bench/check_validity.py [--programs 1000] [--seed 0] [--only numpy,llvm] [--write]

Random programs run on every backend and on simulated devices (`tests/check/validity.py`). `--write`
puts the table into `bench/check_faults.md`. The exit status is 1 if a bound was left. 1,000
programs take about 20 minutes on one core.
"""

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the programs and the devices are part of the tests

from tests.check.validity import COMPUTERS, Sample, Tally, contents, draw_samples  # noqa: E402

DOCUMENT = ROOT / "bench" / "check_faults.md"
BATCH = 250
HEAD = (
    "",
    "| who | programs | refused | results | exact | unbounded | largest share | left |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
)
START, END = "<!-- validity -->\n", "<!-- end of validity -->\n"


def table(n_programs: int, seed: int, names: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines of the document, and what left its bound."""
    lines, wrong = [_sentence(draw_all(n_programs, seed, is_wide=True), seed), *HEAD], list[str]()
    for name in names:
        started, computer = time.perf_counter(), COMPUTERS[name]
        found = Tally()
        for samples in draw_all(n_programs, seed, is_wide=computer.is_wide):
            found.take(computer, samples)
        lines.append(_row(name, found))
        seconds = time.perf_counter() - started
        print(f"{lines[-1]}  {seconds:.0f} s", file=sys.stderr, flush=True)
        wrong += [f"{name}:\n{one}" for one in found.wrong]
    return lines, wrong


def draw_all(n_programs: int, seed: int, *, is_wide: bool) -> Iterator[list[Sample]]:
    """Yield batches of samples, each drawn from a seed of its own, counted from `seed`."""
    for number, start in enumerate(range(0, n_programs, BATCH)):
        size = min(BATCH, n_programs - start)
        yield draw_samples(size, seed + number, is_wide=is_wide)


def _sentence(batches: Iterator[list[Sample]], seed: int) -> str:
    counts, total = Counter[str](), 0
    for samples in batches:
        counts.update(contents(samples))
        total += len(samples)
    parts = ", ".join(f"{count:,} with {name}" for name, count in counts.items())
    return f"{total:,} random programs (seed {seed}): {parts}."


def _row(name: str, found: Tally) -> str:
    ran = found.n_programs - found.n_refused
    return (
        f"| {name} | {ran:,} | {found.n_refused:,} | {found.n_elements:,} | {found.n_exact:,} "
        f"| {found.n_unbounded:,} | {found.share:.2g} | {len(found.wrong)} |"
    )


def write(lines: list[str]) -> None:
    """Replace what stands between the marks of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    body = "\n".join(lines)
    DOCUMENT.write_text(f"{before}{START}{body}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Run what the command line says."""
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(COMPUTERS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines, wrong = table(given.programs, given.seed, given.only.split(","))
    print("\n".join(lines))
    if given.write:
        write(lines)
    print("\n\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
