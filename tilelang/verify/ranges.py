"""Which values the loop variables can take where a statement stands.

Intervals answer most questions at once. What they cannot prove is decided by trying every value, as
long as there are not too many; that also gives the values at which a rule is broken.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any, TypeAlias

import numpy as np

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.verify.narrowing import Limits, narrowed

MAX_POINTS = 1 << 20
"""Combinations of values that are tried before a proof is given up (about 10 ms)."""

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Values of the variables at which an index breaks a rule, and its value there.

    Both are None where there were too many values to try: the rule may hold, unproved.
    """

    values: Mapping[str, int] | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """The variables in scope: `limits`, both ends included, and conditions known to hold."""

    limits: Limits
    facts: tuple[Condition, ...] = ()
    reachable: bool = True

    def with_loop(self, var: str, extent: Index) -> "Ranges":
        """Return what holds inside a loop of `var` = 0 .. `extent` - 1."""
        if not self.knows(extent):  # reported where the variable stands
            return replace(self, limits={**self.limits, var: (0, 0)})
        most = ix.bounds(extent, self.limits)[1]
        inside = replace(
            self,
            limits={**self.limits, var: (0, most - 1)},
            reachable=self.reachable and most > 0,
        )
        if extent.is_constant:
            return inside
        return inside.assuming(cond.less(ix.variable(var), extent))

    def assuming(self, condition: Condition) -> "Ranges":
        """Return what holds where `condition` does."""
        if not self.reachable or not all(map(self.knows, cond.indices(condition))):
            return self
        limits = narrowed(condition, self.limits)
        if limits is None:
            return replace(self, reachable=False)
        return replace(self, limits=limits, facts=(*self.facts, condition))

    def knows(self, index: Index) -> bool:
        """Return whether every variable of `index` is in scope."""
        return all(name in self.limits for name in ix.free_variables(index))

    def bounds(self, index: Index) -> tuple[int, int]:
        """Return an interval that encloses every value of `index`."""
        return ix.bounds(index, self.limits)

    def outside(self, index: Index, low: int, high: int) -> Counterexample | None:
        """Return values for which `index` is not in `low` .. `high`, or None if it always is."""
        least, most = self.bounds(index)
        if low <= least and most <= high:
            return None
        return self._search(index, lambda values: (values >= low) & (values <= high))

    def no_multiple(self, index: Index, divisor: int) -> Counterexample | None:
        """Return values for which `divisor` does not divide `index`, or None if it always does."""
        if ix.known_divisor(index) % divisor == 0:
            return None
        return self._search(index, lambda values: values % divisor == 0)

    def meets(self, index: Index, low: int, high: int, step: int = 1) -> bool:
        """Return whether `index` may be a multiple of `step` in `low` .. `high`."""
        least, most = self.bounds(index)
        if most < low or high < least:
            return False

        def misses(values: Array) -> Array:
            return (values < low) | (values > high) | (values % step != 0)

        return self._search(index, misses) is not None

    def _search(self, index: Index, rule: Callable[[Array], Array]) -> Counterexample | None:
        names = self._involved(index)
        shape = [self.limits[name][1] - self.limits[name][0] + 1 for name in names]
        if prod(shape) > MAX_POINTS:
            return Counterexample()
        values = dict(zip(names, _grid([self.limits[name] for name in names]), strict=True))
        tied = [fact for fact in self.facts if _variables(fact) <= values.keys()]
        possible = reduce(np.logical_and, (cond.holds_each(fact, values) for fact in tied), True)
        results = np.asarray(ix.evaluate(index, values))
        broken = np.broadcast_to(possible & ~rule(results), shape)
        if not broken.any():
            return None
        first = np.unravel_index(int(broken.argmax()), broken.shape)
        at = {name: self.limits[name][0] + int(i) for name, i in zip(names, first, strict=True)}
        used = set(ix.free_variables(index))
        return Counterexample(
            {name: value for name, value in at.items() if name in used}, ix.evaluate(index, at)
        )

    def _involved(self, index: Index) -> list[str]:
        """Return the variables of `index`, and those that facts tie to them, outermost first."""
        wanted = set(ix.free_variables(index))
        size = -1
        while size != len(wanted):
            size = len(wanted)
            for fact in self.facts:
                names = _variables(fact)
                wanted |= names if names & wanted else set[str]()
        return [name for name in self.limits if name in wanted]


def _variables(condition: Condition) -> set[str]:
    return {name for index in cond.indices(condition) for name in ix.free_variables(index)}


def _grid(limits: Sequence[tuple[int, int]]) -> Iterable[Array]:
    """Yield the values of each variable along an axis of its own."""
    for axis, (low, high) in enumerate(limits):
        shape = [1] * len(limits)
        shape[axis] = -1
        yield np.arange(low, high + 1).reshape(shape)
