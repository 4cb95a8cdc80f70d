"""Replace `init` on the first step of a sum by an accumulator set to zero before the loops.

A product behind a condition, and a first step chosen by one, both stop Triton from pipelining.
"""

from dataclasses import replace

from tilelang.backends.triton.blocks import Body, Branch, Define, Dot, For, Step, Tile
from tilelang.backends.triton.walk import inner_bodies, rewrite, tiles_read, tiles_set, walk
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition


def zero_accumulators(body: Body) -> Body:
    """Return `body` in which each sum that provably starts at the first step starts at zero."""
    return tuple(new for step in body for new in _zero(step))


def _zero(step: Step) -> Body:
    match step:
        case For():
            starts = [dot for dot in walk((step,)) if isinstance(dot, Dot) and _starts(dot, step)]
            new: Step = replace(step, body=zero_accumulators(step.body))
            for dot in starts:
                new = _without_first(new, dot)
            tiles = [tile for dot in starts for tile in tiles_set(dot)]
            return (*(Define(tile, step.loc) for tile in dict.fromkeys(tiles)), new)
        case Branch():
            then, otherwise = zero_accumulators(step.then), zero_accumulators(step.otherwise)
            return (replace(step, then=then, otherwise=otherwise),)
        case _:
            return (step,)


def _starts(dot: Dot, loop: For) -> bool:
    """Return whether `dot` begins its sum in the first iteration of `loop`, and only there."""
    nest = _nest(loop, dot)
    if nest is None or dot.acc.known is None:
        return False
    first = cond.conjunction(*(cond.equal(ix.variable(one.var), ix.ZERO) for one in nest))
    return _same(dot.first, first) and not _touched_before(loop.body, dot, dot.acc.known)


def _same(left: Condition, right: Condition) -> bool:
    return set(_parts(left)) == set(_parts(right))


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.args if isinstance(condition, cond.And) else (condition,)


def _nest(loop: For, dot: Dot) -> tuple[For, ...] | None:
    """Return the loops from `loop` to `dot`, or None if a branch is between them."""
    for step in loop.body:
        if step is dot:
            return (loop,)
        if isinstance(step, For) and (inside := _nest(step, dot)):
            return (loop, *inside)
    return None


def _touched_before(body: Body, dot: Dot, tile: Tile) -> bool:
    """Return whether `body` reads or sets `tile` before it comes to `dot`."""
    for step in walk(body):
        if step is dot:
            return False
        if not inner_bodies(step) and tile in (*tiles_read(step), *tiles_set(step)):
            return True
    return True


def _without_first(loop: Step, dot: Dot) -> Step:
    def change(step: Step) -> Body:
        return (replace(step, first=cond.FALSE),) if step == dot else (step,)

    (new,) = rewrite((loop,), change)
    return new
