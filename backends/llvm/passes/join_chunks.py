"""Make one map of the chunks of rows that an epilogue takes one after another.

Chunks keep tiles in UB small. Where `inline_elements` left nothing of those tiles, a loop over
chunks is a map of a part of an accumulator's rows at a time, and one map does the same for all of
them. A loop of one step that only multiplies is opened too: then product and map are in one body.
"""

from collections.abc import Mapping
from dataclasses import replace

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import IndexValue, Position, loads, walk_expr
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Loop, LoopKind, Map, Mmad, Move, Program, Stmt
from tilelang.ir.region import Region
from tilelang.ir.walk import map_regions, rewrite_program


def join_chunks(program: Program) -> Program:
    """Return `program` with loops over chunks that one map replaces, and single products, open."""
    return rewrite_program(program, _opened)


def _opened(stmt: Stmt) -> Body:
    match stmt:
        case Loop(var, extent, body=body) if extent == ix.constant(1) and _only_multiplies(body):
            return tuple(_at(part, {var: ix.ZERO}) for part in body)
        case Loop(_, extent, LoopKind.CHUNKS, body=(Map() as part,)) if extent.is_constant:
            joined = _joined(stmt, part)
            return (stmt,) if joined is None else (joined,)
        case _:
            return (stmt,)


def _only_multiplies(body: Body) -> bool:
    return all(isinstance(stmt, Alloc | Move | Mmad) for stmt in body)


def _at(stmt: Stmt, values: Mapping[str, Index]) -> Stmt:
    """Return a product, or the load of an operand, with values for variables."""

    def placed(region: Region) -> Region:
        return replace(region, start=tuple(ix.substitute(start, values) for start in region.start))

    stmt = map_regions(stmt, placed)
    return (
        replace(stmt, init=cond.substitute(stmt.init, values)) if isinstance(stmt, Mmad) else stmt
    )


def _joined(loop: Loop, part: Map) -> Map | None:
    """Return the map of all rows, None if the chunks are not equal parts of one."""
    if any(isinstance(inner, Position | IndexValue) for inner in walk_expr(part.expr)):
        return None
    n_rows, rank = part.dst.shape[0], len(part.dst.shape)
    wholes: dict[Region, Region] = {}
    for region in (part.dst, *loads(part.expr)):
        is_rows = len(region.shape) == rank and region.shape[0] == n_rows
        whole = _all_rows(region, loop) if is_rows else _unmoved(region, loop)
        if whole is None:
            return None
        wholes[region] = whole
    if wholes[part.dst] == part.dst:
        return None

    def change(region: Region) -> Region:
        return wholes[region]

    joined = map_regions(part, change)
    assert isinstance(joined, Map)
    return joined


def _all_rows(region: Region, loop: Loop) -> Region | None:
    """Return the region of every chunk's rows, None if they do not follow each other."""
    axis = region.spanned[0]
    n_rows, n_chunks = region.extent[axis], loop.extent.constant
    assert n_rows is not None
    first = tuple(ix.substitute(start, {loop.var: ix.ZERO}) for start in region.start)
    step = ix.scale(ix.variable(loop.var), n_rows * region.step[axis])
    moved = tuple(
        ix.add(start, step) if place == axis else start for place, start in enumerate(first)
    )
    if moved != region.start:
        return None
    extent = list(region.extent)
    extent[axis] = n_rows * n_chunks
    return replace(region, start=first, extent=tuple(extent))


def _unmoved(region: Region, loop: Loop) -> Region | None:
    """Return a region that is broadcast to the rows, None if it differs from chunk to chunk."""
    used = {name for start in region.start for name in ix.free_variables(start)}
    return None if loop.var in used else region
