"""Remove zeros that nobody reads: of tiles that are set before they are used."""

from collections.abc import Sequence
from dataclasses import replace

from tilelang.backends.triton.blocks import Body, Branch, Define, For, Step, Tile
from tilelang.backends.triton.walk import inner_bodies, tiles_read, tiles_set, walk


def drop_definitions(body: Body) -> Body:
    """Return `body` without the `Define`s that it does without."""
    kept: list[Step] = []
    for number, step in enumerate(body):
        match step:
            case Define(tile) if not _needs(tile, body[number + 1 :]):
                continue
            case For():
                kept.append(replace(step, body=drop_definitions(step.body)))
            case Branch():
                then, otherwise = drop_definitions(step.then), drop_definitions(step.otherwise)
                kept.append(replace(step, then=then, otherwise=otherwise))
            case _:
                kept.append(step)
    return tuple(kept)


def _needs(tile: Tile, steps: Sequence[Step]) -> bool:
    """Return whether `steps` may need a value of `tile` from before them.

    A loop or branch that sets the tile for itself alone does not; Triton's variables live to the
    end of the body that first sets them, so what is read behind it does.
    """
    for step in steps:
        if inner_bodies(step):
            if any(_needs(tile, inner) for inner in inner_bodies(step)):
                return True
            if isinstance(step, Branch) and all(_sets(tile, one) for one in inner_bodies(step)):
                return False
        elif tile in tiles_read(step):
            return True
        elif tile in tiles_set(step):
            return False
    return False


def _sets(tile: Tile, body: Body) -> bool:
    """Return whether `body` sets `tile` in every case, which its own steps decide."""
    return any(tile in tiles_set(step) for step in body if not inner_bodies(step))


def is_used(tile: Tile, body: Body) -> bool:
    """Return whether `body` reads `tile` anywhere."""
    return any(tile in tiles_read(step) for step in walk(body))
