"""Groups of channels that begin inside a block, found so that each can have blocks of its own.

The channels of group g begin at g times their number. Where that is no multiple of a block, a tile
of one group begins and ends beside channels of others, and vector work that takes tensors into
blocks can as well take groups apart:

* of maps a group becomes an image, [N, G * C, H, W] one of [N * G, C, H, W]; then C may end inside
  a block like that of any tensor.
* of weights, whose groups lie along outputs, a group gets whole blocks, as many as are loaded at
  once: its own outputs, and behind them those that the program reads there, of the groups after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Body, If, Loop, Program, Stmt
from tilelang.ir.region import Buffer, Permute, Region
from tilelang.ir.walk import reads, walk_program, written
from tilelang.layouts import FRACTAL_ROWS

_MAX_POINTS = 1 << 16
"""Of the loops around a region, to go through."""

Ranges: TypeAlias = Mapping[str, tuple[int, int]]
"""Every variable with its least and greatest value."""


@dataclass(frozen=True, slots=True)
class Access:
    """A region that is read or written where `conditions` hold."""

    region: Region
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """`n` groups of `size` channels (of weights: outputs); `room` is what each gets.

    `starts` says of every region in which group it begins, and where in it.
    """

    n: int
    size: int
    room: int
    starts: Mapping[Region, tuple[Index, Index]]

    def output(self, place: Index) -> Index:
        """Return the output of the weights that is at `place` when they are taken apart."""
        group = ix.floor_div(place, self.room)
        return ix.add(ix.scale(group, self.size), ix.modulo(place, self.room))


def accesses(program: Program) -> Iterator[Access]:
    """Yield every region that is read or written, with what holds there."""
    for stage in program.stages:
        yield from _accesses(stage.body, ())


def _accesses(body: Body, conditions: tuple[Condition, ...]) -> Iterator[Access]:
    for stmt in body:
        match stmt:
            case Loop():
                yield from _accesses(stmt.body, conditions)
            case If(condition):
                yield from _accesses(stmt.then, (*conditions, condition))
                yield from _accesses(stmt.otherwise, (*conditions, cond.negate(condition)))
            case _:
                yield from (Access(region, conditions) for region in _regions(stmt))


def _regions(stmt: Stmt) -> Iterator[Region]:
    yield from reads(stmt)
    target = written(stmt)
    if target is not None:
        yield target


def ranges_of(program: Program) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield every variable with its least and greatest value."""
    known: dict[str, tuple[int, int]] = {}
    for stage in program.stages:
        known |= stage.limits
    for stmt in walk_program(program):
        if isinstance(stmt, Loop):
            known[stmt.var] = (0, max(ix.bounds(stmt.extent, known)[1] - 1, 0))
    yield from known.items()


def map_groups(tensor: Buffer, uses: Sequence[Access], ranges: Ranges) -> Groups | None:
    """Return the groups of channels of a map, each of which ends where a region of it ends.

    None if a region is of several groups, or begins or ends inside a block of a group.
    """
    unit = tensor.dtype.k0
    found = _begin(tensor.shape[1], uses, _Axis(1, unit), ranges)
    if found is None:
        return None
    size, begins = found
    for region, one in begins.items():
        ends = one.rests + _along(region, 1)[1]
        if (ends > size).any() or (ends[ends != size] % unit).any():
            return None
    starts = {region: (one.group, one.rest) for region, one in begins.items()}
    return Groups(tensor.shape[1] // size, size, size, starts)


def weight_groups(tensor: Buffer, uses: Sequence[Access], ranges: Ranges) -> Groups | None:
    """Return the groups of outputs of weights, with room for what is loaded at once.

    None if a region begins inside a block of a group.
    """
    found = _begin(tensor.shape[0], uses, _Axis(0, FRACTAL_ROWS), ranges)
    if found is None:
        return None
    size, begins = found
    reach = max(
        int((one.rests + _along(region, 0)[1]).max(initial=0)) for region, one in begins.items()
    )
    side = max(FRACTAL_ROWS, tensor.dtype.k0)
    starts = {region: (one.group, one.rest) for region, one in begins.items()}
    return Groups(tensor.shape[0] // size, size, -(-reach // side) * side, starts)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A dimension along which groups lie, and the elements of a block there."""

    dimension: int
    unit: int


@dataclass(frozen=True, slots=True)
class _Begin:
    """Where a region begins: its group and the place in it, and all values of the place."""

    group: Index
    rest: Index
    rests: NDArray[np.int64]


def _begin(
    n_in_all: int, uses: Sequence[Access], axis: _Axis, ranges: Ranges
) -> tuple[int, dict[Region, _Begin]] | None:
    """Return the size of groups, and where every region begins: in a group, with a block.

    None if that is not so.
    """
    size = _period(uses, axis, ranges)
    if size is None or n_in_all % size:
        return None
    found: dict[Region, _Begin] = {}
    for region in dict.fromkeys(use.region for use in uses):
        group, rest = ix.split(ix.settle(_along(region, axis.dimension)[0], ranges), size)
        values = [
            _values((group, rest), use.conditions, ranges) for use in uses if use.region == region
        ]
        known = [one for one in values if one is not None]
        if len(known) < len(values):
            return None
        groups, rests = (np.concatenate(parts) for parts in zip(*known, strict=True))
        is_inside = (groups >= 0) & (groups < n_in_all // size) & (rests >= 0) & (rests < size)
        if not is_inside.all() or (rests % axis.unit).any():
            return None
        if len(set(rests.tolist())) == 1:
            rest = ix.constant(int(rests[0]))
        if ix.known_divisor(rest) % axis.unit:
            return None
        found[region] = _Begin(group, rest, rests)
    return size, found


def _along(region: Region, dimension: int) -> tuple[Index, int]:
    """Return start and extent of `region` along a dimension of its tensor."""
    assert isinstance(region.view, Permute), "only weights in L1 are seen as a matrix"
    axis = region.view.groups.index((dimension,))
    return region.start[axis], region.extent[axis] or 1


def _period(uses: Iterable[Access], axis: _Axis, ranges: Ranges) -> int | None:
    """Return the one distance between groups that is no whole number of blocks."""
    starts = (ix.settle(_along(use.region, axis.dimension)[0], ranges) for use in uses)
    found = {abs(factor) for start in starts for _, factor in start.terms if factor % axis.unit}
    return found.pop() if len(found) == 1 else None


def _values(
    indices: Sequence[Index], conditions: Iterable[Condition], ranges: Ranges
) -> list[NDArray[np.int64]] | None:
    """Return the values of `indices` wherever `conditions` hold; None if these are too many."""
    names = {name for index in indices for name in ix.free_variables(index)}
    telling = [one for one in conditions if not (found := _variables(one)) or names & found]
    names = names.union(*map(_variables, telling))
    shape = [ranges[name][1] - ranges[name][0] + 1 for name in sorted(names)]
    if prod(shape) > _MAX_POINTS:
        return None
    axes = np.indices(shape, np.int64)
    values = {name: axis + ranges[name][0] for name, axis in zip(sorted(names), axes, strict=True)}
    holds = np.ones(shape, np.bool_)
    for condition in telling:
        holds &= cond.holds_each(condition, values)
    return [np.broadcast_to(ix.evaluate(index, values), shape)[holds] for index in indices]


def _variables(condition: Condition) -> set[str]:
    return {name for index in cond.indices(condition) for name in ix.free_variables(index)}
