"""Medians, and how far samples spread about them."""

from collections.abc import Sequence
from statistics import median

NORMAL = 1.4826
"""Standard deviation of normal samples over their median absolute deviation."""


def noise_of(samples: Sequence[float]) -> float | None:
    """Return the spread of `samples` as a share of their median; None of fewer than three.

    The median absolute deviation, scaled to a standard deviation: one sample that something else
    disturbed does not count.
    """
    if len(samples) < 3:
        return None
    middle = median(samples)
    return NORMAL * median(abs(sample - middle) for sample in samples) / middle if middle else 0.0
