"""How many bytes a program moves between global memory and its cores, tensor by tensor.

Exact: loops, branches and what hangs over a tensor are counted as they run, without running them.
Elements are counted as often as they are moved, by every core, and without the padding of layouts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
)
from tilelang.ir.region import Memory, Region, view_shape

Values: TypeAlias = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of one tensor that its cores read and wrote."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return the sum of both."""
        return Traffic(self.read + other.read, self.written + other.written)


def gm_traffic(program: Program) -> dict[str, Traffic]:
    """Return what is moved of each input, result and workspace of `program`, by name."""
    buffers = (*program.inputs, *program.results, *program.workspaces)
    found = {buffer.name: Traffic() for buffer in buffers}
    for stage in program.stages:
        limits = {core.var: core.extent for core in stage.grid}
        for move, times in _moves(stage.body, _Scope(limits, ())):
            for region, is_read in ((move.src, True), (move.dst, False)):
                if region.buffer.memory is Memory.GM:
                    n_bytes = times.total(_axis_factors(region)) * region.buffer.dtype.n_bytes
                    moved = Traffic(read=n_bytes) if is_read else Traffic(written=n_bytes)
                    found[region.buffer.name] += moved
    return found


def total_traffic(traffic: Mapping[str, Traffic]) -> Traffic:
    """Return the sum over all tensors."""
    return reduce(Traffic.__add__, traffic.values(), Traffic())


@dataclass(frozen=True, slots=True)
class _Factor:
    """A number for every value of some variables; the product of all factors is summed."""

    names: frozenset[str]
    count: Callable[[Values], NDArray[Any] | int]


@dataclass(frozen=True, slots=True)
class _Scope:
    """The loops around a statement: how far each variable may go, and what else must hold."""

    limits: Mapping[str, int]
    masks: tuple[_Factor, ...]

    def with_loop(self, loop: Loop) -> "_Scope":
        """Return the scope of the body of `loop`."""
        ranges = {name: (0, max(limit - 1, 0)) for name, limit in self.limits.items()}
        most = max(ix.bounds(loop.extent, ranges)[1], 0)
        inside = replace(self, limits={**self.limits, loop.var: most})
        if loop.extent.is_constant:
            return inside
        return inside.assuming(cond.less(ix.variable(loop.var), loop.extent))

    def assuming(self, condition: Condition) -> "_Scope":
        """Return the scope where `condition` holds too."""
        names = {name for index in cond.indices(condition) for name in ix.free_variables(index)}
        return replace(self, masks=(*self.masks, _mask(condition, sorted(names))))

    def total(self, factors: Iterable[_Factor]) -> int:
        """Return the sum of the product of `factors` over every iteration.

        Factors without a common variable are summed apart: the total is the product of their sums.
        """
        parts = _independent((*self.masks, *factors))
        free = set(self.limits) - {name for names, _ in parts for name in names}
        times = prod(self.limits[name] for name in free)
        return times * prod(self._sum(sorted(names), group) for names, group in parts)

    def _sum(self, names: Sequence[str], factors: Sequence[_Factor]) -> int:
        shape = [self.limits[name] for name in names]
        axes = np.indices(shape, np.int64, sparse=True)
        values = dict(zip(names, axes, strict=True))
        product: NDArray[np.int64] = np.ones(shape, np.int64)
        for factor in factors:
            product *= factor.count(values)
        return int(product.sum())


def _independent(factors: Iterable[_Factor]) -> list[tuple[frozenset[str], list[_Factor]]]:
    """Return `factors` in groups that share no variable, each with its variables."""
    groups: list[tuple[frozenset[str], list[_Factor]]] = []
    for factor in factors:
        names, together = factor.names, [factor]
        for group in [group for group in groups if group[0] & factor.names]:
            groups.remove(group)
            names, together = names | group[0], group[1] + together
        groups.append((names, together))
    return groups


def _moves(body: Body, scope: _Scope) -> Iterator[tuple[Move, _Scope]]:
    """Yield every move of `body` with the loops around it."""
    for stmt in body:
        match stmt:
            case Move():
                yield stmt, scope
            case Loop():
                yield from _moves(stmt.body, scope.with_loop(stmt))
            case If():
                yield from _moves(stmt.then, scope.assuming(stmt.condition))
                yield from _moves(stmt.otherwise, scope.assuming(cond.negate(stmt.condition)))
            case Alloc() | Img2col() | Matmul() | Mmad() | Map() | Reduce():
                pass
            case _:
                assert_never(stmt)


def _mask(condition: Condition, names: Sequence[str]) -> _Factor:
    """Return 1 where `condition`, over the variables `names`, holds, else 0."""

    def holds(*point: int) -> int:
        return int(cond.holds(condition, dict(zip(names, map(int, point), strict=True))))

    def count(values: Values) -> NDArray[Any] | int:
        if not names:
            return holds()
        return np.vectorize(holds, otypes=[np.int64])(*(values[name] for name in names))

    return _Factor(frozenset(names), count)


def _axis_factors(region: Region) -> Iterator[_Factor]:
    """Yield for each axis of `region` how many of its positions lie inside the tensor."""
    sizes = view_shape(region.buffer, region.view)
    axes = zip(region.start, region.step, region.extent, sizes, strict=True)
    for start, step, extent, size in axes:
        yield _axis_factor(start, step, 1 if extent is None else extent, size)


def _axis_factor(start: Index, step: int, extent: int, size: int) -> _Factor:
    def count(values: Values) -> NDArray[Any] | int:
        first = ix.evaluate(start, values)
        below = np.maximum(-(first // step), 0)  # positions before the tensor
        inside = np.minimum((size - 1 - first) // step + 1, extent)
        return np.maximum(inside - below, 0)

    return _Factor(frozenset(ix.free_variables(start)), count)
