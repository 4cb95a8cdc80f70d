"""Undo double buffering by hand: an array of tiles that is filled one step ahead of its use.

    move(a1[0], a[0])
    for k: move(a1[(k + 1) % 2], a[k + 1]); use(a1[k % 2])

becomes `for k: move(tile, a[k]); use(tile)`.
Triton prefetches by itself, and carrying two tiles round a loop keeps it from doing so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tilelang.backends.triton.forms import n_lead_of, shared_tensors
from tilelang.backends.triton.simplify import simplify_condition
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, If, Loop, Move, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Region, identity, whole
from tilelang.ir.walk import map_regions, reads, rewrite, walk, written


def drop_ping_pong(stage: Stage) -> Stage:
    """Return `stage` with tiles that are prefetched by hand loaded where they are used."""
    arrays = [stmt.buffer for stmt in walk(stage.body) if isinstance(stmt, Alloc)]
    for buffer in arrays:
        found = _find(buffer, stage)
        if found is not None:
            stage = replace(stage, body=found.undone(stage.body))
    return stage


@dataclass(frozen=True, slots=True)
class _PingPong:
    """An array of tiles, the loop that uses it, its fill before that, and the one a step ahead."""

    buffer: Buffer
    loop: Loop
    start: Move
    ahead: Move
    reads_at: Index

    @property
    def tile(self) -> Buffer:
        """One tile of the array."""
        return replace(self.buffer, shape=self.buffer.shape[1:])

    def undone(self, body: Body) -> Body:
        """Return `body` with one tile instead of the array, filled at the start of each step."""
        return rewrite(body, self._changed)

    def _changed(self, stmt: Stmt) -> Body:
        match stmt:
            case Alloc(buffer) if buffer == self.buffer:
                return ()
            case Move() if stmt in (self.start, self.ahead):
                return ()
            case If(_, (), ()):
                return ()
            case Loop() if stmt.var == self.loop.var:
                source = _shifted(self.ahead.src, self.loop.var, -1)
                fill = Move(whole(self.tile), source, self.ahead.pad, self.ahead.loc)
                return (replace(stmt, body=(Alloc(self.tile), fill, *stmt.body)),)
            case _:
                return (map_regions(stmt, self._on_tile),)

    def _on_tile(self, region: Region) -> Region:
        if region.buffer != self.buffer:
            return region
        rest = (region.start[1:], region.step[1:], region.extent[1:])
        return Region(self.tile, identity(self.tile.rank), *rest, region.loc)


def _find(buffer: Buffer, stage: Stage) -> _PingPong | None:
    """Return how `buffer` is used as ping-pong, or None."""
    if buffer.rank < 2 or buffer.memory is Memory.GM:
        return None
    for body, loop in _loops(stage.body):
        inside = [stmt for stmt in walk(loop.body) if _touches(stmt, buffer)]
        around = [stmt for stmt in walk(stage.body) if _touches(stmt, buffer)]
        before = [stmt for stmt in body[: _place(body, loop)] if _touches(stmt, buffer)]
        if len(inside) + len(before) != len(around) or len(before) != 1:
            continue
        found = _match(buffer, loop, before[0], inside)
        if found and found.ahead.src.buffer.name not in shared_tensors(stage):
            return found
    return None


def _loops(body: Body) -> Iterator[tuple[Body, Loop]]:
    """Yield each loop, and the body that it stands in."""
    for stmt in body:
        match stmt:
            case Loop():
                yield body, stmt
                yield from _loops(stmt.body)
            case If():
                yield from _loops(stmt.then)
                yield from _loops(stmt.otherwise)
            case _:
                pass


def _place(body: Body, loop: Loop) -> int:
    return next(number for number, stmt in enumerate(body) if stmt is loop)


def _regions(stmt: Stmt) -> Iterator[Region]:
    yield from reads(stmt)
    if (target := written(stmt)) is not None:
        yield target


def _touches(stmt: Stmt, buffer: Buffer) -> bool:
    return any(region.buffer == buffer for region in _regions(stmt))


def _match(buffer: Buffer, loop: Loop, start: Stmt, inside: Sequence[Stmt]) -> _PingPong | None:
    fills = [stmt for stmt in inside if (to := written(stmt)) and to.buffer == buffer]
    uses = [region for s in inside for region in reads(s) if region.buffer == buffer]
    if len(fills) != 1 or not uses or not all(_is_tile(region) for region in uses):
        return None
    ahead, read_at = fills[0], uses[0].start[0]
    if not isinstance(ahead, Move) or not isinstance(start, Move):
        return None
    if any(region.start[0] != read_at for region in uses) or ahead.pad != start.pad:
        return None
    steps = _is_filled_a_step_ahead(buffer, loop, start, ahead, read_at)
    if not steps or not _always_runs(ahead, loop):
        return None
    return _PingPong(buffer, loop, start, ahead, read_at)


def _is_tile(region: Region) -> bool:
    """Return whether `region` lies in one tile of its array."""
    return n_lead_of(region) >= 1 and region.view == identity(region.buffer.rank)


def _is_filled_a_step_ahead(
    buffer: Buffer, loop: Loop, start: Move, ahead: Move, read_at: Index
) -> bool:
    """Return whether what a step reads is what the step before it, or `start`, has filled."""
    n_tiles, var = buffer.shape[0], loop.var
    if not all(_is_filled_whole(move.dst) for move in (start, ahead)):
        return False
    if n_tiles < 2 or ahead.src.buffer.memory is not Memory.GM:
        return False
    before = _shifted_index(ahead.dst.start[0], var, -1)
    first = ix.substitute(read_at, {var: ix.ZERO})
    return (
        _is_cyclic(read_at, n_tiles)
        and before == read_at
        and start.dst.start[0] == first
        and start.src == _at_minus_one(ahead.src, var)
    )


def _is_cyclic(index: Index, n_tiles: int) -> bool:
    """Return whether `index` is a number modulo `n_tiles`, so that a step ahead is another tile."""
    match index.terms:
        case ((ix.Mod(_, divisor), 1),):
            return divisor == n_tiles and index.constant == 0
        case _:
            return False


def _is_filled_whole(region: Region) -> bool:
    tile = region.buffer.shape[1:]
    return _is_tile(region) and region.extent[1:] == tile and set(region.start[1:]) <= {ix.ZERO}


def _always_runs(ahead: Move, loop: Loop) -> bool:
    """Return whether `ahead` runs in every step but perhaps the last."""
    for stmt in loop.body:
        if stmt is ahead:
            return True
        if isinstance(stmt, If) and ahead in stmt.then and not stmt.otherwise:
            return _holds_before_the_last(stmt.condition, loop)
    return False


def _holds_before_the_last(condition: Condition, loop: Loop) -> bool:
    names = {name for index in cond.indices(condition) for name in ix.free_variables(index)}
    if names != {loop.var} or not loop.extent.is_constant:
        return False
    limits = {loop.var: (0, max(loop.extent.constant - 2, 0))}
    return loop.extent.constant < 2 or simplify_condition(condition, limits) == cond.TRUE


def _shifted(region: Region, var: str, by: int) -> Region:
    return replace(region, start=tuple(_shifted_index(one, var, by) for one in region.start))


def _shifted_index(index: Index, var: str, by: int) -> Index:
    return ix.substitute(index, {var: ix.add(ix.variable(var), ix.constant(by))})


def _at_minus_one(region: Region, var: str) -> Region:
    minus_one = {var: ix.constant(-1)}
    return replace(region, start=tuple(ix.substitute(one, minus_one) for one in region.start))
