"""How many node tests of the `onnx` package apply to shipped kernels, and how many of these pass.

    python -m bench.onnx_vectors [--write]

`tests/kernels/onnx_vectors.py` says what is done around a kernel. `--write` puts the table into
bench/RESULTS.md under a heading of its own.
"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from bench.results import publish
from tests.kernels.onnx_vectors import RUNNERS, OutOfScope, Vector, check, collect_vectors, run

HEADING = "Node tests of ONNX"


def main() -> None:
    """Run every vector, print the counts, and write them if asked to."""
    parser = ArgumentParser(prog="python -m bench.onnx_vectors", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    vectors = collect_vectors()
    if not vectors:
        parser.error("onnx is not installed: pip install 'tilelang-tik[dev]'")
    publish(HEADING, lines_of(vectors), write=options.write)


def lines_of(vectors: Iterable[Vector]) -> Iterator[str]:
    """Yield the table of what becomes of `vectors`, by operator, and those that do not apply."""
    counts = {operator: Counter[str]() for operator in sorted(RUNNERS)}
    reasons: list[str] = []
    for vector in vectors:
        outcome = _outcome(vector)
        counts[vector.operator][outcome if outcome in ("pass", "fail") else "out"] += 1
        if outcome != "pass":
            reasons.append(f"* {vector.name}: {outcome}")
    total = sum(counts.values(), Counter[str]())
    n_apply = total["pass"] + total["fail"]
    yield "`python -m bench.onnx_vectors --write`: the numpy backend on the node tests of"
    yield f"onnx {version('onnx')}, within their tolerances. {n_apply} apply, {total['pass']} pass."
    yield ""
    yield "| operator | apply | pass |"
    yield "|---|---|---|"
    for operator, found in counts.items():
        yield f"| {operator} | {found['pass'] + found['fail']} | {found['pass']} |"
    yield ""
    yield "Not passed, or out of scope:" if reasons else "None is out of scope."
    yield from reasons


def _outcome(vector: Vector) -> str:
    """Return "pass", "fail", or why `vector` does not apply."""
    try:
        check(vector, run(vector))
    except OutOfScope as reason:
        return f"out of scope, {reason}"
    except AssertionError:
        return "fail"
    return "pass"


if __name__ == "__main__":
    main()
