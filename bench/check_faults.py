"""Writes the tables of promises and of seeded faults into `bench/check_faults.md`.

    python bench/check_faults.py

Takes about half a minute on one core.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the faults are part of the tests

from tests.check.faults import victims  # noqa: E402
from tests.check.margins import Margin, margins  # noqa: E402
from tilelang.backend import find_backend  # noqa: E402
from tilelang.backends.triton.promises import IN_THE_INTERPRETER, ON_A_GPU  # noqa: E402
from tilelang.check.families import FAMILY_NAMES  # noqa: E402
from tilelang.check.procedure import numerics_of  # noqa: E402
from tilelang.ir.expression import UnaryOp  # noqa: E402
from tilelang.numerics import ONE_ULP, Numerics  # noqa: E402

DOCUMENT = ROOT / "bench" / "check_faults.md"
DEPTHS = (108, 512, 4096)
PROMISES: Mapping[str, Numerics] = {
    "numpy": numerics_of(find_backend("numpy")),
    "llvm": numerics_of(find_backend("llvm")),
    "tik, in the emulator": numerics_of(find_backend("tik")),
    "triton, in the interpreter": IN_THE_INTERPRETER,
    "triton, on a GPU": ON_A_GPU,
}


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| kernel | K | fault | {' | '.join(FAMILY_NAMES)} |"
    yield f"|---|---:|---|{'---:|' * len(FAMILY_NAMES)}"
    for depth in DEPTHS:
        for victim in victims(depth):
            yield from map(_row, margins(victim))


def promises() -> Iterator[str]:
    """Yield the lines of the table of what backends declare."""
    functions = " | ".join(op.value for op in ONE_ULP)
    yield f"| backend | {functions} | division | what else differs from IEEE 754 |"
    yield f"|---|{'---:|' * (len(ONE_ULP) + 1)}---|"
    for name, numerics in PROMISES.items():
        ulps = " | ".join(_ulps(numerics, op) for op in ONE_ULP)
        others = "; ".join(_others(numerics)) or "nothing"
        yield f"| {name} | {ulps} | {numerics.division_ulps:g} | {others} |"


def _ulps(numerics: Numerics, op: UnaryOp) -> str:
    growth = numerics.ulps_per_unit.get(op)
    return f"{numerics.ulps[op]:g}" + (f" + {growth:g} abs(x)" if growth else "")


def _others(numerics: Numerics) -> Iterator[str]:
    if numerics.truncates_sums:
        yield "sums truncate"
    if numerics.uses_tf32:
        yield "float32 products take 11 bits"
    if numerics.fuses:
        yield "a product may go into its sum unrounded"
    for what, names in (
        ("stays in float32 within an expression: ", numerics.keeps_wide),
        ("subnormal numbers may be zero: ", numerics.flushes),
        ("subnormal operands of the cube may be zero: ", numerics.flushes_products),
        ("subnormal arguments may be zero: ", numerics.flushes_arguments),
        ("overflow may give the largest number: ", numerics.saturates),
    ):
        if names:
            yield what + ", ".join(sorted(name.value for name in names))


def _row(margin: Margin) -> str:
    shares = [_share(margin.shares[name]) for name in FAMILY_NAMES]
    victim = margin.victim
    return f"| {victim.kernel} | {victim.depth} | {margin.fault} | {' | '.join(shares)} |"


def _share(share: float) -> str:
    return f"**{share:.2g}**" if share > 1 else f"{share:.2g}"


def replace(text: str, name: str, lines: Iterator[str]) -> str:
    """Return `text` with `lines` between the marks called `name`."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = text.split(start)
    _, after = rest.split(end)
    body = "\n".join(lines)
    return f"{before}{start}{body}\n{end}{after}"


def main() -> None:
    """Replace what stands between the marks."""
    text = DOCUMENT.read_text(encoding="utf-8")
    text = replace(text, "promises", promises())
    DOCUMENT.write_text(replace(text, "faults", table()), encoding="utf-8")


if __name__ == "__main__":
    main()
