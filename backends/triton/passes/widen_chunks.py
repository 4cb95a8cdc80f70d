"""Run the row blocks of `chunks` as one: every buffer of the loop takes all rows at once.

The loop is there because a unified buffer cannot hold a whole accumulator; registers do. In what
remains the chunk's number is read off the position of a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from tilelang.backends.triton.blocks import lane
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    LoopKind,
    Map,
    Matmul,
    Mmad,
    Move,
    Reduce,
    Stage,
    Stmt,
)
from tilelang.ir.region import Buffer, Memory, Region
from tilelang.ir.walk import map_regions, reads, rewrite, walk, written


def widen_chunks(stage: Stage) -> Stage:
    """Return `stage` without `chunks` loops; one whose rows are not plain stays, in order."""
    return replace(stage, body=rewrite(stage.body, _widened))


def _widened(stmt: Stmt) -> Body:
    match stmt:
        case Loop(kind=LoopKind.CHUNKS) if stmt.extent.is_constant and stmt.extent.constant > 0:
            rows = _rows(stmt)
            if rows is None:
                return (stmt,)
            widening = _Widening(stmt.var, rows, stmt.extent.constant, _tall_buffers(stmt, rows))
            if all(map(widening.is_possible, walk(stmt.body))):
                return tuple(widening.of(inner) for inner in stmt.body)
            return (stmt,)
        case _:
            return (stmt,)


def _rows(loop: Loop) -> int | None:
    """Return how many rows a chunk has: the step of its variable, wherever it occurs."""
    steps = {
        factor
        for stmt in walk(loop.body)
        for region in _regions(stmt)
        for start in region.start
        for atom, factor in start.terms
        if atom == ix.Var(loop.var)
    }
    return steps.pop() if len(steps) == 1 and min(steps) > 0 else None


def _tall_buffers(loop: Loop, rows: int) -> frozenset[str]:
    """Return the names of the loop's own tiles that have a chunk's rows."""
    own = [stmt.buffer for stmt in walk(loop.body) if isinstance(stmt, Alloc)]
    return frozenset(b.name for b in own if b.rank > 1 and b.shape[-2] == rows and rows > 1)


def _regions(stmt: Stmt) -> Iterator[Region]:
    yield from reads(stmt)
    if (target := written(stmt)) is not None:
        yield target


@dataclass(frozen=True, slots=True)
class _Widening:
    """The chunk's variable, its rows, how many chunks there are, and what is to be as tall."""

    var: str
    rows: int
    n_chunks: int
    tall: frozenset[str]

    def is_possible(self, stmt: Stmt) -> bool:
        """Return whether every region of `stmt` follows the rows in the same way, or not at all."""
        axes = [self._row_axis(region) for region in _regions(stmt)]
        if None in axes:
            return False
        match stmt:
            case Alloc():
                return True
            case Move():
                return len({axis for axis in axes if axis is not None}) == 1
            case Map():
                (*sources, target) = axes
                follows = target == -2 and all(axis in (-2, 0) for axis in sources)
                return follows or set(axes) == {0}
            case Reduce():
                return set(axes) == {-2} and stmt.axis != len(stmt.src.shape) - 2
            case Loop() | If() | Img2col() | Matmul() | Mmad():
                return False
            case _:
                assert_never(stmt)

    def _row_axis(self, region: Region) -> int | None:
        """Return which dimension of the region's shape runs over a chunk's rows, from the end.

        0 if none does; None if the chunk occurs in another way.
        """
        followed = [axis for axis, start in enumerate(region.start) if self._occurs(start)]
        if region.buffer.name in self.tall:
            rank = region.buffer.rank
            whole = region.extent[rank - 2] == self.rows and region.shape == region.extent
            return -2 if whole and not followed else None
        if not followed:
            return 0
        (axis, *others) = followed
        plain = region.start[axis] == ix.add(
            ix.scale(ix.variable(self.var), self.rows), self._without(region.start[axis])
        )
        if others or not plain or region.extent[axis] != self.rows or region.step[axis] != 1:
            return None
        return region.spanned.index(axis) - len(region.spanned)

    def _occurs(self, index: ix.Index) -> bool:
        return self.var in set(ix.free_variables(index))

    def _without(self, index: ix.Index) -> ix.Index:
        return ix.substitute(index, {self.var: ix.ZERO})

    def of(self, stmt: Stmt) -> Stmt:
        """Return `stmt` on all rows."""
        match stmt:
            case Alloc(buffer) if buffer.name in self.tall:
                return replace(stmt, buffer=self._taller(buffer))
            case Map():
                wide = map_regions(stmt, self._region)
                assert isinstance(wide, Map)
                if stmt.dst.buffer.name not in self.tall:
                    return wide
                return replace(wide, expr=ex.rewrite_expr(wide.expr, self._value(stmt.dst)))
            case _:
                return map_regions(stmt, self._region)

    def _taller(self, buffer: Buffer) -> Buffer:
        *lead, rows, columns = buffer.shape
        return replace(buffer, shape=(*lead, rows * self.n_chunks, columns))

    def _region(self, region: Region) -> Region:
        axis = self._row_axis(region)
        if axis == 0 or axis is None:
            return region
        where = region.spanned[axis]
        extent = list(region.extent)
        extent[where] = self.rows * self.n_chunks
        start = tuple(map(self._without, region.start))
        buffer = region.buffer
        if buffer.name in self.tall and buffer.memory is not Memory.GM:
            buffer = self._taller(buffer)
        return replace(region, buffer=buffer, start=start, extent=tuple(extent))

    def _value(self, dst: Region) -> "_ReadOff":
        return _ReadOff(self.var, self.rows, len(dst.shape) - 2)


@dataclass(frozen=True, slots=True)
class _ReadOff:
    """Says the chunk's number, and a row's position in it, by the position in all rows."""

    var: str
    rows: int
    axis: int

    def __call__(self, expr: ex.Expr) -> ex.Expr:
        """Return `expr` itself with its indices replaced."""
        match expr:
            case ex.Position(axis) if axis == self.axis:
                return ex.IndexValue(ix.modulo(lane(axis), self.rows))
            case ex.IndexValue(index):
                chunk = ix.floor_div(lane(self.axis), self.rows)
                return ex.IndexValue(ix.substitute(index, {self.var: chunk}))
            case _:
                return expr
