"""Kernels of the library on the llvm backend, against what a user could pick here.

    python -m bench.cpu_kernels [convolution ...] [--quick] [--write]

One thread; everyone in one process, taking turns; medians, with the tiles that a user gets without
asking. Ours read float16 (or what the case says) and add up in float32. `--write` puts the tables
into bench/RESULTS.md under a heading of their own. Peers come with torch, which is optional.
"""

import platform
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping

import llvmlite
import numpy as np

from bench.cpu_kernels import convolution, norms, products, recurrence
from bench.cpu_kernels.row import HEAD, Row
from bench.cpu_kernels.turns import find_torch
from bench.results import write_section

FAMILIES: Mapping[str, Callable[[bool], Iterator[Row]]] = {
    "convolution": convolution.rows,
    "norms": norms.rows,
    "recurrence": recurrence.rows,
    "products": products.rows,
}
"""What yields the rows of each family; its argument says whether fewer cases and rounds do."""
HEADING = "Kernels on this CPU"


def main() -> None:
    """Measure, print every table as it grows, and write them if asked to."""
    parser = ArgumentParser(prog="python -m bench.cpu_kernels", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="family", help=", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    unknown = [name for name in options.families if name not in FAMILIES]
    if unknown:
        parser.error(f"there is no family {unknown[0]!r}; wanted one of {', '.join(FAMILIES)}")
    lines = _introduction(options.quick)
    for name in options.families or FAMILIES:
        print(f"\n## {name}\n", *HEAD, sep="\n", flush=True)
        lines += ["", f"## {name}", "", *HEAD]
        for row in FAMILIES[name](options.quick):
            print(row.line(), flush=True)
            lines.append(row.line())
    if options.write:
        write_section(HEADING, lines)


def _introduction(is_quick: bool) -> list[str]:
    torch = find_torch()
    peers = f"torch {torch.__version__}" if torch else "no torch, so no peers"
    return [
        f"`python -m bench.cpu_kernels{' --quick' if is_quick else ''} --write`: one thread,",
        "medians in microseconds of runs that take turns; the ratio is the peer's time over ours.",
        "",
        f"{platform.machine()}; Python {platform.python_version()}, numpy {np.__version__},",
        f"llvmlite {llvmlite.__version__}, {peers}.",
    ]


if __name__ == "__main__":
    main()
