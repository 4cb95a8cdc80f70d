"""Kernels of the library on the llvm backend, against what a user could pick here.

    python -m bench.cpu_kernels [convolution ...] [--quick] [--write]

One thread; everyone in one process, taking turns; medians, with the tiles that a user gets without
asking. Ours read float16 (or what the case says) and add up in float32. `--write` puts each
family's table into bench/RESULTS.md under a heading of its own. Peers come with torch, which is
optional.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping

from bench.cpu_kernels import convolution, norms, products, recurrence
from bench.cpu_kernels.row import HEAD, Row
from bench.results import conditions, publish

FAMILIES: Mapping[str, Callable[[bool], Iterator[Row]]] = {
    "convolution": convolution.rows,
    "norms": norms.rows,
    "recurrence": recurrence.rows,
    "products": products.rows,
}
"""What yields the rows of each family; its argument says whether fewer cases and rounds do."""
HEADING = "Kernels on this CPU"


def main() -> None:
    """Measure, print every table as it grows, and write each if asked to."""
    parser = ArgumentParser(prog="python -m bench.cpu_kernels", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="family", help=", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    unknown = [name for name in options.families if name not in FAMILIES]
    if unknown:
        parser.error(f"there is no family {unknown[0]!r}; wanted one of {', '.join(FAMILIES)}")
    for name in options.families or FAMILIES:
        publish(f"{HEADING}: {name}", _table(name, quick=options.quick), write=options.write)


def _table(name: str, *, quick: bool) -> Iterator[str]:
    """Yield the lines of a section: how the family was measured, and its rows."""
    yield from conditions(f"python -m bench.cpu_kernels {name}{' --quick' * quick} --write")
    yield "One thread, if a row does not say two; medians in microseconds of runs that take turns."
    yield "The ratio is the peer's time over ours."
    yield from ("", *HEAD)
    for row in FAMILIES[name](quick):
        yield row.line()


if __name__ == "__main__":
    main()
