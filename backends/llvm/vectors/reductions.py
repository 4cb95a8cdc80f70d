"""Sums, maxima and minima along one axis."""

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.simplify import simplify
from tilelang.backends.llvm.vectors.arithmetic import extreme, integer_extreme
from tilelang.backends.llvm.vectors.boxes import Box, Space, limited, open_space
from tilelang.backends.llvm.vectors.casts import cast
from tilelang.backends.llvm.vectors.elements import region_access
from tilelang.backends.llvm.vectors.folds import Fold
from tilelang.backends.llvm.vectors.formula import Formula, Sources
from tilelang.backends.llvm.vectors.masks import split_lane
from tilelang.backends.llvm.vectors.nest import emit_nest
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Lanes, Value, literal, register_type
from tilelang.backends.llvm.vectors.vector_axis import WIDTHS
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.expression import Expr, Load
from tilelang.ir.index import Index
from tilelang.ir.nodes import Reduce, ReduceOp
from tilelang.ir.region import Region

_WIDTH = 16
_CHAINS = 4
"""Sums of one line: an addition takes about four cycles, and two may start in each."""


@dataclass(frozen=True, slots=True)
class _Folding:
    """How two partial results become one, in the dtype that they are kept in."""

    op: ReduceOp
    dtype: DType

    def first(self, lanes: Lanes) -> str:
        """Return the value that changes nothing."""
        return literal(lanes, _neutral(self.op, self.dtype), self.dtype).text

    def join(self, lanes: Lanes, left: str, right: str) -> str:
        """Return two partial results folded."""
        if self.dtype.is_float:
            if self.op is ReduceOp.SUM:
                return lanes.op("fadd", "float", left, right)
            return extreme(lanes, self.op is ReduceOp.MAX, left, right)
        if self.op is ReduceOp.SUM:
            return lanes.op("add", register_type(self.dtype), left, right)
        return integer_extreme(lanes, self.op is ReduceOp.MAX, self.dtype, left, right)


def emit_reduce(frame: Frame, stmt: Reduce) -> None:
    """Write a reduction: a loop along the axis inside the nest over the destination.

    Where the axis itself lies contiguous, vectors are folded along it and their lanes at the end.
    """
    _emit(frame, stmt, Load(stmt.src), None)


def emit_fold(frame: Frame, fold: Fold) -> None:
    """Write a map and the reduction of what it sets in one nest."""
    _emit(frame, fold.reduce, fold.stmt.expr, fold.stmt.dst if fold.is_kept else None)


def _emit(frame: Frame, stmt: Reduce, expr: Expr, kept: Region | None) -> None:
    """Write the reduction of `expr`, whose elements also go to `kept`."""
    space = open_space(frame, stmt.src.shape)
    formula = Formula(frame, space, expr)
    target = None if kept is None else region_access(frame, kept, space)
    line = _Line(
        formula, target, _Folding(stmt.op, _kept(stmt.op, stmt.src.buffer.dtype)), stmt.axis
    )
    outer = _without_axis(frame, space, stmt.axis)
    dst = region_access(frame, stmt.dst, outer)
    together = _lies_together(line)

    def reduce_point(point: Point) -> None:
        total = _fold_vectors(point, line) if together else _fold_loops(point, line)
        point.store(dst, cast(point.lanes, Value(line.folding.dtype, total), dst.dtype))

    accesses = [dst, *line.accesses(space.box)]
    widths = (1,) if together else WIDTHS
    emit_nest(frame, outer, outer.box, accesses, reduce_point, widths=widths)


def _without_axis(frame: Frame, space: Space, axis: int) -> Space:
    """Return the space of the results: `space` with one element along `axis`."""
    names, shape = list(space.names), list(space.shape)
    names[axis], shape[axis] = frame.fresh(), 1
    frame.ranges[names[axis]] = (0, 0)
    return Space(tuple(names), tuple(shape))


@dataclass(frozen=True, slots=True)
class _Line:
    """What is folded: the elements of `formula` along `axis`, which also go to `kept`."""

    formula: Formula
    kept: Access | None
    folding: _Folding
    axis: int

    @property
    def name(self) -> str:
        """The variable of the axis."""
        return self.formula.space.names[self.axis]

    @property
    def size(self) -> int:
        """Elements along the axis."""
        return self.formula.space.shape[self.axis]

    @property
    def n_existing(self) -> Index:
        """How many elements, from the first on, depend on nothing that hangs over the axis."""
        inside = self.formula.interior(self.formula.space.box)
        return inside.high[self.axis] if inside.low[self.axis] == ix.ZERO else ix.ZERO

    def box(self, low: Index, high: Index) -> Box:
        """Return all lines between two places along the axis."""
        return limited(self.formula.space.box, self.axis, low, high)

    def accesses(self, box: Box) -> list[Access]:
        """Return what is read and written in a box."""
        sources = list(self.formula.sources(box).values())
        return sources if self.kept is None else [self.kept, *sources]

    def folded(self, point: Point, total: str, sources: Sources) -> str:
        """Return `total` with the elements at `point` folded into it."""
        value = self.formula.value(point, sources)
        if self.kept is not None:
            point.store(self.kept, value)
        return self.folding.join(
            point.lanes, total, cast(point.lanes, value, self.folding.dtype).text
        )

    def start(self, lanes: Lanes) -> tuple[str, str]:
        """Return the type and the value of what nothing has been folded into."""
        return lanes.type(register_type(self.folding.dtype)), self.folding.first(lanes)


def _fold_loops(point: Point, line: _Line) -> str:
    """Return the fold of a vector of lines: what exists, then what hangs over."""
    end = ix.maximum(ix.ZERO, line.n_existing)
    total = _fold_loop(point, line, (ix.ZERO, end), line.folding.first(point.lanes))
    return _fold_loop(point, line, (end, ix.constant(line.size)), total)


def _fold_loop(point: Point, line: _Line, span: tuple[Index, Index], total: str) -> str:
    """Return `total` with the elements in `span` folded into it, a step for each."""
    frame, lanes = point.frame, point.lanes
    low, high = (frame.number(limit) for limit in span)
    if low == high:
        return total
    sources = line.formula.sources(line.box(*span))
    kind, _ = line.start(lanes)
    with frame.code.loop(low, high, carried=[(kind, total)]) as loop:
        frame.bind(line.name, loop.index, *_range(frame, span))
        inner = Point(frame, lanes, point.replaced, point.lane, point.n_active)
        loop.update(line.folded(inner, loop.carried[0], sources))
    return loop.results[0]


def _fold_vectors(point: Point, line: _Line) -> str:
    """Return the fold of one line: vectors along it, then their lanes, then what is left.

    Elements go to `_CHAINS` sums in turn, whose additions need not wait for each other; the order
    is that of the line, whoever computes it.
    """
    frame = point.frame
    lanes = Lanes(frame.code, frame.host, _WIDTH)
    n_vectors, end = line.size // _WIDTH, ix.maximum(ix.ZERO, line.n_existing)
    n_whole = frame.simplified(ix.floor_div(end, _WIDTH))
    n_rounds = frame.simplified(ix.floor_div(n_whole, _CHAINS))
    step = _Steps(point, line, lanes)
    totals = step.fold((ix.ZERO, n_rounds), [line.start(lanes)[1]] * _CHAINS, end)
    last = ix.scale(n_rounds, _CHAINS)
    totals[:1] = step.fold((last, n_whole), totals[:1], end)
    totals[:1] = step.fold((n_whole, ix.constant(n_vectors)), totals[:1], ix.constant(line.size))
    while len(totals) > 1:
        totals = [line.folding.join(lanes, *totals[:2]), *totals[2:]]
    total = _fold_lanes(lanes, line.folding, totals[0])
    rest = ix.constant(n_vectors * _WIDTH), ix.constant(line.size)
    return _fold_loop(point, line, rest, total)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Vectors along one line."""

    point: Point
    line: _Line
    lanes: Lanes

    def fold(self, span: tuple[Index, Index], totals: list[str], end: Index) -> list[str]:
        """Return `totals` with rounds of vectors folded into them, a vector into each.

        `span` counts rounds; elements are known to exist before `end`, where that is not the size.
        """
        frame, line, width = self.point.frame, self.line, len(totals) * _WIDTH
        low, high = (frame.number(limit) for limit in span)
        if low == high:
            return totals
        sources = line.formula.sources(line.box(ix.ZERO, end))
        lane, name = frame.fresh(), frame.fresh()
        frame.ranges[lane] = (0, _WIDTH - 1)
        kind, _ = line.start(self.lanes)
        with frame.code.loop(low, high, carried=[(kind, total) for total in totals]) as loop:
            frame.bind(name, loop.index, *_range(frame, span))
            first = ix.scale(ix.variable(name), width)
            folded: list[str] = []
            for number, total in enumerate(loop.carried):
                along = ix.add(first, ix.constant(number * _WIDTH), ix.variable(lane))
                replaced = {**self.point.replaced, line.name: along}
                inner = Point(frame, self.lanes, replaced, lane)
                folded.append(line.folded(inner, total, sources))
            loop.update(*folded)
        return list(loop.results)


def _range(frame: Frame, span: tuple[Index, Index]) -> tuple[int, int]:
    """Return the range of a loop's variable."""
    low, high = (ix.bounds(limit, frame.ranges) for limit in span)
    return low[0], high[1] - 1


def _fold_lanes(lanes: Lanes, folding: _Folding, vector: str) -> str:
    """Return the fold of a vector's lanes, halves onto halves, as a vector of one."""
    element, code = register_type(folding.dtype), lanes.code
    while lanes.n > 1:
        half = Lanes(code, lanes.host, lanes.n // 2)
        parts = [_slice(lanes, element, vector, start) for start in (0, half.n)]
        vector, lanes = folding.join(half, *parts), half
    return vector


def _slice(lanes: Lanes, element: str, vector: str, start: int) -> str:
    n = lanes.n // 2
    kind, order = lanes.type(element), ", ".join(f"i32 {start + lane}" for lane in range(n))
    text = f"shufflevector {kind} {vector}, {kind} poison, <{n} x i32> <{order}>"
    return lanes.code.pure(text, vector)


def _lies_together(line: _Line) -> bool:
    """Return whether the elements along the axis are side by side in vectors."""
    frame = line.formula.frame
    along = ix.add(ix.scale(ix.variable("$step"), _WIDTH), ix.variable("$lane"))
    ranges = {**frame.ranges, "$step": (0, line.size), "$lane": (0, _WIDTH - 1)}
    offsets = [
        simplify(ix.substitute(access.offset, {line.name: along}), ranges)
        for access in line.accesses(line.formula.space.box)
    ]
    splits = [split_lane(offset, "$lane") for offset in offsets]
    strides = [None if split is None else split[1] for split in splits]
    return line.size >= _WIDTH and 1 in strides and set(strides) <= {0, 1}


def _kept(op: ReduceOp, dtype: DType) -> DType:
    """Return what partial results are kept in."""
    if dtype.is_float:
        return DType.FLOAT32
    return DType.INT32 if op is ReduceOp.SUM else dtype


def _neutral(op: ReduceOp, dtype: DType) -> float:
    match op:
        case ReduceOp.SUM:
            return 0
        case ReduceOp.MAX:
            return float("-inf") if dtype.is_float else int(np.iinfo(dtype.value).min)
        case ReduceOp.MIN:
            return float("inf") if dtype.is_float else int(np.iinfo(dtype.value).max)
        case _:
            assert_never(op)
