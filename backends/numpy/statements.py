"""Statements, compiled once to closures that work on whole tiles.

A closure finds the places of its operands, lets the strict checks look at them, and computes.
Without the checks it does the same, so the numbers are the same bit for bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np

from tilelang.backends.numpy import checks
from tilelang.backends.numpy.arithmetic import Arithmetic
from tilelang.backends.numpy.expressions import compile_expression
from tilelang.backends.numpy.guards import guarded
from tilelang.backends.numpy.indices import compile_condition, compile_index
from tilelang.backends.numpy.operands import Operand, Operation, img2col_source, operand
from tilelang.backends.numpy.places import Locate
from tilelang.backends.numpy.tiles import Run
from tilelang.ir.expression import Rounding, loads
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
    Reduce,
    Stmt,
)
from tilelang.ir.region import Region

Step: TypeAlias = Callable[[Run], None]
"""Executes a statement."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every statement of a stage is compiled with."""

    arithmetic: Arithmetic
    strict: bool
    slots: Mapping[str, int]
    """The number of each buffer's tile, by the buffer's name."""
    numbers: Mapping[int, int]
    """The number of each statement that touches GM, see `Shared`, by the statement's `id`."""

    def operand(self, stmt: Operation, region: Region) -> Operand:
        """Return `region` as an operand of `stmt`."""
        slot = self.slots[region.buffer.name]
        return operand(stmt, region, slot, self.numbers.get(id(stmt), 0))

    def locate(self, found: Operand) -> Locate:
        """Return how to find an operand."""
        return guarded(found) if self.strict else found.locate


def compile_body(body: Body, plan: Plan) -> Sequence[Step]:
    """Return the steps of `body`, in order."""
    return [step for stmt in body for step in _compile(stmt, plan)]


def _compile(stmt: Stmt, plan: Plan) -> Sequence[Step]:
    match stmt:
        case Alloc():
            return compile_alloc(stmt, plan)
        case Loop():
            return [_loop(stmt, plan)]
        case If():
            return [_if(stmt, plan)]
        case Move():
            return [_move(stmt, plan)]
        case Img2col():
            return [_img2col(stmt, plan)]
        case Mmad():
            return [_mmad(stmt, plan)]
        case Map():
            return [_map(stmt, plan)]
        case Reduce():
            return [_reduce(stmt, plan)]
        case Matmul():
            raise AssertionError("expand_matmul runs before any backend")
        case _:
            assert_never(stmt)


def compile_alloc(stmt: Alloc, plan: Plan) -> Sequence[Step]:
    """Return the steps of an allocation: it only changes what is defined."""
    slot = plan.slots[stmt.buffer.name]
    return [lambda run: run.tiles[slot].forget()] if plan.strict else []


def _loop(stmt: Loop, plan: Plan) -> Step:
    var, extent = stmt.var, compile_index(stmt.extent)
    steps = compile_body(stmt.body, plan)

    def step(run: Run) -> None:
        variables = run.variables
        for value in range(extent(variables)):
            variables[var] = value
            for inner in steps:
                inner(run)
        variables.pop(var, None)

    return step


def _if(stmt: If, plan: Plan) -> Step:
    holds = compile_condition(stmt.condition)
    then, otherwise = compile_body(stmt.then, plan), compile_body(stmt.otherwise, plan)

    def step(run: Run) -> None:
        for inner in then if holds(run.variables) else otherwise:
            inner(run)

    return step


def _move(stmt: Move, plan: Plan) -> Step:
    dst, src = plan.operand(stmt, stmt.dst), plan.operand(stmt, stmt.src)
    find_dst, find_src = plan.locate(dst), plan.locate(src)
    watch = checks.watch_move(stmt, dst, src) if plan.strict else None
    types = (src.buffer.dtype, dst.buffer.dtype)
    convert = plan.arithmetic.cast(*types, Rounding.NEAREST)
    pad = plan.arithmetic.literal(stmt.pad, src.buffer.dtype)

    def step(run: Run) -> None:
        target, source = find_dst(run.variables), find_src(run.variables)
        if watch is not None:
            watch(run, (target, source))
        values = source.read(run.tiles[src.slot].values, pad)
        target.write(run.tiles[dst.slot].values, convert(values))

    return step


def _img2col(stmt: Img2col, plan: Plan) -> Step:
    dst, src = plan.operand(stmt, stmt.dst), img2col_source(stmt, plan.slots[stmt.src.buffer.name])
    find_dst, find_src = plan.locate(dst), plan.locate(src)
    watch = checks.watch_img2col(stmt, dst, src) if plan.strict else None

    def step(run: Run) -> None:
        target, source = find_dst(run.variables), find_src(run.variables)
        if watch is not None:
            watch(run, (target, source))
        target.write(run.tiles[dst.slot].values, source.read(run.tiles[src.slot].values, 0))

    return step


def _mmad(stmt: Mmad, plan: Plan) -> Step:
    dst, a, b = (plan.operand(stmt, region) for region in (stmt.dst, stmt.a, stmt.b))
    find_dst, find_a, find_b = (plan.locate(one) for one in (dst, a, b))
    watch = checks.watch_mmad(dst, a, b) if plan.strict else None
    is_first = compile_condition(stmt.init)
    multiply = plan.arithmetic.product(a.buffer.dtype, b.buffer.dtype)

    def step(run: Run) -> None:
        tiles, variables = run.tiles, run.variables
        places = target, left, right = find_dst(variables), find_a(variables), find_b(variables)
        first = is_first(variables)
        if watch is not None:
            watch(run, places, first=first)
        total = multiply(left.read(tiles[a.slot].values, 0), right.read(tiles[b.slot].values, 0))
        if not first:
            np.add(target.read(tiles[dst.slot].values, 0), total, out=total)
        target.write(tiles[dst.slot].values, total)

    return step


def _map(stmt: Map, plan: Plan) -> Step:
    regions = tuple(dict.fromkeys(loads(stmt.expr)))
    dst, sources = plan.operand(stmt, stmt.dst), [plan.operand(stmt, each) for each in regions]
    finders = [plan.locate(each) for each in (dst, *sources)]
    watch = checks.watch_map(dst, sources) if plan.strict else None
    slots = [source.slot for source in sources]
    numbers = {region: number for number, region in enumerate(regions)}
    compute = compile_expression(stmt.expr, dst.shape, numbers, plan.arithmetic)

    def step(run: Run) -> None:
        tiles, variables = run.tiles, run.variables
        target, *found = places = [find(variables) for find in finders]
        if watch is not None:
            watch(run, places)
        arrays = [
            place.read(tiles[slot].values, 0) for place, slot in zip(found, slots, strict=True)
        ]
        target.write(tiles[dst.slot].values, compute(arrays, variables))

    return step


def _reduce(stmt: Reduce, plan: Plan) -> Step:
    dst, src = plan.operand(stmt, stmt.dst), plan.operand(stmt, stmt.src)
    find_dst, find_src = plan.locate(dst), plan.locate(src)
    watch = checks.watch_reduce(stmt, dst, src) if plan.strict else None
    fold = plan.arithmetic.reduction(stmt.op, src.buffer.dtype)

    def step(run: Run) -> None:
        target, source = find_dst(run.variables), find_src(run.variables)
        if watch is not None:
            watch(run, (target, source))
        values = source.read(run.tiles[src.slot].values, 0)
        target.write(run.tiles[dst.slot].values, fold(values, stmt.axis))

    return step
