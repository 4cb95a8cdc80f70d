"""What each tile parameter does to the result: a regression of its logarithm on theirs.

The evaluation paper does this with the sizes of layers (its figure 8, there linear); with
logarithms a coefficient is an exponent, so "doubling n_tile multiplies the time by 0.7".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilelang.sweep.trial import Trial


@dataclass(frozen=True, slots=True)
class Effect:
    """The result goes with `parameter ** exponent`, the other parameters held."""

    parameter: str
    exponent: float

    @property
    def per_doubling(self) -> float:
        """What doubling the parameter multiplies the result by."""
        return 2.0**self.exponent


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of all parameters, and the share of the variation that they explain (R^2)."""

    each: tuple[Effect, ...]
    explained: float


def find_effects(trials: Sequence[Trial]) -> Effects | None:
    """Return the effects over the trials with a value; None if they are too few to tell.

    Parameters that take one value alone have no effect to be found.
    """
    with_value = [(trial.tiles, trial.value) for trial in trials if trial.value]
    names = list(with_value[0][0]) if with_value else []
    names = [name for name in names if len({tiles[name] for tiles, _ in with_value}) > 1]
    if not names or len(with_value) < len(names) + 2:
        return None
    rows = [[1.0, *(np.log(tiles[name]) for name in names)] for tiles, _ in with_value]
    matrix = np.array(rows)
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return None  # the legal tiles do not tell the parameters apart
    logs = np.log([value for _, value in with_value])
    weights: NDArray[np.float64] = np.linalg.lstsq(matrix, logs, rcond=None)[0]
    total = float(((logs - logs.mean()) ** 2).sum())
    rest = float(((logs - matrix @ weights) ** 2).sum())
    each = [Effect(name, float(w)) for name, w in zip(names, weights[1:], strict=True)]
    return Effects(tuple(each), 1 - rest / total if total else 1.0)
