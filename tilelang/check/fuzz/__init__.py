"""Fuzzing: awkward sizes, random tile parameters and special numbers until something breaks.

`trial.py` is one try of a kernel, `draws.py` says what is tried, `search.py` searches within what
`budget.py` allows, and `report.py` prints the smallest failure as a test. Needs hypothesis:
`tilelang-tik[fuzz]`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tilelang.check.fuzz.budget import Budget, read_budget
from tilelang.check.fuzz.report import Failure, FuzzReport
from tilelang.check.fuzz.trial import Refused, Scope, Try, replay, size_names
from tilelang.check.procedure import runnable
from tilelang.check.reference import require_reference
from tilelang.diagnostics import Diagnostic, Location, TileError, callsite
from tilelang.dtypes import DTypeLike
from tilelang.parameters import read_dtypes

if TYPE_CHECKING:
    from tilelang.kernel import Kernel

__all__ = [
    "Budget",
    "Failure",
    "FuzzReport",
    "Refused",
    "Scope",
    "Try",
    "fuzz",
    "read_budget",
    "read_scope",
    "replay",
]

EVERYTHING = Scope({}, None, {})
"""Nothing is fixed."""


def fuzz(
    kernel: Kernel,
    *,
    backends: Sequence[str] | None = None,
    budget: str | float = "60s",
    seed: int = 0,
    scope: Scope = EVERYTHING,
    progress: Callable[[str], None] | None = None,
) -> FuzzReport:
    """Try `kernel` on what breaks kernels, for `budget`, and return the smallest failure.

    Args:
        kernel: what to try; it needs a reference.
        backends: who runs it, all that run here by default.
        budget: seconds, or "90s", "5m"; or "200 runs", however long they take.
        seed: the same seed draws the same tries.
        scope: what is not drawn.
        progress: called with a line now and then; by default it is shown on a terminal.

    Raises:
        TileError: E0604 without hypothesis, E0701 without a reference, E0703 for a budget that
            cannot be read.
    """
    limit = read_budget(budget)
    require_reference(kernel)
    try:
        from tilelang.check.fuzz.search import search
    except ModuleNotFoundError as missing:
        if missing.name != "hypothesis":
            raise
        raise TileError(_no_hypothesis()) from missing
    names = backends if backends is not None else runnable()
    report = progress or _show
    return search(kernel, names, scope, budget=limit, seed=seed, progress=report)


def read_scope(
    kernel: Kernel,
    dtype: DTypeLike | Mapping[str, DTypeLike] | None,
    machine: str | None,
    keywords: Mapping[str, float],
) -> Scope:
    """Return a scope as the keywords of `check` say it.

    Raises:
        TileError: for a dtype that there is not, or a keyword that the kernel does not have.
    """
    location = callsite.location(None)
    known = read_dtypes(kernel.signature, dtype, location)
    names = [*size_names(kernel), *kernel.attributes, *kernel.tile_parameters]
    faults = [_unknown(kernel, name, names, location) for name in keywords if name not in names]
    if faults:
        raise TileError(*faults)
    return Scope({name: one.value for name, one in known.items()}, machine, dict(keywords))


def _unknown(kernel: Kernel, name: str, known: Sequence[str], location: Location) -> Diagnostic:
    close = get_close_matches(name, known, n=1)
    return Diagnostic(
        "E0808",
        f"`{kernel.name}` has no tile parameter, attribute or size called `{name}`",
        location,
        f"did you mean `{close[0]}`?" if close else f"it has {', '.join(known)}",
    )


def _no_hypothesis() -> Diagnostic:
    return Diagnostic(
        "E0604",
        "fuzzing needs 'hypothesis', which is not installed",
        callsite.location(None),
        "run: pip install 'tilelang-tik[fuzz]'",
    )


def _show(line: str) -> None:
    """Show a line of progress in place of the one before, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
