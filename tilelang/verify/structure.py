"""Rules of names, places and loops: everything is declared once, where it belongs, and in scope."""

from collections.abc import Iterator
from typing import assert_never

from tilelang.diagnostics import Diagnostic, Location, Note
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import IndexValue, walk_expr
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, If, Img2col, Loop, Map, Matmul, Mmad, Program, Stmt
from tilelang.ir.region import Memory, Region
from tilelang.ir.walk import walk, walk_program
from tilelang.verify.scope import Scope
from tilelang.verify.wording import ALLOCATORS, declared, index_text, place


def name_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield each name that two buffers, or two loops, share."""
    yield from _doubles("buffers", _buffer_names(program))
    yield from _doubles("loop variables", _variable_names(program))


def _buffer_names(program: Program) -> Iterator[tuple[str, Location]]:
    for buffer in (*program.inputs, *program.results):
        yield buffer.name, buffer.loc
    for stmt in walk_program(program):
        if isinstance(stmt, Alloc):
            yield stmt.buffer.name, stmt.loc


def _variable_names(program: Program) -> Iterator[tuple[str, Location]]:
    for stage in program.stages:
        yield from ((core.var, stage.loc) for core in stage.grid)
        yield from ((stmt.var, stmt.loc) for stmt in walk(stage.body) if isinstance(stmt, Loop))


def _doubles(kind: str, names: Iterator[tuple[str, Location]]) -> Iterator[Diagnostic]:
    first: dict[str, Location] = {}
    for name, loc in names:
        if name in first:
            yield Diagnostic(
                "E0301",
                f"two {kind} are called `{name}`, and a name stands for one thing in a program",
                loc,
                f"rename one of them, for example to `{name}_2`",
                (Note(f"the first `{name}`", first[name]),),
            )
        first.setdefault(name, loc)


def program_memory_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the tensors of the signature that are not in GM."""
    for buffer in (*program.inputs, *program.results):
        if buffer.memory is not Memory.GM:
            yield Diagnostic(
                "E0303",
                f"`{buffer.name}` is {buffer} in {buffer.memory}, and inputs and results are in GM",
                buffer.loc,
                f"put `{buffer.name}` into GM, and move tiles of it to {buffer.memory}",
            )


def memory_faults(stmt: Alloc, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with where `stmt` stands: workspace between stages, tiles inside one."""
    buffer, inside = stmt.buffer, scope.in_stage
    if inside and buffer.memory is Memory.GM:
        yield Diagnostic(
            "E0303",
            f"workspace `{buffer.name}` in GM is allocated inside a stage; all cores share it, so "
            "it is allocated between stages",
            stmt.loc,
            "move this line before the `tl.cores` loop",
        )
    if not inside and buffer.memory is not Memory.GM:
        yield Diagnostic(
            "E0303",
            f"`{buffer.name}` is allocated in {buffer.memory} between stages; only workspace in GM "
            f"lives there, and a tile of {buffer.memory} belongs to one core",
            stmt.loc,
            f"move this line into the stage, or write `{ALLOCATORS[Memory.GM]}`",
        )


def loop_faults(stmt: Loop) -> Iterator[Diagnostic]:
    """Yield what is wrong with the loop itself."""
    if stmt.stages < 1:
        yield Diagnostic(
            "E0305",
            f"stages={stmt.stages}, and a loop has 1 stage or more",
            stmt.loc,
            "write stages=1, or stages=2 to double-buffer",
        )


def grid_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the loops over cores that have fewer than no iterations."""
    for stage in program.stages:
        for core in stage.grid:
            if core.extent < 0:
                yield Diagnostic(
                    "E0305",
                    f"the loop of `{core.var}` over cores has {core.extent} iterations, and 0 is "
                    "the least",
                    stage.loc,
                    "write an extent of 0 or more",
                )


def scope_faults(stmt: Stmt, regions: tuple[Region, ...], scope: Scope) -> Iterator[Diagnostic]:
    """Yield the buffers and variables that `stmt` uses where they do not exist."""
    for region in regions:
        if scope.alive.get(region.buffer.name) != region.buffer:
            yield _out_of_scope(region, stmt.loc, scope)
        for index in region.start:
            yield from _unbound(index, place(region, stmt.loc), scope)
    for index in _own_indices(stmt):
        yield from _unbound(index, stmt.loc, scope)


def width_faults(stmt: Stmt, regions: tuple[Region, ...], scope: Scope) -> Iterator[Diagnostic]:
    """Yield the indices of `stmt`, whose variables are in scope, that machine integers cannot hold.

    Backends compute indices in 64 bits, and past that they would silently wrap around.
    """
    if not scope.ranges.reachable:
        return
    places = [(index, place(region, stmt.loc)) for region in regions for index in region.start]
    for index, loc in (*places, *((index, stmt.loc) for index in _own_indices(stmt))):
        most = max(max(map(abs, scope.ranges.bounds(part))) for part in _parts(index))
        if most > LARGEST_INDEX:
            yield Diagnostic(
                "E0325",
                f"`{index_text(index)}` reaches {most:,}, and an index stays within "
                f"{LARGEST_INDEX:,}",
                loc,
                "use smaller numbers: nothing so large can be indexed or counted",
            )


LARGEST_INDEX = 2**62
"""With an extent added to it an index still fits into 64 bits."""


def _parts(index: Index) -> Iterator[Index]:
    """Yield `index` and every index inside it."""
    yield index
    for atom, _ in index.terms:
        match atom:
            case ix.Var():
                pass
            case ix.FloorDiv(inner, _) | ix.Mod(inner, _):
                yield from _parts(inner)
            case ix.Min(args) | ix.Max(args):
                for arg in args:
                    yield from _parts(arg)
            case _:
                assert_never(atom)


def _out_of_scope(region: Region, loc: Location, scope: Scope) -> Diagnostic:
    name, memory = region.buffer.name, region.buffer.memory
    if name in scope.alive:
        alive = scope.alive[name]
        used = region.buffer
        found = (
            f"`{name}` is used as {used} {used.layout} in {memory}, and it is {alive} "
            f"{alive.layout} in {alive.memory}"
        )
        hint = f"use `{name}` with the shape, dtype, memory and layout that it was allocated with"
    elif name in scope.seen:
        found = f"`{name}` is used outside the loop or block that allocated it, where it is gone"
        hint = f"allocate `{name}` before that loop, or use it inside"
    else:
        found = f"`{name}` is used before it is allocated"
        hint = f"allocate it above this line: `{name} = {ALLOCATORS[memory]}(...)`"
    return Diagnostic("E0302", found, place(region, loc), hint, declared(region.buffer))


def _unbound(index: Index, loc: Location, scope: Scope) -> Iterator[Diagnostic]:
    for name in ix.free_variables(index):
        if name not in scope.ranges.limits:
            yield Diagnostic(
                "E0304",
                f"`{name}` is used outside its loop, where it has no value",
                loc,
                f"use `{name}` inside the body of the loop that gives it values",
            )


def _own_indices(stmt: Stmt) -> Iterator[Index]:
    """Yield the indices that `stmt` uses beside those of its regions."""
    match stmt:
        case Loop():
            yield stmt.extent
        case If(condition):
            yield from cond.indices(condition)
        case Matmul() | Mmad():
            yield from cond.indices(stmt.init)
        case Img2col():
            yield from (stmt.row, stmt.column)
        case Map(_, expr):
            yield from (part.index for part in walk_expr(expr) if isinstance(part, IndexValue))
        case _:
            pass
