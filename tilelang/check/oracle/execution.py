"""A program run on planes, statement by statement: the meaning of the language, written again.

It shares nothing with any backend but the rule where elements lie (`tilelang.ir.source_index`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias, assert_never

import numpy as np

from tilelang.check.oracle import elementwise, sums
from tilelang.check.oracle.planes import (
    HIGH,
    LOW,
    VALUE,
    Array,
    Planes,
    exactly,
    undefined,
    wrapped,
)
from tilelang.check.oracle.regions import Locators, Place, aligned, holds
from tilelang.check.oracle.rounding import Rounding
from tilelang.dtypes import DType
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
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
from tilelang.ir.region import Buffer, Memory, Region

Variables: TypeAlias = dict[str, int]
Visit: TypeAlias = Callable[[Stmt, Variables], bool]
"""Called before a statement; whether to run it."""


@dataclass(slots=True)
class State:
    """What a running program holds.

    `enclosures` are what results should be, while `tiles` has what a backend made of them where
    that is known: what follows is judged by what the backend had.
    """

    rounding: Rounding
    found: Mapping[str, Array]
    """Results of a backend, logical, in float64 or int64, by the result's name."""
    once: Mapping[str, Array]
    """Which elements of each result are written once."""
    visit: Visit | None = None
    tiles: dict[str, Planes] = field(default_factory=dict[str, Planes])
    accumulators: dict[str, sums.Terms] = field(default_factory=dict[str, Any])
    """Of accumulators of floats, instead of a tile."""
    enclosures: dict[str, Planes] = field(default_factory=dict[str, Planes])
    rounds_products: set[str] = field(default_factory=set[str])
    """Accumulators of products that are not exact in float32."""
    locators: Locators = field(default_factory=lambda: Locators({}))


def run(program: Program, state: State) -> None:
    """Run all stages of `program` on `state`, which holds its inputs."""
    with np.errstate(all="ignore"):
        for buffer in program.results:
            _allocate(buffer, state)
            state.enclosures[buffer.name] = undefined(buffer.shape, buffer.dtype)
        for part in program.body:
            match part:
                case Alloc(buffer):
                    _allocate(buffer, state)
                case Stage():
                    _run_stage(part, state)
                case _:
                    assert_never(part)


def _run_stage(stage: Stage, state: State) -> None:
    names = [core.var for core in stage.grid]
    for point in product(*(range(core.extent) for core in stage.grid)):
        _run_body(stage.body, dict(zip(names, point, strict=True)), state)


def _run_body(body: Body, variables: Variables, state: State) -> None:
    for stmt in body:
        if state.visit is None or state.visit(stmt, variables):
            _run(stmt, variables, state)


def _run(stmt: Stmt, variables: Variables, state: State) -> None:
    match stmt:
        case Alloc(buffer):
            _allocate(buffer, state)
        case Loop():
            for value in range(ix.evaluate(stmt.extent, variables)):
                _run_body(stmt.body, {**variables, stmt.var: value}, state)
        case If():
            chosen = stmt.then if holds(stmt.condition, variables) else stmt.otherwise
            _run_body(chosen, variables, state)
        case Move():
            _move(stmt, variables, state)
        case Img2col():
            place = state.locators.find(stmt, variables)
            _write(stmt.dst, _gather(state.tiles[stmt.src.buffer.name], place, 0), variables, state)
        case Matmul() | Mmad():
            _multiply(stmt, variables, state)
        case Map():
            planes = _evaluate(stmt.expr, stmt.dst.shape, variables, state)
            planes = elementwise.stored(planes, stmt.dst.buffer.dtype, state.rounding)
            _write(stmt.dst, planes, variables, state)
        case Reduce():
            dtype = stmt.src.buffer.dtype
            x = _read(stmt.src, variables, state)
            reduced = sums.reduce(stmt.op, x, stmt.axis, dtype, state.rounding)
            _write(stmt.dst, reduced, variables, state)
        case _:
            assert_never(stmt)


def _allocate(buffer: Buffer, state: State) -> None:
    planes = undefined(buffer.shape, buffer.dtype)
    if _is_accumulator(buffer):
        state.accumulators[buffer.name] = sums.as_terms(planes)
        state.rounds_products.discard(buffer.name)
    else:
        state.tiles[buffer.name] = planes


def _is_accumulator(buffer: Buffer) -> bool:
    return buffer.memory is Memory.L0C and buffer.dtype.is_float


# Reading and writing ------------------------------------------------------------------------------


def _read(region: Region, variables: Variables, state: State, pad: float = 0) -> Planes:
    place = state.locators.find(region, variables)
    if not _is_accumulator(region.buffer):
        return _gather(state.tiles[region.buffer.name], place, pad)
    name = region.buffer.name
    terms = place.read(state.accumulators[name])
    return sums.rounded(terms, state.rounding, rounds_products=name in state.rounds_products)


def _gather(planes: Planes, place: Place, fill: float) -> Planes:
    found = place.read(planes)
    return found if place.mask is None else np.where(place.mask, found, fill)


def _write(region: Region, planes: Planes, variables: Variables, state: State) -> None:
    place = state.locators.find(region, variables)
    if _is_accumulator(region.buffer):
        place.write(state.accumulators[region.buffer.name], sums.as_terms(planes))
    else:
        place.write(state.tiles[region.buffer.name], planes)


def _move(stmt: Move, variables: Variables, state: State) -> None:
    source, target = stmt.src.buffer.dtype, stmt.dst.buffer.dtype
    pad = stmt.pad
    if source.is_float:
        pad = float(elementwise.literal(pad, source, state.rounding)[LOW])
    planes = _read(stmt.src, variables, state, pad)
    planes = elementwise.cast(planes, (source, target), ex.Rounding.NEAREST, state.rounding)
    name = stmt.dst.buffer.name
    if name not in state.enclosures:
        _write(stmt.dst, planes, variables, state)
        return
    place = state.locators.find(stmt.dst, variables)
    place.write(state.enclosures[name], planes)
    if name in state.found:
        planes = _anchored(planes, place, state.found[name], state.once[name])
        if source is target and not _is_accumulator(stmt.src.buffer):
            _anchor_source(stmt, planes, place, variables, state)
    place.write(state.tiles[name], planes)


def _anchored(planes: Planes, place: Place, found: Array, once: Array) -> Planes:
    """Return `planes` with what a backend has where it is known, see `State`."""
    known = place.read(once[None])[0]
    if place.mask is not None:
        known = known & place.mask
    return np.where(known, place.read(found[None]), planes)


def _anchor_source(
    stmt: Move, planes: Planes, place: Place, variables: Variables, state: State
) -> None:
    """Let the source of a store hold what the backend stored, where it was stored."""
    source = state.locators.find(stmt.src, variables)
    if source.mask is None and stmt.src.buffer.memory is not Memory.GM:
        source.write(state.tiles[stmt.src.buffer.name], planes)


# Computing ----------------------------------------------------------------------------------------


def _multiply(stmt: Matmul | Mmad, variables: Variables, state: State) -> None:
    a, b = (_read(region, variables, state) for region in (stmt.a, stmt.b))
    first = holds(stmt.init, variables)
    dtype, name = stmt.a.buffer.dtype, stmt.dst.buffer.name
    place = state.locators.find(stmt.dst, variables)
    if not _is_accumulator(stmt.dst.buffer):
        planes = sums.multiply_integers(a, b)
        if not first:
            planes = planes + place.read(state.tiles[name])
        planes = wrapped(planes[VALUE], (planes[LOW], planes[HIGH]), DType.INT32)
        place.write(state.tiles[name], planes)
        return
    if dtype is DType.FLOAT32:
        state.rounds_products.add(name)
    terms = sums.multiply(a, b, dtype, state.rounding)
    place.write(
        state.accumulators[name],
        terms if first else sums.add(place.read(state.accumulators[name]), terms),
    )


def _evaluate(expr: ex.Expr, shape: Sequence[int], variables: Variables, state: State) -> Planes:
    """Return the planes of `expr`, with as many axes as `shape`, to which they broadcast."""
    match expr:
        case ex.Load(region):
            return aligned(_read(region, variables, state), shape)
        case ex.Literal(value, dtype):
            return aligned(elementwise.literal(value, dtype, state.rounding), shape)
        case ex.IndexValue(index):
            value = np.asarray(ix.evaluate(index, variables))
            return aligned(exactly(value, DType.INT32), shape)
        case ex.Position(axis):
            counts = np.arange(shape[axis]).reshape([-1] + [1] * (len(shape) - axis - 1))
            return aligned(exactly(counts, DType.INT32), shape)
        case _:
            children = ex.children(expr)
            operands = [_evaluate(child, shape, variables, state) for child in children]
            return _apply(expr, operands, state.rounding)


_Operation: TypeAlias = (
    ex.Unary | ex.Binary | ex.Comparison | ex.Logic | ex.LogicNot | ex.Where | ex.Cast
)


def _apply(expr: _Operation, operands: Sequence[Planes], rounding: Rounding) -> Planes:
    first, *others = operands
    match expr:
        case ex.Unary(op, x):
            return elementwise.unary(op, first, ex.dtype_of(x), rounding)
        case ex.Binary(op, left, _):
            return elementwise.binary(op, (first, others[0]), ex.dtype_of(left), rounding)
        case ex.Comparison(op):
            return elementwise.comparison(op, first, others[0])
        case ex.Logic(op):
            return elementwise.logic(op, first, others[0])
        case ex.LogicNot():
            return elementwise.negation(first)
        case ex.Where(_, then):
            is_float = ex.dtype_of(then).is_float
            return elementwise.where(first, others[0], others[1], is_float=is_float)
        case ex.Cast(x, dtype, way):
            return elementwise.cast(first, (ex.dtype_of(x), dtype), way, rounding)
        case _:
            assert_never(expr)
