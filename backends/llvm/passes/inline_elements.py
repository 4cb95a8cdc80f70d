"""Turn chains of moves and maps into one map, so that a tile is read and written once.

A tile in UB that one statement sets and one reads, element by element, need not exist: the reader
computes its elements where it needs them. L0C -> UB -> {cast, bias, relu} -> GM becomes one map
from the accumulator to the tensor. A tile that only copies, perhaps to another dtype, is as good
as what it copies: every reader computes it again. Every operation still rounds to its own dtype,
so results are the same bit for bit. An expression grows to some size only: `t[:] = t * t` doubles
it every time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tilelang.backends.llvm.liveness import local_tiles, mentions, n_reads
from tilelang.ir.expression import Cast, Expr, Load, dtype_of, loads, rewrite_expr, walk_expr
from tilelang.ir.nodes import Alloc, Body, If, Loop, Map, Move, Program, Stage, Stmt
from tilelang.ir.region import Memory, Permute, Region
from tilelang.ir.walk import walk, written
from tilelang.layouts import ND

_MOST_PARTS = 128
"""Of an expression that is computed where it is read; the longest of a shipped kernel has 18."""


def inline_elements(program: Program) -> Program:
    """Return `program` with every tile that has one element-wise reader computed there."""
    return replace(
        program,
        body=tuple(_of_stage(part) if isinstance(part, Stage) else part for part in program.body),
    )


def _of_stage(stage: Stage) -> Stage:
    return replace(stage, body=_of_body(stage.body))


def _of_body(body: Body) -> Body:
    inner = tuple(_of_inner_bodies(stmt) for stmt in body)
    return _drop_unused(tuple(_Inliner(inner).statements()))


def _of_inner_bodies(stmt: Stmt) -> Stmt:
    match stmt:
        case Loop():
            return replace(stmt, body=_of_body(stmt.body))
        case If():
            return replace(stmt, then=_of_body(stmt.then), otherwise=_of_body(stmt.otherwise))
        case _:
            return stmt


def _drop_unused(body: Body) -> Body:
    """Return `body` without allocations that nothing mentions any more."""
    used = {region.buffer.name for stmt in walk(body) for region in mentions(stmt)}
    return tuple(stmt for stmt in body if not isinstance(stmt, Alloc) or stmt.buffer.name in used)


@dataclass
class _Inliner:
    """One body: the tiles set but not yet written, by name, each with its map."""

    body: Body
    pending: dict[str, Map] = field(default_factory=dict[str, Map])

    def statements(self) -> Iterator[Stmt]:
        """Yield the statements of the new body."""
        local = local_tiles(self.body)
        for place, stmt in enumerate(self.body):
            mapped = _as_map(stmt)
            later = self.body[place + 1 :]
            if mapped is None:
                yield from self._before(stmt, later)
                yield stmt
                continue
            yield from self._unreadable(mapped)
            mapped = self._inlined(mapped, later)
            yield from self._invalidated(mapped)
            name = mapped.dst.buffer.name
            n_readers = n_reads(later, name)
            if (
                mapped.dst.is_whole
                and name in local
                and (n_readers == 1 or (n_readers and _is_copy(mapped.expr)))
                and _n_parts(mapped.expr) <= _MOST_PARTS
            ):
                self.pending[name] = mapped
            else:
                yield mapped if isinstance(stmt, Map) or mapped != _as_map(stmt) else stmt
        yield from self._written(tuple(self.pending))

    def _before(self, stmt: Stmt, later: Body) -> Iterator[Stmt]:
        """Yield what must be written before a statement that is not element-wise.

        What it reads comes last, so that a reduction stands behind the map that it may join.
        """
        if isinstance(stmt, Alloc):
            return
        mentioned = {r.buffer.name for inner in walk((stmt,)) for r in mentions(inner)}
        changed = {r.buffer.name for s in walk((stmt,)) if (r := written(s)) is not None}
        yield from self._written(
            name
            for name, made in tuple(self.pending.items())
            if name in changed or _sources(made) & changed
        )
        yield from self._read(sorted(mentioned & set(self.pending)), later)

    def _read(self, names: Iterable[str], later: Body) -> Iterator[Stmt]:
        """Write pending tiles that are about to be read; copies may still be copied later."""
        for name in names:
            yield self.pending[name]
            if not n_reads(later, name):
                del self.pending[name]

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
            and (region.shape == stmt.dst.shape or isinstance(made.expr, Load))
            and all(r == stmt.dst for r in overlapping)
        )

    def _inlined(self, stmt: Map, later: Body) -> Map:
        def inline(expr: Expr) -> Expr:
            if isinstance(expr, Load) and expr.region.buffer.name in self.pending:
                return self.pending[expr.region.buffer.name].expr
            return expr

        new = replace(stmt, expr=rewrite_expr(stmt.expr, inline))
        overwritten = stmt.dst.buffer.name if stmt.dst.is_whole else None
        for name in dict.fromkeys(region.buffer.name for region in loads(stmt.expr)):
            if name in self.pending and (name == overwritten or not n_reads(later, name)):
                del self.pending[name]
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


def _n_parts(expr: Expr) -> int:
    return sum(1 for _ in walk_expr(expr))


def _is_copy(expr: Expr) -> bool:
    """Return whether an expression only reads what lies side by side, which may be repeated."""
    source = expr.x if isinstance(expr, Cast) else expr
    return isinstance(source, Load) and _lies_together(source.region)


def _lies_together(region: Region) -> bool:
    """Return whether neighbours along the last axis of a region are neighbours in memory."""
    if not isinstance(region.view, Permute) or region.buffer.layout != ND or not region.spanned:
        return False
    last = region.spanned[-1]
    return region.step[last] == 1 and region.view.groups[last][-1] == region.buffer.rank - 1


def _as_map(stmt: Stmt) -> Map | None:
    """Return an element-wise statement as a map, which may then touch any memory."""
    match stmt:
        case Map():
            return replace(stmt, expr=rewrite_expr(stmt.expr, _without_cast))
        case Move(dst, src) if _is_tile(dst, src):
            expr: Expr = Load(src, stmt.pad)
            if src.buffer.dtype is not dst.buffer.dtype:
                expr = Cast(expr, dst.buffer.dtype)
            return Map(dst, expr, stmt.loc)
        case _:
            return None


def _without_cast(expr: Expr) -> Expr:
    """Return what a cast to the dtype that its operand has already is of."""
    match expr:
        case Cast(x, dtype) if dtype_of(x) is dtype:
            return x
        case _:
            return expr


def _is_tile(dst: Region, src: Region) -> bool:
    """Return whether a move goes to or from UB, with one shape on both sides."""
    return Memory.UB in (dst.buffer.memory, src.buffer.memory) and dst.shape == src.shape


def _sources(stmt: Map) -> set[str]:
    return {region.buffer.name for region in loads(stmt.expr)}
