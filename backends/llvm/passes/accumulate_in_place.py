"""Let the cube sum up in the tensor itself, where nothing is done to the sums afterwards.

An accumulator that only products write and one store takes to a row-major tensor of its own dtype
need not exist: the tensor's tile is the accumulator, of which products leave alone what hangs over
the tensor's end. This comes after
`inline_elements`, which turns the way out through UB into that one store.
"""

from dataclasses import replace

from tilelang.backends.llvm.existence import ranges_of
from tilelang.ir import index as ix
from tilelang.ir.expression import Load
from tilelang.ir.nodes import Alloc, Body, Map, Mmad, Program, Stage, Stmt
from tilelang.ir.region import Memory, Region, identity
from tilelang.ir.walk import reads, rewrite, walk, written
from tilelang.layouts import ND

_MAX_STRIDE = 4096
"""Bytes from row to row; a tile of farther rows falls on too few lines of the cache."""


def accumulate_in_place(program: Program) -> Program:
    """Return `program` with accumulators that are only stored replaced by where they go."""
    body = tuple(_of_stage(part) if isinstance(part, Stage) else part for part in program.body)
    return replace(program, body=body)


def _of_stage(stage: Stage) -> Stage:
    """Replace the accumulators of the stage's own body; those of inner loops stay."""
    own = {stmt.buffer.name for stmt in stage.body if isinstance(stmt, Alloc)}
    targets: dict[str, Region] = {}
    for place, stmt in enumerate(stage.body):
        if isinstance(stmt, Map) and isinstance(stmt.expr, Load):
            name = stmt.expr.region.buffer.name
            is_over = name not in _written_names(stage.body[place + 1 :])
            if name in own and is_over and _is_store(stmt, stmt.expr.region, stage):
                targets[name] = stmt.dst
    return replace(stage, body=rewrite(stage.body, lambda stmt: _without(stmt, targets)))


def _without(stmt: Stmt, targets: dict[str, Region]) -> Body:
    match stmt:
        case Alloc(buffer) if buffer.name in targets:
            return ()
        case Map(_, Load(region)) if region.buffer.name in targets:
            return ()
        case Mmad(dst) if dst.buffer.name in targets:
            return (replace(stmt, dst=_moved(dst, targets[dst.buffer.name])),)
        case _:
            return (stmt,)


def _moved(region: Region, target: Region) -> Region:
    """Return the part of `target` that `region` of the accumulator is."""
    start = tuple(map(ix.add, target.start, region.start))
    return replace(target, start=start, extent=region.extent)


def _is_store(stmt: Map, source: Region, stage: Stage) -> bool:
    """Return whether a map is the only use of an accumulator beside the products into it."""
    target, acc = stmt.dst.buffer, source.buffer
    uses = [
        (other, region)
        for other in walk(stage.body)
        for region in (*reads(other), *_target(other))
        if region.buffer.name in (acc.name, target.name) and other is not stmt
    ]
    return (
        acc.memory is Memory.L0C
        and source.is_whole
        and target.memory is Memory.GM
        and target.layout == ND
        and target.rank == acc.rank == 2
        and target.dtype is acc.dtype
        and stmt.dst.view == identity(2)
        and stmt.dst.extent == acc.shape
        and target.shape[1] * target.dtype.n_bytes <= _MAX_STRIDE
        and stmt.dst.step == (1, 1)
        and _begins_inside(stmt.dst, ranges_of(stage.grid))
        and all(isinstance(other, Mmad) and region == other.dst for other, region in uses)
        and all(region.view == identity(2) and region.step == (1, 1) for _, region in uses)
    )


def _begins_inside(region: Region, ranges: dict[str, tuple[int, int]]) -> bool:
    """Return whether a tile never begins before its tensor, and its columns end at a known place.

    How many rows exist may be known at run time only; columns are cut into panels before.
    """
    (first_row, _), (first, last) = (ix.bounds(start, ranges) for start in region.start)
    is_known = first == last or last + region.shape[1] <= region.buffer.shape[1]
    return first_row >= 0 and first >= 0 and is_known


def _written_names(body: Body) -> set[str]:
    return {region.buffer.name for stmt in walk(body) for region in _target(stmt)}


def _target(stmt: Stmt) -> tuple[Region, ...]:
    region = written(stmt)
    return () if region is None else (region,)
