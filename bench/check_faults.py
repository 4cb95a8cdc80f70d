"""Writes the table of seeded faults into `bench/check_faults.md`: `python bench/check_faults.py`.

Takes about half a minute on one core.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the faults are part of the tests

from tests.check.faults import victims  # noqa: E402
from tests.check.margins import Margin, margins  # noqa: E402
from tilelang.check.families import FAMILY_NAMES  # noqa: E402

DOCUMENT = ROOT / "bench" / "check_faults.md"
START, END = "<!-- faults -->\n", "<!-- end -->\n"
DEPTHS = (108, 512, 4096)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| kernel | K | fault | {' | '.join(FAMILY_NAMES)} |"
    yield f"|---|---:|---|{'---:|' * len(FAMILY_NAMES)}"
    for depth in DEPTHS:
        for victim in victims(depth):
            yield from map(_row, margins(victim))


def _row(margin: Margin) -> str:
    shares = [_share(margin.shares[name]) for name in FAMILY_NAMES]
    victim = margin.victim
    return f"| {victim.kernel} | {victim.depth} | {margin.fault} | {' | '.join(shares)} |"


def _share(share: float) -> str:
    return f"**{share:.2g}**" if share > 1 else f"{share:.2g}"


def main() -> None:
    """Replace what stands between the marks."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    lines = "\n".join(table())
    DOCUMENT.write_text(f"{before}{START}{lines}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
