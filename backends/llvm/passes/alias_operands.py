"""Let the cube read L1 tiles: a move from L1 to L0 only changes the order of blocks.

This backend stores an L1 tile whose every reader is such a move in the order the cube wants, so the
move, transposing or not, has nothing left to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, If, Loop, Mmad, Move, Program, Stmt
from tilelang.ir.region import Memory, Permute, Region
from tilelang.ir.walk import reads, rewrite_program, walk, walk_program, written

_OPERANDS = (Memory.L0A, Memory.L0B)


def alias_operands(program: Program) -> Program:
    """Return `program` with operands of the cube read from L1 where that is the same."""
    aliases = _aliases(program)

    def change(stmt: Stmt) -> Body:
        match stmt:
            case Alloc(buffer) if buffer.name in aliases:
                return ()
            case Move(dst) if dst.buffer.name in aliases:
                return ()
            case Mmad():
                return (replace(stmt, a=_read(stmt.a, aliases), b=_read(stmt.b, aliases)),)
            case _:
                return (stmt,)

    return rewrite_program(program, change)


def _read(region: Region, aliases: dict[str, Region]) -> Region:
    """Return the part of an L1 tile that `region` of its alias is."""
    source = aliases.get(region.buffer.name)
    if source is None:
        return region
    start, extent = list(source.start), list(source.extent)
    inner = iter(zip(region.start, region.extent, strict=True))
    for axis in source.spanned:
        offset, size = next(inner)
        start[axis], extent[axis] = ix.add(start[axis], offset), size
    return replace(source, start=tuple(start), extent=tuple(extent), loc=region.loc)


def _aliases(program: Program) -> dict[str, Region]:
    """Return the L1 region that each buffer in L0 can be read from instead, by its name."""
    bodies = [stage.body for stage in program.stages]
    bodies += [inner for body in bodies for stmt in walk(body) for inner in _bodies(stmt)]
    found = {load.dst.buffer.name: load.src for body in bodies for load in _loads(body)}
    return _consistent(program, found)


def _bodies(stmt: Stmt) -> tuple[Body, ...]:
    match stmt:
        case Loop():
            return (stmt.body,)
        case If():
            return (stmt.then, stmt.otherwise)
        case _:
            return ()


def _loads(body: Body) -> Iterator[Move]:
    """Yield the moves that fill a buffer of `body` in L0, all of it and once, from steady L1."""
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    for place, stmt in enumerate(body):
        if not isinstance(stmt, Move) or stmt.dst.buffer.name not in own:
            continue
        later = [inner for rest in body[place + 1 :] for inner in (rest, *walk(_flat(rest)))]
        if _fills_operand(stmt) and not _writes(later, stmt.src.buffer.name):
            yield stmt


def _flat(stmt: Stmt) -> Body:
    return tuple(part for body in _bodies(stmt) for part in body)


def _writes(stmts: list[Stmt], name: str) -> bool:
    regions = [written(stmt) for stmt in stmts]
    return any(region is not None and region.buffer.name == name for region in regions)


def _fills_operand(stmt: Move) -> bool:
    src, dst = stmt.src, stmt.dst
    return (
        dst.buffer.memory in _OPERANDS
        and src.buffer.memory is Memory.L1
        and dst.is_whole
        and len(src.spanned) == dst.buffer.rank == 2
        and isinstance(src.view, Permute)
        and all(len(group) == 1 for group in src.view.groups)
        and all(src.step[axis] == 1 for axis in src.spanned)
        and src.buffer.dtype is dst.buffer.dtype
    )


@dataclass(frozen=True, slots=True)
class _Use:
    """How the cube would read an L1 tile: as which operand, along which of its axes."""

    memory: Memory
    axes: tuple[tuple[int, ...], ...]


def _consistent(program: Program, found: dict[str, Region]) -> dict[str, Region]:
    """Return `found` without buffers written twice, read by others, or of tiles used otherwise."""
    memories = {
        stmt.buffer.name: stmt.buffer.memory
        for stmt in walk_program(program)
        if isinstance(stmt, Alloc)
    }
    writers: dict[str, int] = {}
    users: dict[str, set[_Use | None]] = {}
    for stmt in walk_program(program):
        target = written(stmt)
        if target is not None:
            writers[target.buffer.name] = writers.get(target.buffer.name, 0) + 1
        for region in reads(stmt):
            users.setdefault(region.buffer.name, set()).add(_use(stmt, region, found))
    return {
        name: region
        for name, region in found.items()
        if writers[name] == 1
        and users.get(name) == {_Use(memories[name], ())}
        and len(users[region.buffer.name]) == 1
        and None not in users[region.buffer.name]
    }


def _use(stmt: Stmt, region: Region, found: dict[str, Region]) -> _Use | None:
    """Return what a statement reads `region` for, if it is a product or the load of an operand."""
    match stmt:
        case Mmad(_, a, b) if region in (a, b):
            is_plain = region.buffer.memory in _OPERANDS and isinstance(region.view, Permute)
            plain = is_plain and region.extent == region.shape
            return _Use(region.buffer.memory, ()) if plain else None
        case Move(dst, src) if region == src and dst.buffer.name in found:
            assert isinstance(src.view, Permute)
            axes = tuple(src.view.groups[axis] for axis in src.spanned)
            return _Use(dst.buffer.memory, axes)
        case _:
            return None
