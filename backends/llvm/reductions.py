"""Sums, maxima and minima along one axis."""

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from tilelang.backends.llvm.arithmetic import extreme, integer_extreme
from tilelang.backends.llvm.casts import cast
from tilelang.backends.llvm.elements import element_access, region_access
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.nest import WIDTHS, clipped, emit_nest, open_space
from tilelang.backends.llvm.point import Access, Point, split_lane
from tilelang.backends.llvm.simplify import simplify
from tilelang.backends.llvm.values import Lanes, Value, literal, register_type
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.nodes import Reduce, ReduceOp

_WIDTH = 16


@dataclass(frozen=True, slots=True)
class _Fold:
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
    space = open_space(frame, stmt.dst.shape)
    size = stmt.src.shape[stmt.axis]
    (name,) = open_space(frame, (size,)).names
    indices = [*space.indices]
    indices[stmt.axis] = ix.variable(name)
    src = element_access(frame, stmt.src, indices)
    line = _Line(src, _Fold(stmt.op, _kept(stmt.op, src.dtype)), name, size)
    dst = region_access(frame, stmt.dst, space)
    together = _lies_together(frame, line)

    def reduce_point(point: Point) -> None:
        total = _fold_vectors(point, line) if together else _fold_loop(point, line, (0, size))
        point.store(dst, cast(point.lanes, Value(line.fold.dtype, total), dst.dtype))

    widths = (1,) if together else WIDTHS
    emit_nest(frame, space, clipped(frame, stmt.dst), [dst, src], reduce_point, widths=widths)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is folded: the access to an element at position `name` along the axis."""

    src: Access
    fold: _Fold
    name: str
    size: int


def _fold_loop(point: Point, line: _Line, span: tuple[int, int]) -> str:
    """Return the fold of the elements in `span`, one vector of lines at a time."""
    frame, lanes, fold = point.frame, point.lanes, line.fold
    if span[0] == span[1]:
        return fold.first(lanes)
    first = (lanes.type(register_type(fold.dtype)), fold.first(lanes))
    with frame.code.loop(*span, carried=[first]) as loop:
        frame.bind(line.name, loop.index, span[0], span[1] - 1)
        inner = Point(frame, lanes, point.replaced, point.lane)
        loop.update(fold.join(lanes, loop.carried[0], _kept_text(inner, line)))
    return loop.results[0]


def _fold_vectors(point: Point, line: _Line) -> str:
    """Return the fold of one line: vectors along it, then their lanes, then what is left."""
    frame, fold = point.frame, line.fold
    wide_lanes = Lanes(frame.code, frame.host, _WIDTH)
    n_vectors, lane, step = line.size // _WIDTH, frame.fresh(), frame.fresh()
    rest = _fold_loop(point, line, (n_vectors * _WIDTH, line.size))
    if not n_vectors:
        return rest
    frame.ranges[lane] = (0, _WIDTH - 1)
    along = ix.add(ix.scale(ix.variable(step), _WIDTH), ix.variable(lane))
    first = (wide_lanes.type(register_type(fold.dtype)), fold.first(wide_lanes))
    with frame.code.loop(0, n_vectors, carried=[first]) as loop:
        frame.bind(step, loop.index, 0, n_vectors - 1)
        inner = Point(frame, wide_lanes, {**point.replaced, line.name: along}, lane)
        loop.update(fold.join(wide_lanes, loop.carried[0], _kept_text(inner, line)))
    return fold.join(point.lanes, _fold_lanes(wide_lanes, fold, loop.results[0]), rest)


def _fold_lanes(lanes: Lanes, fold: _Fold, vector: str) -> str:
    """Return the fold of a vector's lanes, halves onto halves, as a vector of one."""
    element, code = register_type(fold.dtype), lanes.code
    while lanes.n > 1:
        half = Lanes(code, lanes.host, lanes.n // 2)
        parts = [_slice(lanes, element, vector, start) for start in (0, half.n)]
        vector, lanes = fold.join(half, *parts), half
    return vector


def _slice(lanes: Lanes, element: str, vector: str, start: int) -> str:
    n = lanes.n // 2
    kind, order = lanes.type(element), ", ".join(f"i32 {start + lane}" for lane in range(n))
    text = f"shufflevector {kind} {vector}, {kind} poison, <{n} x i32> <{order}>"
    return lanes.code.pure(text, vector)


def _lies_together(frame: Frame, line: _Line) -> bool:
    """Return whether the elements along the axis are side by side in vectors."""
    along = ix.add(ix.scale(ix.variable("$step"), _WIDTH), ix.variable("$lane"))
    ranges = {**frame.ranges, "$step": (0, line.size), "$lane": (0, _WIDTH - 1)}
    offset = simplify(ix.substitute(line.src.offset, {line.name: along}), ranges)
    split = split_lane(offset, "$lane")
    return line.size >= _WIDTH and split is not None and split[1] == 1


def _kept_text(point: Point, line: _Line) -> str:
    return cast(point.lanes, point.load(line.src), line.fold.dtype).text


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
