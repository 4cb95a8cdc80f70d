"""From a stage of the tile program to a block program: moves become loads, buffers variables."""

from collections.abc import Iterator
from typing import assert_never

from tilelang.backends.triton.blocks import (
    Assign,
    Body,
    Branch,
    Define,
    Dot,
    Fetch,
    Fold,
    For,
    Operand,
    Slot,
    Step,
    lane,
    lanes,
)
from tilelang.backends.triton.finding import Finder, all_of, slot_of, tile_axes
from tilelang.backends.triton.forms import Forwarded, Kept, choose_forms, shared_tensors
from tilelang.diagnostics import Location
from tilelang.ir import index as ix
from tilelang.ir import nodes
from tilelang.ir.expression import Cast, Expr, Load, loads
from tilelang.ir.index import Index
from tilelang.ir.nodes import (
    Alloc,
    Core,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Reduce,
    Stage,
    Stmt,
)
from tilelang.ir.region import Memory, Region


def lower_stage(stage: Stage) -> Body:
    """Return the block program of one core of `stage`."""
    core, n_cores = core_number(stage.grid)
    forms = choose_forms(stage, n_cores)
    return _lower(stage.body, Finder(forms, core, shared_tensors(stage)))


def core_number(grid: tuple[Core, ...]) -> tuple[Index, int]:
    """Return the row-major number of a core among those of `grid`, and how many there are."""
    number, total = ix.ZERO, 1
    for core in grid:
        number = ix.add(ix.scale(number, core.extent), ix.variable(core.var))
        total *= core.extent
    return number, total


def _lower(body: nodes.Body, finder: Finder) -> Body:
    return tuple(step for stmt in body for step in _steps(stmt, finder))


def _steps(stmt: Stmt, finder: Finder) -> Iterator[Step]:
    match stmt:
        case Alloc(buffer):
            form = finder.forms[buffer.name]
            if isinstance(form, Kept):
                yield from (Define(tile, stmt.loc) for tile in form.tiles)
        case Loop():
            yield For(stmt.var, stmt.extent, stmt.stages, _lower(stmt.body, finder), stmt.loc)
        case If():
            then, otherwise = _lower(stmt.then, finder), _lower(stmt.otherwise, finder)
            yield Branch(stmt.condition, then, otherwise, stmt.loc)
        case Move() | Img2col():
            yield from _move(stmt, finder)
        case Map():
            yield from _map(stmt.dst, stmt.expr, stmt.loc, finder)
        case Reduce():
            yield from _fold(stmt, finder)
        case Matmul() | Mmad():
            yield from _dot(stmt, finder)
        case _:
            assert_never(stmt)


def _move(stmt: Move | Img2col, finder: Finder) -> Iterator[Step]:
    dst, form = stmt.dst, finder.forms.get(stmt.dst.buffer.name)
    if isinstance(form, Forwarded):
        return
    if isinstance(stmt, Move) and isinstance(finder.forms.get(stmt.src.buffer.name), Kept):
        yield from _copy(stmt, finder)
    elif isinstance(form, Kept):
        slot = slot_of(dst, form)
        axes = [lane(axis) for axis in tile_axes(dst, form)]
        place, pad = finder.source_of_move(stmt, axes, slot.tile.shape)
        yield Fetch(slot, place, pad, stmt.loc)
    else:
        slot = Slot((finder.temporary(dst),))
        place, pad = finder.source_of_move(stmt, lanes(len(dst.shape)), dst.shape)
        yield Fetch(slot, place, pad, stmt.loc)
        yield finder.put(dst, all_of(slot.tile), stmt.loc)


def _copy(stmt: Move, finder: Finder) -> Iterator[Step]:
    """Yield the move of a variable: to memory, or to another variable, perhaps rounded."""
    dst, src = stmt.dst, stmt.src
    if dst.buffer.memory is Memory.GM:
        _, value = finder.operand(src, stmt.loc)
        yield finder.put(dst, value, stmt.loc)
        return
    rounds = src.buffer.dtype is not dst.buffer.dtype
    expr: Expr = Cast(Load(src), dst.buffer.dtype) if rounds else Load(src)
    yield from _map(dst, expr, stmt.loc, finder)


def _map(dst: Region, expr: Expr, loc: Location, finder: Finder) -> Iterator[Step]:
    operands: dict[Region, Operand] = {}
    for region in dict.fromkeys(loads(expr)):
        fetches, operands[region] = finder.operand(region, loc)
        yield from fetches
    slot = finder.target(dst)
    yield Assign(slot, dst.shape, expr, tuple(operands.items()), loc)
    yield from finder.written_back(dst, slot, loc)


def _fold(stmt: Reduce, finder: Finder) -> Iterator[Step]:
    fetches, src = finder.operand(stmt.src, stmt.loc)
    yield from fetches
    slot = finder.target(stmt.dst)
    yield Fold(slot, stmt.op, src, stmt.axis, stmt.loc)
    yield from finder.written_back(stmt.dst, slot, stmt.loc)


def _dot(stmt: Matmul | Mmad, finder: Finder) -> Iterator[Step]:
    of_a, a = finder.operand(stmt.a, stmt.loc)
    of_b, b = finder.operand(stmt.b, stmt.loc)
    yield from (*of_a, *of_b)
    slot = finder.target(stmt.dst)
    if not isinstance(finder.forms[stmt.dst.buffer.name], Kept):
        place, pad = finder.source_of_region(stmt.dst)
        yield Fetch(slot, place, pad, stmt.loc)
    yield Dot(slot, a, b, stmt.init, stmt.loc)
    yield from finder.written_back(stmt.dst, slot, stmt.loc)
