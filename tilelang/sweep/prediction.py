"""Predicted against measured: cycles and times of the same tiles, where one log has both."""

from collections.abc import Mapping, Sequence
from typing import Any

from tilelang.sweep.columns import as_json, columns_of
from tilelang.sweep.log import Log
from tilelang.sweep.plan import Metric
from tilelang.sweep.problem import Problem
from tilelang.sweep.ranks import Correlation, spearman

_OTHER = {Metric.TIME: Metric.CYCLES, Metric.CYCLES: Metric.TIME}


def find_correlation(
    log: Log, problem: Problem, metric: Metric, values: Sequence[tuple[Mapping[str, int], float]]
) -> Correlation | None:
    """Return how `values` agree with the latest sweep of the same problem by the other metric.

    `values` are all tile parameters with what they came to.
    """
    columns = columns_of(problem.kernel, problem.dims, problem.dtypes)
    attributes = as_json(problem.attributes)
    wanted = {**columns, "attributes": attributes, "metric": _OTHER[metric].value}
    rows = [row for row in log.ranked(wanted) if "/" not in row["judge"]]  # not of shrunk sizes
    if not rows:
        return None
    backend, machine = rows[0]["backend"], rows[0]["machine"]
    others = _by_tiles(
        [row for row in rows if (row["backend"], row["machine"]) == (backend, machine)]
    )
    pairs = [(value, others[key]) for tiles, value in values if (key := as_json(tiles)) in others]
    coefficient = spearman([here for here, _ in pairs], [there for _, there in pairs])
    if coefficient is None:
        return None
    here, there = f"{problem.backend.name} on {problem.machine.name}", f"{backend} on {machine}"
    names = (there, here) if metric is Metric.TIME else (here, there)
    return Correlation(*names, len(pairs), coefficient)


def _by_tiles(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the latest value of each combination of tiles; `rows` begin with the latest."""
    return {as_json(row["tiles"]): row["value"] for row in reversed(rows)}
