"""Turn every `Matmul` into loads of L0A and L0B and `Mmad`s, in steps that fit those memories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tilelang.diagnostics import Location
from tilelang.dtypes import BLOCK_BYTES
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Loop,
    LoopKind,
    Matmul,
    Mmad,
    Move,
    Program,
    Stage,
    Stmt,
)
from tilelang.ir.region import Buffer, Memory, Region, whole
from tilelang.ir.walk import walk
from tilelang.layouts import FRACTAL_ROWS, LayoutKind, layout_for
from tilelang.machines import Machine
from tilelang.passes.fresh_names import FreshNames


def expand_matmul(program: Program, machine: Machine) -> Program:
    """Return `program` without `Matmul`: each becomes loads of L0A and L0B, and `Mmad`s of these.

    Operands that do not fit what is left there, with double buffering counted, are taken in steps:
    of k first, then n, then m, all of whole fractals. Steps of k come in ascending order, and only
    the first may begin the sum. Steps are double-buffered in their turn where loads hide behind
    products. Loads keep the views of the operands, so they transpose what is
    written `b1.T` and fill up what `tl.as_matrix` leaves open.
    """
    room = {memory: machine.capacity[memory] for memory in (Memory.L0A, Memory.L0B)}
    scope = _Scope(machine, room, 1, FreshNames(program))
    body = tuple(
        replace(part, body=_expand(part.body, scope)) if isinstance(part, Stage) else part
        for part in program.body
    )
    return replace(program, body=body)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a body may use: bytes left in L0A and L0B, and how often its own buffers exist."""

    machine: Machine
    room: Mapping[Memory, int]
    n_copies: int
    fresh: FreshNames

    def inside(self, body: Body, n_copies: int) -> "_Scope":
        """Return the scope of `body`, of which there are `n_copies` for double buffering."""
        n_copies *= self.n_copies
        room = dict(self.room)
        for stmt in body:
            if isinstance(stmt, Alloc) and stmt.buffer.memory in room:
                room[stmt.buffer.memory] -= n_copies * stmt.buffer.n_bytes
        return _Scope(self.machine, room, n_copies, self.fresh)


def _expand(body: Body, outer: _Scope, n_copies: int = 1) -> Body:
    scope = outer.inside(body, n_copies)
    is_alone = sum(map(_uses_l0, walk(body))) == 1
    return tuple(new for stmt in body for new in _expand_stmt(stmt, scope, is_alone=is_alone))


def _uses_l0(stmt: Stmt) -> bool:
    if isinstance(stmt, Alloc):
        return stmt.buffer.memory in (Memory.L0A, Memory.L0B)
    return isinstance(stmt, Matmul)


def _expand_stmt(stmt: Stmt, scope: _Scope, *, is_alone: bool) -> Body:
    match stmt:
        case Loop():
            return (replace(stmt, body=_expand(stmt.body, scope, stmt.stages)),)
        case If():
            then, otherwise = _expand(stmt.then, scope), _expand(stmt.otherwise, scope)
            return (replace(stmt, then=then, otherwise=otherwise),)
        case Matmul():
            steps = _steps(stmt, scope)
            if is_alone or not any(isinstance(step, Alloc) for step in steps):
                return steps
            # Buffers live to the end of their body. A loop of one step ends them, so that the next
            # product finds the room that this one had.
            once = _Part(scope.fresh(f"{stmt.dst.buffer.name}_once"), 1, ix.ZERO, 0)
            return (_loop(once, steps, stmt),)
        case _:
            return (stmt,)


@dataclass(frozen=True, slots=True)
class _Part:
    """`n_steps` blocks of `extent` elements along an axis; `offset` is where the current starts.

    Without `var` they need no loop: there is one, and nothing that needs its room comes after it.
    """

    var: str
    n_steps: int
    offset: Index
    extent: int

    @property
    def is_first(self) -> Condition:
        """The condition that the current block starts the axis."""
        if self.n_steps == 1:
            return cond.equal(self.offset, ix.ZERO)
        return cond.equal(ix.variable(self.var), ix.ZERO)


def _steps(stmt: Matmul, scope: _Scope) -> Body:
    """Return the loops over blocks of m, n and k that multiply the operands of `stmt`."""
    (m, k), n, name = stmt.a.shape, stmt.b.shape[1], stmt.dst.buffer.name
    m_size, k_size, n_size = _block_sizes(stmt, scope.room, scope.n_copies)
    stages = 1
    if k_size < k:
        m_half, k_half, n_half = _block_sizes(stmt, scope.room, 2 * scope.n_copies)
        if (m_half, n_half) == (m, n) and _hides_loads(stmt, k_half, scope.machine):
            k_size, stages = k_half, 2
    rows: list[Stmt] = []
    for of_m in _parts(m, m_size, f"{name}_m", scope.fresh):
        columns: list[Stmt] = []
        for of_n in _parts(n, n_size, f"{name}_n", scope.fresh):
            terms: list[Stmt] = []
            for of_k in _parts(k, k_size, f"{name}_k", scope.fresh):
                product = _product(stmt, of_m, of_k, of_n, fresh=scope.fresh)
                terms += _repeat(of_k, product, stmt, stages)
            columns += _repeat(of_n, terms, stmt)
        rows += _repeat(of_m, columns, stmt)
    return tuple(rows)


def _hides_loads(stmt: Matmul, k: int, machine: Machine) -> bool:
    """Return whether loads of steps of `k` take at most three quarters of their products' time.

    Times are those of load2d and mmad in the machine's file: a row of fractals is a load.
    """
    rates = machine.rates
    if "path.l1_l0a" not in rates:
        return False
    sides = stmt.a.shape[0], stmt.b.shape[1]
    n_rows, n_columns = (_n_blocks(side, FRACTAL_ROWS) for side in sides)
    depth, start = _n_blocks(k, stmt.a.buffer.dtype.k0), rates["startup.load2d"]
    fractal_bytes = FRACTAL_ROWS * BLOCK_BYTES
    left = n_rows * (start + depth * fractal_bytes / rates["path.l1_l0a"])
    right = depth * (start + n_columns * fractal_bytes / rates["path.l1_l0b"])
    product = n_rows * depth * n_columns * rates["cube.cycles_per_fractal"]
    return left + right <= 0.75 * product


def _block_sizes(stmt: Matmul, room: Mapping[Memory, int], n_copies: int) -> tuple[int, int, int]:
    """Return the largest blocks of m, k and n whose operands fit `room`, each `n_copies` times.

    At least a fractal: where there is no room for that, the verifier says so afterwards.
    """
    (m, k), n = stmt.a.shape, stmt.b.shape[1]
    k_unit, n_bytes = stmt.a.buffer.dtype.k0, stmt.a.buffer.dtype.n_bytes
    strip_bytes = k_unit * n_bytes * n_copies  # of a row of `a`, or a column of `b`, one block long
    rows = room[Memory.L0A] // strip_bytes // FRACTAL_ROWS
    columns = room[Memory.L0B] // strip_bytes // FRACTAL_ROWS
    n_row_blocks, n_column_blocks = _n_blocks(m, FRACTAL_ROWS), _n_blocks(n, FRACTAL_ROWS)
    k_blocks = min(rows // max(n_row_blocks, 1), columns // max(n_column_blocks, 1))
    return (
        _evenly(m, FRACTAL_ROWS, rows),
        _evenly(k, k_unit, k_blocks),
        _evenly(n, FRACTAL_ROWS, columns),
    )


def _n_blocks(extent: int, unit: int) -> int:
    return -(-extent // unit)


def _evenly(extent: int, unit: int, most: int) -> int:
    """Return a size of at most `most` units, or one, that cuts `extent` into few equal parts."""
    n_parts = _n_blocks(_n_blocks(extent, unit), max(most, 1))
    return min(_n_blocks(extent, max(n_parts, 1) * unit) * unit, extent)


def _parts(extent: int, size: int, name: str, fresh: FreshNames) -> Sequence[_Part]:
    """Return `extent` cut into blocks of `size`, in order, and the rest."""
    n_steps, rest = divmod(extent, size) if size else (1, 0)
    if n_steps == 0 or (n_steps == 1 and rest == 0):
        return (_Part("", 1, ix.ZERO, extent),)
    var = fresh(name)
    offset = ix.ZERO if n_steps == 1 else ix.scale(ix.variable(var), size)
    first = _Part(var, n_steps, offset, size)
    return (first, _Part("", 1, ix.constant(n_steps * size), rest)) if rest else (first,)


def _repeat(part: _Part, body: Sequence[Stmt], stmt: Matmul, stages: int = 1) -> Sequence[Stmt]:
    return (_loop(part, body, stmt, stages),) if part.var else body


def _loop(part: _Part, body: Sequence[Stmt], stmt: Matmul, stages: int = 1) -> Loop:
    extent = ix.constant(part.n_steps)
    return Loop(part.var, extent, LoopKind.SERIAL, stages, tuple(body), stmt.loc)


def _product(stmt: Matmul, of_m: _Part, of_k: _Part, of_n: _Part, *, fresh: FreshNames) -> Body:
    """Return the loads of one block of each operand, and their product."""
    a, b = _cut(stmt.a, of_m, of_k), _cut(stmt.b, of_k, of_n)
    l0a = _in_l0(a, Memory.L0A, LayoutKind.ZZ, fresh, loc=stmt.loc)
    l0b = _in_l0(b, Memory.L0B, LayoutKind.ZN, fresh, loc=stmt.loc)
    init = cond.conjunction(stmt.init, of_k.is_first)
    product = Mmad(_cut(stmt.dst, of_m, of_n), whole(l0a), whole(l0b), init, stmt.loc)
    return (
        Alloc(l0a, stmt.loc),
        Alloc(l0b, stmt.loc),
        Move(whole(l0a), a, 0, stmt.loc),
        Move(whole(l0b), b, 0, stmt.loc),
        product,
    )


def _in_l0(
    operand: Region, memory: Memory, kind: LayoutKind, fresh: FreshNames, *, loc: Location
) -> Buffer:
    """Return a buffer in L0A or L0B that takes `operand`."""
    name, dtype = operand.buffer.name, operand.buffer.dtype
    layout = layout_for(kind, dtype)
    return Buffer(fresh(f"{name}_{memory.value}"), memory, dtype, operand.shape, layout, loc)


def _cut(region: Region, *parts: _Part) -> Region:
    """Return the block of `region` that `parts`, one an axis of its shape, stand for."""
    start, extent = list(region.start), list(region.extent)
    for axis, part in zip(region.spanned, parts, strict=True):
        start[axis] = ix.add(start[axis], ix.scale(part.offset, region.step[axis]))
        extent[axis] = part.extent
    return replace(region, start=tuple(start), extent=tuple(extent))
