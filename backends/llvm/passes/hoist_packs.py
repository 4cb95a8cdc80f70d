"""Fill tiles of the cube once for all cores that need them.

In a product every core of a row of the grid loads the same tiles of `a`, every core of a column the
same tiles of `b`. A load that does not depend on all of the grid moves to a stage of its own, whose
result is kept in a workspace that has the tiles in the form the cube wants. That stage is cut finer
than into tiles, since all threads wait for its end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Core, Loop, Mmad, Move, Program, Stage, Stmt
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, identity
from tilelang.ir.walk import map_regions, reads, rewrite, walk, written
from tilelang.layouts import ND

_ROOM = 4
"""A workspace may hold so many times what the tensor does: tiles that overlap much are not kept."""
_SMALL = 1 << 16
"""Tensors of fewer elements count as this many."""
_TILES = (Memory.L1, Memory.L0A, Memory.L0B)
_PARTS = 8
"""Cores that a stage of packs has at least, if its tiles can be cut."""
_FRACTAL = 16
_LEAST_WIDTH = 64
"""Of a part of a tile: four panels, whose columns fill a line of the cache."""


def hoist_packs(program: Program) -> Program:
    """Return `program` with repeated loads of the cube's operands in stages of their own."""
    body: list[Alloc | Stage] = []
    for part in program.body:
        body += _split(part) if isinstance(part, Stage) else [part]
    return replace(program, body=tuple(body))


@dataclass(frozen=True, slots=True)
class _Pack:
    """A load to hoist, the loops it depends on, outermost first, and the workspace it fills."""

    load: Move
    loops: tuple[Core, ...]
    workspace: Buffer

    @property
    def tile(self) -> Region:
        """The tile of the workspace that belongs to the loops' variables."""
        lead = tuple(ix.variable(loop.var) for loop in self.loops)
        return _tile(self.workspace, lead, self.load.dst.buffer.shape)


def _split(stage: Stage) -> list[Alloc | Stage]:
    """Return the stage after the packs that it needs."""
    packs = {pack.load.dst.buffer.name: pack for pack in _packs(stage)}
    parts: list[Alloc | Stage] = []
    for pack in packs.values():
        parts += [Alloc(pack.workspace, pack.load.loc), _pack_stage(pack)]
    return [*parts, replace(stage, body=rewrite(stage.body, lambda s: _without(s, packs)))]


def _pack_stage(pack: _Pack) -> Stage:
    """Return the stage that fills the workspace; its loops have variables of their own."""
    fresh = {loop.var: ix.variable(_own_name(loop.var, pack)) for loop in pack.loops}

    def rename(region: Region) -> Region:
        return replace(region, start=tuple(ix.substitute(start, fresh) for start in region.start))

    load = map_regions(replace(pack.load, dst=pack.tile), rename)
    grid = tuple(Core(_own_name(loop.var, pack), loop.extent) for loop in pack.loops)
    shape = pack.load.dst.buffer.shape
    axis = max(range(len(shape)), key=lambda axis: (shape[axis], axis))
    width = _part_width(shape[axis], prod(loop.extent for loop in grid), _unit(pack, axis))
    part = Core(_own_name("part", pack), shape[axis] // width)

    def cut(region: Region) -> Region:
        return _part(region, region.spanned[axis], ix.variable(part.var), width)

    return Stage((*grid, part), (map_regions(load, cut),), pack.load.loc)


def _part_width(size: int, n_tiles: int, unit: int) -> int:
    """Return the width of equal parts of a tile's side, at most as many as make `_PARTS` cores."""
    least = max(_LEAST_WIDTH, size * n_tiles // _PARTS)
    return min((w for w in range(unit, size, unit) if w >= least and size % w == 0), default=size)


def _unit(pack: _Pack, axis: int) -> int:
    """Return what a part of a tile is a multiple of: of weights, all taps of a block of channels.

    Then plain weights are read along the rows that they lie in.
    """
    src = pack.load.src
    is_rows = isinstance(src.view, AsMatrix) and axis == 0
    return prod(src.buffer.shape[2:]) * src.buffer.dtype.k0 if is_rows else _FRACTAL


def _part(region: Region, axis: int, number: Index, width: int) -> Region:
    """Return a region's part `number`, so wide along an axis of its view."""
    start, extent = list(region.start), list(region.extent)
    start[axis] = ix.add(start[axis], ix.scale(number, width * region.step[axis]))
    extent[axis] = width
    return replace(region, start=tuple(start), extent=tuple(extent))


def _own_name(var: str, pack: _Pack) -> str:
    return f"{var}.{pack.workspace.name}"


def _without(stmt: Stmt, packs: Mapping[str, _Pack]) -> Body:
    """Return the statement with packed tiles read from their workspaces, no longer filled."""
    match stmt:
        case Alloc(buffer) if buffer.name in packs:
            return ()
        case Move(dst) if dst.buffer.name in packs:
            return ()
        case Mmad():
            return (map_regions(stmt, lambda region: _from_workspace(region, packs)),)
        case _:
            return (stmt,)


def _from_workspace(region: Region, packs: Mapping[str, _Pack]) -> Region:
    pack = packs.get(region.buffer.name)
    if pack is None or not isinstance(region.view, Permute):
        return region
    n_lead = len(pack.loops)
    groups = [(axis,) for axis in range(n_lead)]
    groups += [tuple(axis + n_lead for axis in group) for group in region.view.groups]
    return Region(
        pack.workspace,
        Permute(tuple(groups)),
        (*(ix.variable(loop.var) for loop in pack.loops), *region.start),
        (*(1 for _ in pack.loops), *region.step),
        (*(None for _ in pack.loops), *region.extent),
        region.loc,
    )


def _tile(workspace: Buffer, lead: tuple[Index, ...], shape: tuple[int, ...]) -> Region:
    return Region(
        workspace,
        identity(workspace.rank),
        (*lead, *(ix.ZERO for _ in shape)),
        (1,) * workspace.rank,
        (*(None for _ in lead), *shape),
    )


def _packs(stage: Stage) -> Iterator[_Pack]:
    """Yield the loads that some cores or iterations repeat."""
    by_cube = only_read_by_cube(stage)
    changed = {r.buffer.name for stmt in walk(stage.body) if (r := written(stmt)) is not None}
    for load, loops in find_loads(stage.body, stage.grid):
        used = _variables(load.src)
        needed = tuple(loop for loop in loops if loop.var in used)
        repeats = any(loop.extent > 1 for loop in loops if loop.var not in used)
        is_steady = used == {loop.var for loop in needed} and load.src.buffer.name not in changed
        if repeats and is_steady and load.dst.buffer.name in by_cube:
            pack = _Pack(load, needed, _workspace(load.dst.buffer, needed))
            if prod(pack.workspace.shape) <= _ROOM * max(prod(load.src.buffer.shape), _SMALL):
                yield pack


def _workspace(buffer: Buffer, loops: tuple[Core, ...]) -> Buffer:
    shape = (*(loop.extent for loop in loops), *buffer.shape)
    return Buffer(f"{buffer.name}.packed", Memory.GM, buffer.dtype, shape, ND, buffer.loc)


def find_loads(body: Body, loops: tuple[Core, ...]) -> Iterator[tuple[Move, tuple[Core, ...]]]:
    """Yield the loads of the cube's whole tiles in loops of constant extents, with these loops.

    The tile is allocated beside its load, so the load is all that it ever holds.
    """
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    for stmt in body:
        match stmt:
            case Move(dst, src):
                is_load = dst.buffer.memory in _TILES and src.buffer.memory is Memory.GM
                if is_load and dst.is_whole and dst.buffer.name in own:
                    yield stmt, loops
            case Loop() if stmt.extent.is_constant:
                yield from find_loads(stmt.body, (*loops, Core(stmt.var, stmt.extent.constant)))
            case _:
                pass


def only_read_by_cube(stage: Stage) -> set[str]:
    """Return the tiles that are written by one statement and read by products only."""
    n_writers: dict[str, int] = {}
    others: set[str] = set()
    for stmt in walk(stage.body):
        target = written(stmt)
        if target is not None:
            n_writers[target.buffer.name] = n_writers.get(target.buffer.name, 0) + 1
        if not isinstance(stmt, Mmad):
            others |= {region.buffer.name for region in reads(stmt)}
    return {name for name, count in n_writers.items() if count == 1 and name not in others}


def _variables(region: Region) -> set[str]:
    return {name for start in region.start for name in ix.free_variables(start)}
