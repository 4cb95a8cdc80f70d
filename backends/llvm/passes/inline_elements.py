"""Turn chains of moves and maps into one map, so that a tile is read and written once.

A tile in UB that one statement sets and one reads, element by element, need not exist: the reader
computes its elements where it needs them. L0C -> UB -> {cast, bias, relu} -> GM becomes one map
from the accumulator to the tensor. Every operation still rounds to its own dtype, so results are
the same bit for bit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tilelang.backends.llvm.passes.existence import always_exists, ranges_of
from tilelang.ir import index as ix
from tilelang.ir.expression import Cast, Expr, Load, loads, rewrite_expr
from tilelang.ir.nodes import Alloc, Body, If, Loop, Map, Move, Program, Stage, Stmt
from tilelang.ir.region import Memory, Region
from tilelang.ir.walk import reads, walk, written

Ranges = dict[str, tuple[int, int]]


def inline_elements(program: Program) -> Program:
    """Return `program` with every tile that has one element-wise reader computed there."""
    return replace(
        program,
        body=tuple(_of_stage(part) if isinstance(part, Stage) else part for part in program.body),
    )


def _of_stage(stage: Stage) -> Stage:
    return replace(stage, body=_of_body(stage.body, ranges_of(stage.grid)))


def _of_body(body: Body, ranges: Ranges) -> Body:
    inner = tuple(_of_inner_bodies(stmt, ranges) for stmt in body)
    return _drop_unused(tuple(_Inliner(inner, ranges).statements()))


def _of_inner_bodies(stmt: Stmt, ranges: Ranges) -> Stmt:
    match stmt:
        case Loop():
            last = ix.bounds(stmt.extent, ranges)[1] - 1
            return replace(stmt, body=_of_body(stmt.body, {**ranges, stmt.var: (0, max(last, 0))}))
        case If():
            then, otherwise = _of_body(stmt.then, ranges), _of_body(stmt.otherwise, ranges)
            return replace(stmt, then=then, otherwise=otherwise)
        case _:
            return stmt


def _drop_unused(body: Body) -> Body:
    """Return `body` without allocations that nothing mentions any more."""
    used = {region.buffer.name for stmt in walk(body) for region in _mentions(stmt)}
    return tuple(stmt for stmt in body if not isinstance(stmt, Alloc) or stmt.buffer.name in used)


def _mentions(stmt: Stmt) -> Iterator[Region]:
    yield from reads(stmt)
    target = written(stmt)
    if target is not None:
        yield target


@dataclass
class _Inliner:
    """One body: the tiles set but not yet written, by name, each with its map."""

    body: Body
    ranges: Ranges
    pending: dict[str, Map] = field(default_factory=dict[str, Map])

    def statements(self) -> Iterator[Stmt]:
        """Yield the statements of the new body."""
        local = _local_tiles(self.body)
        for place, stmt in enumerate(self.body):
            mapped = _as_map(stmt, self.ranges)
            if mapped is None:
                yield from self._before(stmt)
                yield stmt
                continue
            yield from self._unreadable(mapped)
            mapped = self._inlined(mapped)
            yield from self._invalidated(mapped)
            name = mapped.dst.buffer.name
            if (
                mapped.dst.is_whole
                and name in local
                and _n_reads(self.body[place + 1 :], name) == 1
            ):
                self.pending[name] = mapped
            else:
                yield stmt if mapped == _as_map(stmt, self.ranges) else mapped
        yield from self._written(tuple(self.pending))

    def _before(self, stmt: Stmt) -> Iterator[Stmt]:
        """Yield what must be written before a statement that is not element-wise."""
        if isinstance(stmt, Alloc):
            return
        mentioned = {r.buffer.name for inner in walk((stmt,)) for r in _mentions(inner)}
        yield from self._written(
            name
            for name, made in tuple(self.pending.items())
            if name in mentioned or _sources(made) & mentioned
        )

    def _unreadable(self, stmt: Map) -> Iterator[Stmt]:
        """Write the pending tiles that `stmt` does not read element by element."""
        for region in loads(stmt.expr):
            made = self.pending.get(region.buffer.name)
            if made is not None and not self._fits(stmt, region, made):
                yield from self._written([region.buffer.name])

    def _fits(self, stmt: Map, region: Region, made: Map) -> bool:
        overlapping = [r for r in loads(made.expr) if r.buffer == stmt.dst.buffer]
        return (
            region.is_whole
            and region.shape == stmt.dst.shape
            and all(r == stmt.dst for r in overlapping)
        )

    def _inlined(self, stmt: Map) -> Map:
        def inline(expr: Expr) -> Expr:
            if isinstance(expr, Load) and expr.region.buffer.name in self.pending:
                return self.pending[expr.region.buffer.name].expr
            return expr

        new = replace(stmt, expr=rewrite_expr(stmt.expr, inline))
        for region in loads(stmt.expr):
            self.pending.pop(region.buffer.name, None)
        return new

    def _invalidated(self, stmt: Map) -> Iterator[Stmt]:
        """Write the pending tiles that read, or are, what `stmt` is about to change."""
        target = stmt.dst.buffer.name
        yield from self._written(
            name
            for name, made in tuple(self.pending.items())
            if name == target or target in _sources(made)
        )

    def _written(self, names: Iterable[str]) -> Iterator[Stmt]:
        """Write pending tiles. No other reads them: reading takes a tile in, or writes it."""
        for name in names:
            if name in self.pending:
                yield self.pending.pop(name)


def _local_tiles(body: Body) -> set[str]:
    """Return the tiles in UB of `body` that only its own statements mention, none inside."""
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    nested = {
        region.buffer.name
        for stmt in body
        if isinstance(stmt, Loop | If)
        for inner in walk((stmt,))
        for region in _mentions(inner)
    }
    tiles = {s.buffer.name for s in body if isinstance(s, Alloc) and s.buffer.memory is Memory.UB}
    return (own & tiles) - nested


def _n_reads(later: Body, name: str) -> int:
    """Return how many statements read the tile before it is set again.

    One that reads it twice computes it once: the generator of code shares what is the same.
    """
    count = 0
    for stmt in later:
        count += any(region.buffer.name == name for region in reads(stmt))
        target = written(stmt)
        if target is not None and target.buffer.name == name:
            return count if target.is_whole else 2  # what a partial write leaves is read later
    return count


def _as_map(stmt: Stmt, ranges: Ranges) -> Map | None:
    """Return an element-wise statement as a map, which may then touch any memory."""
    match stmt:
        case Map():
            return stmt
        case Move(dst, src) if always_exists(src, ranges) and _is_tile(dst, src):
            expr: Expr = Load(src)
            if src.buffer.dtype is not dst.buffer.dtype:
                expr = Cast(expr, dst.buffer.dtype)
            return Map(dst, expr, stmt.loc)
        case _:
            return None


def _is_tile(dst: Region, src: Region) -> bool:
    """Return whether a move goes to or from UB, with one shape on both sides."""
    return Memory.UB in (dst.buffer.memory, src.buffer.memory) and dst.shape == src.shape


def _sources(stmt: Map) -> set[str]:
    return {region.buffer.name for region in loads(stmt.expr)}
