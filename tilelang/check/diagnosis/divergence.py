"""The first operation at which a backend leaves the program.

The program runs once more with a checkpoint behind every move, product, map and reduction of the
core that made the first wrong element: what was computed is stored into a further result. Each
checkpoint is judged by what the backend itself had before, so the first one that fails is where it
went wrong. This needs nothing of a backend but to run programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from tilelang.check.compare import Comparison, compare
from tilelang.check.diagnosis.case import Case, Trial, brackets
from tilelang.check.diagnosis.case import number as text
from tilelang.check.oracle import enclose
from tilelang.check.oracle.regions import Locators
from tilelang.check.oracle.schedule import each_store
from tilelang.diagnostics import TileError
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
    Stage,
    Stmt,
)
from tilelang.ir.region import Buffer, Memory, Region, identity, whole
from tilelang.ir.walk import written
from tilelang.layouts import ND, Layout, LayoutKind

_MOST_ELEMENTS = 1 << 22
"""Of one checkpoint over all iterations."""


def first_divergence(case: Case, trial: Trial) -> Iterator[str]:
    """Yield a sentence on the first operation whose result is wrong."""
    core = wrong_core(case)
    if core is None:
        return
    stage, variables = core
    plan = Plan(variables)
    program = with_checkpoints(case.program, stage, plan)
    if not plan.checkpoints:
        return
    try:
        again = trial.compile(program)
    except TileError:
        yield "where it starts is not known: the backend cannot store what is inside the kernel"
        return
    yield _judged(case, again, program, plan)


def wrong_core(case: Case) -> tuple[int, Mapping[str, int]] | None:
    """Return the stage and the core that wrote the first wrong element."""
    wrong, locators = case.comparison.wrong, Locators({})
    for store, variables in each_store(case.program):
        if store.dst.buffer != case.result:
            continue
        place = locators.find(store.dst, variables)
        touched = place.read(wrong[None])[0]
        if (touched if place.mask is None else touched & place.mask).any():
            return _core_of(case.program, variables)
    return None


def _core_of(program: Program, variables: Mapping[str, int]) -> tuple[int, Mapping[str, int]]:
    for number, part in enumerate(program.body):
        if isinstance(part, Stage) and all(core.var in variables for core in part.grid):
            names = [core.var for core in part.grid]
            if names or len(program.stages) == 1:
                return number, {name: variables[name] for name in names}
    number = max(i for i, part in enumerate(program.body) if isinstance(part, Stage))
    return number, {}


# Checkpoints --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A result that holds what `stmt` made in each iteration of `loops`."""

    buffer: Buffer
    stmt: Stmt
    loops: tuple[Loop, ...]


@dataclass(slots=True)
class Plan:
    """The checkpoints of one core."""

    core: Mapping[str, int]
    checkpoints: list[Checkpoint] = field(default_factory=list[Checkpoint])


def with_checkpoints(program: Program, stage: int, plan: Plan) -> Program:
    """Return `program` with checkpoints in the stage that is part `stage` of its body."""
    part = program.body[stage]
    assert isinstance(part, Stage)
    body = (
        *program.body[:stage],
        replace(part, body=_checked(part.body, (), plan)),
        *program.body[stage + 1 :],
    )
    results = (*program.results, *(one.buffer for one in plan.checkpoints))
    return replace(program, body=body, results=results)


def _checked(body: Body, loops: tuple[Loop, ...], plan: Plan) -> Body:
    """Return `body` with a store behind every operation that runs in every iteration."""
    changed: list[Stmt] = []
    for stmt in body:
        match stmt:
            case Loop() if stmt.extent.is_constant:
                changed.append(replace(stmt, body=_checked(stmt.body, (*loops, stmt), plan)))
            case Move() | Map() | Reduce() | Matmul() | Mmad():
                changed += [stmt, *_store(stmt, loops, plan)]
            case Alloc() | Img2col() | If() | Loop():
                changed.append(stmt)
    return tuple(changed)


def _store(
    stmt: Move | Map | Reduce | Matmul | Mmad, loops: tuple[Loop, ...], plan: Plan
) -> Iterator[Stmt]:
    made = stmt.dst
    extents = [loop.extent.constant for loop in loops]
    size = (max(prod(extents), 0), *made.shape)
    if made.buffer.memory not in (Memory.UB, Memory.L0C) or prod(size) > _MOST_ELEMENTS:
        return
    name = f"checkpoint_{len(plan.checkpoints)}"
    buffer = Buffer(name, Memory.GM, made.buffer.dtype, size, ND)
    plan.checkpoints.append(Checkpoint(buffer, stmt, loops))
    index = _iteration([(ix.variable(loop.var), loop.extent.constant) for loop in loops])
    rank = len(made.shape)
    target = Region(
        buffer,
        identity(rank + 1),
        (index, *(ix.ZERO,) * rank),
        (1,) * (rank + 1),
        (None, *made.shape),
    )
    here = cond.conjunction(
        *(cond.equal(ix.variable(var), ix.constant(value)) for var, value in plan.core.items())
    )
    source, body = made, []
    if made.buffer.memory is Memory.L0C:
        layout = Layout(LayoutKind.NZ, 16)
        copy = Buffer(f"{name}_ub", Memory.UB, made.buffer.dtype, made.shape, layout)
        body = [Alloc(copy), Move(whole(copy), made)]
        source = whole(copy)
    body = (*body, Move(target, source))
    yield from body if here == cond.TRUE else (If(here, body, ()),)


def _iteration(loops: Sequence[tuple[Index, int]]) -> Index:
    index = ix.ZERO
    for variable, extent in loops:
        index = ix.add(ix.scale(index, extent), variable)
    return index


# Judging ------------------------------------------------------------------------------------------


def _judged(case: Case, trial: Trial, program: Program, plan: Plan) -> str:
    found = trial(case.family.inputs)
    order: list[tuple[int, int]] = []
    numbers = {one.buffer.name: n for n, one in enumerate(plan.checkpoints)}

    def visit(stmt: Stmt, variables: Mapping[str, int]) -> bool:
        target = written(stmt)
        if target is not None and target.buffer.name in numbers:
            order.append((numbers[target.buffer.name], ix.evaluate(target.start[0], variables)))
        return True

    enclosures = enclose(
        program,
        case.family.inputs,
        trial.numerics,
        found=found,
        is_random=case.family.is_random,
        visit=visit,
    )
    first = len(case.program.results)
    pairs = list(zip(found, enclosures, program.results, strict=True))[first:]
    wrong = [compare(array, one, buffer.dtype) for array, one, buffer in pairs]
    for which, iteration in order:
        mask = wrong[which].wrong[iteration]
        if mask.any():
            at = tuple(int(i) for i in np.argwhere(mask)[0])
            return _sentence(plan, which, iteration, at, wrong[which])
    return _nothing(len(order))


def _nothing(n_checkpoints: int) -> str:
    return (
        f"all {n_checkpoints:,} checkpoints inside the kernel are right: it goes wrong between "
        "the last of them and the result, or only without checkpoints"
    )


def _sentence(
    plan: Plan, which: int, iteration: int, at: tuple[int, ...], wrong: Comparison
) -> str:
    checkpoint = plan.checkpoints[which]
    index = (iteration, *at)
    low, high = (float(end[index]) for end in (wrong.enclosure.low, wrong.enclosure.high))
    wanted = text(low) if low == high else f"{text(low)} to {text(high)}"
    target = written(checkpoint.stmt)
    assert target is not None
    return (
        f"first divergence: {_name(checkpoint.stmt)} at {checkpoint.stmt.loc.short}"
        f"{_where(plan, checkpoint, iteration)}: `{target.buffer.name}{brackets(at)}` = "
        f"{text(float(wrong.found[index]))}, wanted {wanted}"
    )


def _where(plan: Plan, checkpoint: Checkpoint, iteration: int) -> str:
    values: dict[str, int] = {}
    for loop in reversed(checkpoint.loops):
        iteration, values[loop.var] = divmod(iteration, loop.extent.constant)
    parts = [f"{var} = {value}" for var, value in reversed(values.items())]
    core = [f"{var} = {value}" for var, value in plan.core.items()]
    said = [f"in iteration {', '.join(parts)}"] if parts else []
    if core:
        said.append(f"on core {', '.join(core)}")
    return f" ({' '.join(said)})" if said else ""


def _name(stmt: Stmt) -> str:
    match stmt:
        case Move(dst, src):
            return f"the move of `{src.buffer.name}` to `{dst.buffer.name}`"
        case Matmul(dst, a, b) | Mmad(dst, a, b):
            return (
                f"the product of `{a.buffer.name}` and `{b.buffer.name}` into `{dst.buffer.name}`"
            )
        case Map(dst):
            return f"the expression for `{dst.buffer.name}`"
        case Reduce(dst, op):
            return f"`reduce_{op.value}` into `{dst.buffer.name}`"
        case _:
            return "a statement"
