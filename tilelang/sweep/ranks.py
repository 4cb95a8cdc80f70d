"""Rank correlation: whether a prediction puts tiles in the order in which they were measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's coefficient over `n_tiles`: 1 the same order, 0 none, -1 reversed.

    `predicted` and `measured` say where the two come from: `tik on ascend910`.
    """

    predicted: str
    measured: str
    n_tiles: int
    coefficient: float


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, ties sharing their mean rank.

    None of fewer than three pairs, or where one side is all ties.
    """
    if len(one) < LEAST_PAIRS:
        return None
    first, second = _ranks(one), _ranks(other)
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale else None


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]
