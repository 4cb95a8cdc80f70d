"""Let the cube read a tensor where it lies, when packing it would cost more than it saves.

Rows of `a` are read an element at a time, so a plain row-major tensor serves as it is. `b` is read
a vector at a time: unpacked that touches many pages, which pays while few rows of `a` use it. Only
tiles that never hang over can be read in place.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import prod

from tilelang.backends.llvm.existence import always_exists, ranges_of
from tilelang.backends.llvm.passes.hoist_packs import find_loads, only_read_by_cube
from tilelang.backends.llvm.products.panels import find_method, reads_in_place
from tilelang.backends.llvm.runtime.host import Host
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, Mmad, Move, Program, Stage, Stmt
from tilelang.ir.region import Region, identity
from tilelang.ir.walk import map_regions, rewrite, walk, written
from tilelang.layouts import ND

_FEW_ROWS = 32
"""Rows of `a` up to which `b` is read in place (16 rows on Zen 5: 1.3 times as fast)."""
_MAX_STRIDE = 4096
"""Bytes from row to row up to which `a` is: farther rows fall on too few lines of the cache."""


def read_in_place(program: Program, host: Host) -> Program:
    """Return `program` with operands read from their tensors where that is faster."""
    change = partial(_of_stage, host=host)
    body = tuple(change(part) if isinstance(part, Stage) else part for part in program.body)
    return replace(program, body=body)


def _of_stage(stage: Stage, host: Host) -> Stage:
    sources = dict(_sources(stage, host))

    def change(stmt: Stmt) -> Body:
        match stmt:
            case Alloc(buffer) if buffer.name in sources:
                return ()
            case Move(dst) if dst.buffer.name in sources:
                return ()
            case Mmad():
                return (map_regions(stmt, lambda region: _composed(region, sources)),)
            case _:
                return (stmt,)

    return replace(stage, body=rewrite(stage.body, change))


def _composed(region: Region, sources: dict[str, Region]) -> Region:
    """Return the part of a tensor that `region` of its tile is."""
    source = sources.get(region.buffer.name)
    if source is None:
        return region
    start, extent = list(source.start), list(source.extent)
    for place, axis in enumerate(source.spanned):
        start[axis] = ix.add(start[axis], region.start[place])
        extent[axis] = region.extent[place]
    return replace(source, start=tuple(start), extent=tuple(extent), loc=region.loc)


def _sources(stage: Stage, host: Host) -> Iterator[tuple[str, Region]]:
    """Yield the tiles to read in place, by name, with the region of the tensor each is."""
    by_cube = only_read_by_cube(stage)
    changed = {r.buffer.name for stmt in walk(stage.body) if (r := written(stmt)) is not None}
    uses = [stmt for stmt in walk(stage.body) if isinstance(stmt, Mmad)]
    for load, loops in find_loads(stage.body, stage.grid):
        name, src = load.dst.buffer.name, load.src
        if name not in by_cube or src.buffer.name in changed or src.buffer.layout != ND:
            continue
        ranges = ranges_of(loops)
        variables = {var for start in src.start for var in ix.free_variables(start)}
        n_uses = prod(loop.extent for loop in loops if loop.var not in variables)
        mine = [stmt for stmt in uses if name in (stmt.a.buffer.name, stmt.b.buffer.name)]
        if always_exists(src, ranges) and all(
            _pays(stmt, name, src, n_uses, host) for stmt in mine
        ):
            yield name, src


def _pays(stmt: Mmad, tile: str, source: Region, n_uses: int, host: Host) -> bool:
    """Return whether a product had better read `source` than the tile that `n_uses` cores fill."""
    method = find_method(stmt.a.buffer.dtype, stmt.b.buffer.dtype, host)
    is_a = stmt.a.buffer.name == tile
    operand = stmt.a if is_a else stmt.b
    if operand.view != identity(2) or stmt.a.buffer.name == stmt.b.buffer.name:
        return False
    if not reads_in_place(source, method, is_a=is_a):
        return False
    if is_a:
        return source.buffer.shape[-1] * source.buffer.dtype.n_bytes <= _MAX_STRIDE
    return stmt.a.shape[0] * n_uses <= _FEW_ROWS
