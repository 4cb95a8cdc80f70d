"""What kind of wrong a result is: where, in what order, by which mistake, and since when."""

from collections.abc import Iterator

import numpy as np

from tilelang.check.diagnosis.case import Case, Trial
from tilelang.check.diagnosis.divergence import first_divergence
from tilelang.check.diagnosis.orders import recognise
from tilelang.check.diagnosis.picture import Picture
from tilelang.check.diagnosis.shapes import describe
from tilelang.check.diagnosis.suspects import suspect

__all__ = ["Case", "Picture", "Trial", "explain"]


def explain(case: Case) -> tuple[tuple[str, ...], Picture]:
    """Return sentences on a wrong result, and its picture."""
    sentences = tuple(dict.fromkeys(_sentences(case)))
    title = f"{case.program.name}: {sentences[0]}"
    return sentences, Picture(title, case.comparison.share, case.tile)


def _sentences(case: Case) -> Iterator[str]:
    yield from describe(case)
    reordered = list(recognise(case))
    yield from reordered or suspect(case)
    if case.trial is not None:
        yield from _unsteady(case, case.trial)
        yield from first_divergence(case, case.trial)


def _unsteady(case: Case, trial: Trial) -> Iterator[str]:
    again = trial(case.family.inputs)[case.number].astype(case.comparison.found.dtype)
    if not np.array_equal(again, case.comparison.found, equal_nan=again.dtype.kind == "f"):
        yield "a second run on the same inputs gives other numbers: it differs from run to run"
