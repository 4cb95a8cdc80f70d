"""Shorten every index and condition, unroll loops of one step, drop what never runs."""

from collections.abc import Iterator
from dataclasses import replace
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
    Place,
    Put,
    Slot,
    Step,
    lane_name,
)
from tilelang.backends.triton.simplify import Limits, simplify_condition, simplify_index
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
from tilelang.ir.index import Index


def simplify_blocks(body: Body, limits: Limits) -> Body:
    """Return `body` with shorter indices; `limits` are those of the variables outside it."""
    return tuple(new for step in body for new in _simplify(step, limits))


def _simplify(step: Step, limits: Limits) -> Iterator[Step]:
    match step:
        case For():
            yield from _loop(step, limits)
        case Branch():
            yield from _branch(step, limits)
        case Fetch():
            yield replace(step, dst=_slot(step.dst, limits), place=_place(step.place, limits))
        case Put():
            value = _operand(step.value, limits)
            yield replace(step, place=_place(step.place, limits), value=value)
        case Assign():
            yield _assign(step, limits)
        case Fold():
            yield replace(step, dst=_slot(step.dst, limits), src=_operand(step.src, limits))
        case Dot():
            a, b = _operand(step.a, limits), _operand(step.b, limits)
            first = simplify_condition(step.first, limits)
            yield replace(step, acc=_slot(step.acc, limits), a=a, b=b, first=first)
        case Define():
            yield step
        case _:
            assert_never(step)


def _loop(loop: For, limits: Limits) -> Iterator[Step]:
    extent = simplify_index(loop.extent, limits)
    most = ix.bounds(extent, limits)[1]
    if most <= 0:
        return
    inside = {**limits, loop.var: (0, most - 1)}
    body = simplify_blocks(loop.body, inside)
    if extent == ix.constant(1):
        yield from simplify_blocks(substitute(body, {loop.var: ix.ZERO}), limits)
    elif body:
        yield replace(loop, extent=extent, body=body)


def _branch(branch: Branch, limits: Limits) -> Iterator[Step]:
    condition = simplify_condition(branch.condition, limits)
    then = simplify_blocks(branch.then, limits)
    otherwise = simplify_blocks(branch.otherwise, limits)
    match condition:
        case cond.Truth(value):
            yield from then if value else otherwise
        case _ if not then:
            if otherwise:
                yield Branch(cond.negate(condition), otherwise, (), branch.loc)
        case _:
            yield Branch(condition, then, otherwise, branch.loc)


def _slot(slot: Slot, limits: Limits) -> Slot:
    return replace(slot, which=simplify_index(slot.which, limits))


def _operand(operand: Operand, limits: Limits) -> Operand:
    return replace(operand, slot=_slot(operand.slot, limits))


def _place(place: Place, limits: Limits) -> Place:
    inside = with_lanes(limits, place.shape)
    element = tuple(simplify_index(index, inside) for index in place.element)
    return replace(place, element=element, valid=simplify_condition(place.valid, inside))


def _assign(step: Assign, limits: Limits) -> Assign:
    inside = with_lanes(limits, step.shape)

    def shorter(expr: ex.Expr) -> ex.Expr:
        match expr:
            case ex.Position(axis):
                return ex.IndexValue(ix.variable(lane_name(axis)))
            case ex.IndexValue(index):
                return _known(simplify_index(index, inside))
            case ex.Binary(ex.BinaryOp.ADD, ex.IndexValue(left), ex.IndexValue(right)):
                return ex.IndexValue(simplify_index(ix.add(left, right), inside))
            case ex.Cast(ex.Literal(value, DType.INT32), dtype) if dtype.is_float:
                return ex.Literal(float(value), dtype)
            case _:
                return expr

    operands = tuple((region, _operand(one, limits)) for region, one in step.operands)
    expr = ex.rewrite_expr(step.expr, shorter)
    return replace(step, dst=_slot(step.dst, limits), expr=expr, operands=operands)


def _known(index: Index) -> ex.Expr:
    """Return the value of `index`: a number if it is one."""
    return ex.Literal(index.constant, DType.INT32) if index.is_constant else ex.IndexValue(index)


def with_lanes(limits: Limits, shape: tuple[int, ...]) -> Limits:
    """Return `limits` with those of the lanes of a block of `shape`."""
    return {**limits, **{lane_name(axis): (0, size - 1) for axis, size in enumerate(shape)}}


def substitute(body: Body, values: dict[str, Index]) -> Body:
    """Return `body` with loop variables replaced."""
    return tuple(_substituted(step, values) for step in body)


def _substituted(step: Step, values: dict[str, Index]) -> Step:
    match step:
        case For():
            extent = ix.substitute(step.extent, values)
            return replace(step, extent=extent, body=substitute(step.body, values))
        case Branch():
            then, otherwise = substitute(step.then, values), substitute(step.otherwise, values)
            return Branch(cond.substitute(step.condition, values), then, otherwise, step.loc)
        case Define():
            return step
        case Fetch() | Put() | Assign() | Fold() | Dot():
            return _with_indices(step, values)
        case _:
            assert_never(step)


def _with_indices(step: Fetch | Put | Assign | Fold | Dot, values: dict[str, Index]) -> Step:
    def slot(one: Slot) -> Slot:
        return replace(one, which=ix.substitute(one.which, values))

    def operand(one: Operand) -> Operand:
        return replace(one, slot=slot(one.slot))

    match step:
        case Fetch():
            return replace(step, dst=slot(step.dst), place=_moved(step.place, values))
        case Put():
            return replace(step, place=_moved(step.place, values), value=operand(step.value))
        case Assign():
            operands = tuple((region, operand(one)) for region, one in step.operands)
            expr = ex.rewrite_expr(step.expr, lambda one: _value(one, values))
            return replace(step, dst=slot(step.dst), expr=expr, operands=operands)
        case Fold():
            return replace(step, dst=slot(step.dst), src=operand(step.src))
        case Dot():
            first, acc = cond.substitute(step.first, values), slot(step.acc)
            return replace(step, acc=acc, a=operand(step.a), b=operand(step.b), first=first)
        case _:
            assert_never(step)


def _moved(place: Place, values: dict[str, Index]) -> Place:
    element = tuple(ix.substitute(index, values) for index in place.element)
    return replace(place, element=element, valid=cond.substitute(place.valid, values))


def _value(expr: ex.Expr, values: dict[str, Index]) -> ex.Expr:
    if isinstance(expr, ex.IndexValue):
        return ex.IndexValue(ix.substitute(expr.index, values))
    return expr
