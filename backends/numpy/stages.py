"""A program as one step: its stages in order, each on every core of its grid."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import assert_never

from tilelang.backends.numpy import races
from tilelang.backends.numpy.arithmetic import Arithmetic
from tilelang.backends.numpy.operands import Operation
from tilelang.backends.numpy.statements import Plan, Step, compile_alloc, compile_body
from tilelang.backends.numpy.tiles import Run, Shared
from tilelang.ir.nodes import Alloc, Img2col, Map, Mmad, Move, Program, Reduce, Stage
from tilelang.ir.region import Memory
from tilelang.ir.walk import reads, walk, written


def compile_program(
    program: Program, slots: Mapping[str, int], arithmetic: Arithmetic, *, strict: bool
) -> Sequence[Step]:
    """Return the steps of `program`; `slots` are the numbers of its buffers' tiles."""
    return [
        step
        for part in program.body
        for step in _compile_part(part, Plan(arithmetic, strict, slots, _numbers(part)))
    ]


def _compile_part(part: Alloc | Stage, plan: Plan) -> Sequence[Step]:
    match part:
        case Alloc():
            return compile_alloc(part, plan)
        case Stage():
            return [_stage(part, plan)]
        case _:
            assert_never(part)


def _stage(stage: Stage, plan: Plan) -> Step:
    names = [core.var for core in stage.grid]
    extents = [range(core.extent) for core in stage.grid]
    steps = compile_body(stage.body, plan)
    shared = Shared(stage.grid, tuple(operations_on_gm(stage)))
    n_tokens = len(shared.statements)
    can_race = plan.strict and prod(core.extent for core in stage.grid) > 1
    writes, loads = _slots_in_gm(shared, plan.slots)

    def step(run: Run) -> None:
        if can_race:
            races.begin(run, shared, writes, loads)
        for core, point in enumerate(product(*extents)):
            run.variables = dict(zip(names, point, strict=True))
            run.first_token = core * n_tokens
            for inner in steps:
                inner(run)
        races.end(run)

    return step


def operations_on_gm(stage: Stage) -> Sequence[Operation]:
    """Return the statements of `stage` that read or write tensors or workspace."""
    operations = (
        stmt for stmt in walk(stage.body) if isinstance(stmt, Move | Img2col | Mmad | Map | Reduce)
    )
    return [
        stmt
        for stmt in operations
        if any(region.buffer.memory is Memory.GM for region in (stmt.dst, *reads(stmt)))
    ]


def _numbers(part: Alloc | Stage) -> Mapping[int, int]:
    if isinstance(part, Alloc):
        return {}
    return {id(stmt): number for number, stmt in enumerate(operations_on_gm(part))}


def _slots_in_gm(shared: Shared, slots: Mapping[str, int]) -> tuple[set[int], set[int]]:
    """Return the tiles in GM that a stage writes, and those that it reads."""
    writes, loads = set[int](), set[int]()
    for stmt in shared.statements:
        for region, found in ((written(stmt), writes), *((one, loads) for one in reads(stmt))):
            if region is not None and region.buffer.memory is Memory.GM:
                found.add(slots[region.buffer.name])
    return writes, loads
