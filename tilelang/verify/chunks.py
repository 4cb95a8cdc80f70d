"""Rules of `chunks`: row blocks so independent that a backend may do them at once or as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index, Var
from tilelang.ir.nodes import (
    Alloc,
    If,
    Img2col,
    Loop,
    LoopKind,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
    Stmt,
)
from tilelang.ir.region import Region
from tilelang.ir.walk import reads, walk, walk_program, written
from tilelang.verify.overlap import span_of
from tilelang.verify.wording import declared, place, region_text


def chunks_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield what ties the iterations of a `chunks` loop together."""
    for stmt in walk_program(program):
        if isinstance(stmt, Loop) and stmt.kind is LoopKind.CHUNKS:
            inside = list(walk(stmt.body))
            for inner in inside:
                yield from _statement_faults(inner, stmt)
            yield from _dependence_faults(stmt, inside)


def _statement_faults(stmt: Stmt, loop: Loop) -> Iterator[Diagnostic]:
    match stmt:
        case Alloc() | Move() | Map():
            return
        case Loop():
            yield _misplaced("a loop", stmt.loc, loop)
        case Matmul() | Mmad() | Img2col():
            yield _misplaced("work for the cube", stmt.loc, loop)
        case Reduce():
            if stmt.axis == len(stmt.src.shape) - 2:
                yield _misplaced("a reduction along the rows", stmt.loc, loop)
        case If(condition):
            names = {name for index in cond.indices(condition) for name in ix.free_variables(index)}
            if loop.var in names:
                yield _misplaced("a condition on the chunk itself", stmt.loc, loop)
        case _:
            assert_never(stmt)


def _misplaced(what: str, loc: Location, loop: Loop) -> Diagnostic:
    return Diagnostic(
        "E0306",
        f"{what} inside `tl.chunks`, whose row blocks only move, map, and reduce along columns",
        loc,
        "write `tl.for_range` instead of `tl.chunks`, or move this line out of it",
        (Note("the loop", loop.loc),) if loop.loc != UNKNOWN else (),
    )


def _dependence_faults(loop: Loop, inside: Sequence[Stmt]) -> Iterator[Diagnostic]:
    """Yield the regions by which one row block could see what another one writes."""
    own = {stmt.buffer.name for stmt in inside if isinstance(stmt, Alloc)}
    shared = {
        region.buffer.name
        for stmt in inside
        if (region := written(stmt)) and region.buffer.name not in own
    }
    first: dict[str, _Rows] = {}
    for stmt in inside:
        for region in (*filter(None, (written(stmt),)), *reads(stmt)):
            name = region.buffer.name
            if name in shared:
                rows = _rows_of(region, loop.var)
                if rows is None or not rows.stay_apart(first.setdefault(name, rows)):
                    shared.remove(name)  # said once
                    yield _dependent(region, stmt.loc, loop)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a region covers along the axis that follows the chunk: `step * var + rest`, `span`."""

    axis: int
    step: int
    rest: Index
    span: int

    def stay_apart(self, other: "_Rows") -> bool:
        """Return whether blocks of different chunks never meet, here and in `other`."""
        distance = ix.subtract(self.rest, other.rest)
        if (self.axis, self.step) != (other.axis, other.step) or not distance.is_constant:
            return False
        low = min(0, distance.constant)
        high = max(other.span, distance.constant + self.span)
        return high - low <= self.step


def _rows_of(region: Region, var: str) -> _Rows | None:
    """Return the rows of `region` if they follow `var` along one axis, and plainly."""
    for axis, start in enumerate(region.start):
        for atom, step in start.terms:
            if atom == Var(var):
                rest = ix.subtract(start, ix.scale(ix.variable(var), step))
                follows = var not in ix.free_variables(rest)
                return _Rows(axis, step, rest, span_of(region, axis)) if follows else None
    return None


def _dependent(region: Region, loc: Location, loop: Loop) -> Diagnostic:
    name = region.buffer.name
    return Diagnostic(
        "E0307",
        f"the row blocks of `tl.chunks` meet in `{name}`, which the loop writes: "
        f"`{region_text(region)}` does not belong to one block of `{loop.var}` alone",
        place(region, loc),
        f"use the rows of one block of `{name}` wherever the loop uses it, or write `tl.for_range`",
        declared(region.buffer),
    )
