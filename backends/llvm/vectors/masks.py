"""Masks: which lanes of a vector exist, for steps that hang over an end.

Masked loads and stores touch nothing outside their mask. Only hosts with AVX-512 have them for
every width of element; others take such steps lane by lane.
"""

from collections.abc import Sequence
from functools import reduce
from typing import assert_never

from tilelang.backends.llvm.frame import RELATIONS, Frame
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Truth
from tilelang.ir.index import Index, Var


def split_lane(offset: Index, lane: str) -> tuple[Index, int] | None:
    """Return `(base, stride)` with `offset == base + stride * lane`, if it is of that form."""
    base = tuple(term for term in offset.terms if term[0] != Var(lane))
    stride = next((factor for atom, factor in offset.terms if atom == Var(lane)), 0)
    rest = Index(base, offset.constant)
    return None if lane in ix.free_variables(rest) else (rest, stride)


def depends_on(condition: Condition, lane: str) -> bool:
    """Return whether the condition differs from lane to lane."""
    return any(lane in ix.free_variables(index) for index in cond.indices(condition))


def is_affine(condition: Condition, lane: str) -> bool:
    """Return whether `lanes_where` can tell in which lanes the condition holds."""
    return all(split_lane(index, lane) is not None for index in cond.indices(condition))


def first_lanes(lanes: Lanes, count: str) -> str:
    """Return the mask of the first `count` lanes, an i64 operand below the number of lanes."""
    above = lanes.code.pure(f"shl i64 -1, {count}", count)
    bits = lanes.code.pure(f"xor i64 {above}, -1", above)
    if lanes.n < 64:
        bits = lanes.code.pure(f"trunc i64 {bits} to i{lanes.n}", bits)
    return lanes.code.pure(f"bitcast i{lanes.n} {bits} to {lanes.type('i1')}", bits)


def lanes_where(frame: Frame, lanes: Lanes, lane: str, condition: Condition) -> str:
    """Return the mask of the lanes in which a condition affine in `lane` holds."""
    match condition:
        case Truth(value):
            return lanes.constant("i1", -1 if value else 0)
        case Compare(relation, index):
            split = split_lane(index, lane)
            assert split is not None, "asked of affine conditions only"
            base = lanes.splat("i64", frame.value(split[0]))
            steps = ", ".join(f"i64 {split[1] * number}" for number in range(lanes.n))
            place = lanes.op("add", "i64", base, f"<{steps}>")
            return lanes.compare(RELATIONS[relation], "i64", place, "zeroinitializer")
        case And(args) | Or(args):
            parts = [lanes_where(frame, lanes, lane, arg) for arg in args]
            return _folded(lanes, "and" if isinstance(condition, And) else "or", parts)
        case Not(arg):
            inner = lanes_where(frame, lanes, lane, arg)
            return lanes.op("xor", "i1", inner, lanes.constant("i1", -1))
        case _:
            assert_never(condition)


def masked_load(lanes: Lanes, address: str, mask: str, element: str, otherwise: str) -> str:
    """Load the lanes of `mask` from memory, the others from the vector `otherwise`."""
    kind, masks = lanes.type(element), lanes.type("i1")
    name = f"llvm.masked.load.{lanes.suffix(element)}.p0"
    lanes.code.declare(kind, name, "ptr", "i32", masks, kind)
    parts = f"ptr {address}, i32 1, {masks} {mask}, {kind} {otherwise}"
    return lanes.code.let(f"call {kind} @{name}({parts})")


def masked_store(lanes: Lanes, value: str, address: str, mask: str, element: str) -> None:
    """Write the lanes of `mask` to memory."""
    kind, masks = lanes.type(element), lanes.type("i1")
    name = f"llvm.masked.store.{lanes.suffix(element)}.p0"
    lanes.code.declare("void", name, kind, "ptr", "i32", masks)
    parts = f"{kind} {value}, ptr {address}, i32 1, {masks} {mask}"
    lanes.code.do(f"call void @{name}({parts})")


def _folded(lanes: Lanes, operation: str, masks: Sequence[str]) -> str:
    return reduce(lambda left, right: lanes.op(operation, "i1", left, right), masks)
