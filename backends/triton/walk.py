"""Going through the steps of a block program: what each reads and writes, and rebuilding it."""

from collections.abc import Callable, Iterator
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
    Tile,
)
from tilelang.ir import condition as cond
from tilelang.ir.region import Buffer


def walk(body: Body) -> Iterator[Step]:
    """Yield every step of `body` in order, a loop or a branch before what it holds."""
    for step in body:
        yield step
        for inner in inner_bodies(step):
            yield from walk(inner)


def inner_bodies(step: Step) -> tuple[Body, ...]:
    """Return the bodies that `step` holds."""
    match step:
        case For():
            return (step.body,)
        case Branch():
            return (step.then, step.otherwise)
        case Define() | Fetch() | Put() | Assign() | Fold() | Dot():
            return ()
        case _:
            assert_never(step)


def rewrite(body: Body, change: Callable[[Step], Body]) -> Body:
    """Return `body` with each step replaced by `change` of it, innermost bodies first."""
    return tuple(new for step in body for new in change(_rewrite_inside(step, change)))


def _rewrite_inside(step: Step, change: Callable[[Step], Body]) -> Step:
    match step:
        case For():
            return replace(step, body=rewrite(step.body, change))
        case Branch():
            then, otherwise = rewrite(step.then, change), rewrite(step.otherwise, change)
            return replace(step, then=then, otherwise=otherwise)
        case _:
            return step


def operands(step: Step) -> tuple[Operand, ...]:
    """Return the blocks that `step` itself reads, an accumulator aside."""
    match step:
        case Put():
            return (step.value,)
        case Assign():
            return tuple(operand for _, operand in step.operands)
        case Fold():
            return (step.src,)
        case Dot():
            return (step.a, step.b)
        case Define() | Fetch() | For() | Branch():
            return ()
        case _:
            assert_never(step)


def target(step: Step) -> Slot | None:
    """Return what `step` itself writes, if that is a tile."""
    match step:
        case Define():
            return Slot((step.dst,))
        case Fetch() | Assign() | Fold():
            return step.dst
        case Dot():
            return step.acc
        case Put() | For() | Branch():
            return None
        case _:
            assert_never(step)


def tiles_read(step: Step) -> Iterator[Tile]:
    """Yield the tiles whose value `step` itself needs."""
    for operand in operands(step):
        yield from _meant(operand.slot)
    slot = target(step)
    if slot is not None and slot.known is None:
        yield from slot.tiles
    if isinstance(step, Dot) and step.first != cond.TRUE:
        yield from _meant(step.acc)


def _meant(slot: Slot) -> tuple[Tile, ...]:
    return slot.tiles if slot.known is None else (slot.known,)


def tiles_set(step: Step) -> tuple[Tile, ...]:
    """Return the tiles that may have another value after `step` itself."""
    slot = target(step)
    return () if slot is None else _meant(slot)


def places(step: Step) -> tuple[Place, ...]:
    """Return where `step` itself touches global memory."""
    return (step.place,) if isinstance(step, Fetch | Put) else ()


def tensors_touched(body: Body) -> tuple[Buffer, ...]:
    """Return the tensors that `body` reads or writes, each once, in order of first use."""
    found = (place.tensor for step in walk(body) for place in places(step))
    return tuple(dict.fromkeys(found))
