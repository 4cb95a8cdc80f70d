"""Cut stages in two where they need the cube and the vector unit, and these are different cores.

A kernel says `acc` in L0C, then UB, then GM. Where L0C -> UB is missing (Ascend 910B), `legalise`
makes results leave in one move if nothing happens to them on the way. If something does, this pass
comes before it: the first stage keeps what the cube does and leaves results in workspace in GM, the
second does the rest from there. Every move out of L0C has a place of its own in the workspace, by
the loops around it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tilelang.ir import index as ix
from tilelang.ir.nodes import (
    Alloc,
    Body,
    Core,
    If,
    Loop,
    LoopKind,
    Move,
    Program,
    Stage,
    Stmt,
)
from tilelang.ir.region import Buffer, Memory, Region, identity
from tilelang.ir.walk import reads, walk, written
from tilelang.layouts import FRACTAL_ROWS, Layout, LayoutKind
from tilelang.machines import Machine
from tilelang.passes.fresh_names import FreshNames
from tilelang.passes.legalise import leaves_directly
from tilelang.passes.rename_variables import rename_variables

_LAYOUT = Layout(LayoutKind.NZ, FRACTAL_ROWS)
"""Of results in workspace: as the cube has them."""


def separate(program: Program, machine: Machine) -> Program:
    """Return `program` with stages of one kind of core each, as far as they can be cut.

    A stage whose products depend on its own vector work cannot: it is left as it is, and `legalise`
    says so. The same object is returned where `machine` has one kind of core.
    """
    if machine.path(Memory.L0C, Memory.UB) is not None or not machine.path(Memory.L0C, Memory.GM):
        return program
    return separate_stages(program, lambda stage: not leaves_directly(stage, machine))


def separate_stages(program: Program, is_mixed: Callable[[Stage], bool]) -> Program:
    """Return `program` with the stages for which `is_mixed` holds cut, as far as they can be."""
    body: list[Alloc | Stage] = []
    fresh = FreshNames(program)
    for part in program.body:
        if isinstance(part, Alloc) or not is_mixed(part):
            body.append(part)
        else:
            body += _separated(part, fresh)
    return program if tuple(body) == program.body else replace(program, body=tuple(body))


def _separated(stage: Stage, fresh: FreshNames) -> tuple[Alloc | Stage, ...]:
    """Return the workspace and the two stages that `stage` becomes, or `stage` if it does not."""
    cut = _Cut(fresh, stage.limits)
    try:
        cube, vector = cut.body(stage.body, tuple((core.var, core.extent) for core in stage.grid))
    except _Joined:
        return (stage,)
    if _share_tensors(cube, vector, {alloc.buffer.name for alloc in cut.workspaces}):
        return (stage,)
    loops = [stmt.var for stmt in walk(vector) if isinstance(stmt, Loop)]
    names = {name: fresh(name) for name in (*(core.var for core in stage.grid), *loops)}
    grid = tuple(Core(names[core.var], core.extent) for core in stage.grid)
    second = replace(stage, grid=grid, body=rename_variables(vector, names))
    return (*cut.workspaces, replace(stage, body=cube), second)


class _Joined(Exception):
    """A statement uses memories of both kinds of core."""


@dataclass(slots=True)
class _Cut:
    """One stage being cut; `ranges` are those of the variables around."""

    fresh: FreshNames
    ranges: dict[str, tuple[int, int]]
    workspaces: list[Alloc] = field(default_factory=lambda: [])

    def body(self, body: Body, around: tuple[tuple[str, int], ...]) -> tuple[Body, Body]:
        """Return what the cube does of `body`, and the rest; `around`: (variable, iterations)."""
        pairs = [self._statement(stmt, around) for stmt in body]
        cube, vector = (tuple(stmt for pair in pairs for stmt in pair[side]) for side in (0, 1))
        return cube, vector

    def _statement(self, stmt: Stmt, around: tuple[tuple[str, int], ...]) -> tuple[Body, Body]:
        match stmt:
            case Loop():
                return self._loop(stmt, around)
            case If():
                then, otherwise = (self.body(b, around) for b in (stmt.then, stmt.otherwise))
                return (_branch(stmt, then[0], otherwise[0]), _branch(stmt, then[1], otherwise[1]))
            case Move() if _memories(stmt) == {Memory.L0C, Memory.UB}:
                place = self._place(stmt, around)
                return (replace(stmt, dst=place),), (replace(stmt, src=place),)
            case _:
                return ((), (stmt,)) if _is_vector_work(stmt) else ((stmt,), ())

    def _loop(self, loop: Loop, around: tuple[tuple[str, int], ...]) -> tuple[Body, Body]:
        n_steps = max(ix.bounds(loop.extent, self.ranges)[1], 1)
        self.ranges[loop.var] = (0, n_steps - 1)
        bodies = self.body(loop.body, (*around, (loop.var, n_steps)))
        cube, vector = (
            (replace(loop, body=body, kind=LoopKind.SERIAL),) if body else () for body in bodies
        )
        return cube, vector

    def _place(self, move: Move, around: tuple[tuple[str, int], ...]) -> Region:
        """Return the place in new workspace that the result of `move` has."""
        if move.dst.buffer.memory is not Memory.UB:
            raise _Joined
        own = move.src.shape
        name = self.fresh(f"{move.src.buffer.name}_results")
        shape = (*(n_steps for _, n_steps in around), *own)
        dtype = move.dst.buffer.dtype
        workspace = Buffer(name, Memory.GM, dtype, shape, _LAYOUT, move.loc)
        self.workspaces.append(Alloc(workspace, move.loc))
        start = (*(ix.variable(var) for var, _ in around), *(ix.ZERO for _ in own))
        extent = (*(None for _ in around), *own)
        ones = (1,) * len(shape)
        return Region(workspace, identity(len(shape)), start, ones, extent, move.loc)


def _branch(stmt: If, then: Body, otherwise: Body) -> Body:
    return (replace(stmt, then=then, otherwise=otherwise),) if then or otherwise else ()


def _is_vector_work(stmt: Stmt) -> bool:
    """Return whether `stmt` is for the vector core: whether it has to do with UB.

    Raises:
        _Joined: if it has to do with memories of the cube too.
    """
    memories = _memories(stmt) - {Memory.GM}
    if len(memories) > 1 and Memory.UB in memories:
        raise _Joined
    return Memory.UB in memories


def _memories(stmt: Stmt) -> set[Memory]:
    if isinstance(stmt, Alloc):
        return {stmt.buffer.memory}
    return {region.buffer.memory for region in (*reads(stmt), *filter(None, (written(stmt),)))}


def _share_tensors(cube: Body, vector: Body, workspaces: set[str]) -> bool:
    """Return whether one side writes a tensor that the other reads or writes too."""
    (cube_reads, cube_writes), (vector_reads, vector_writes) = map(_tensors, (cube, vector))
    one_way = cube_writes & (vector_reads | vector_writes)
    return bool((one_way - workspaces) | (vector_writes & cube_reads))


def _tensors(body: Body) -> tuple[set[str], set[str]]:
    """Return the names of the tensors in GM that `body` reads, and those that it writes."""
    read, wrote = set[str](), set[str]()
    for stmt in walk(body):
        target = written(stmt)
        read |= {region.buffer.name for region in reads(stmt) if _is_tensor(region)}
        wrote |= {target.buffer.name} if target is not None and _is_tensor(target) else set()
    return read, wrote


def _is_tensor(region: Region) -> bool:
    return region.buffer.memory is Memory.GM
