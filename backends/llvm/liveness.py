"""Which tiles of a body are its own, and whether what they hold is still read."""

from collections.abc import Iterator

from tilelang.ir.nodes import Alloc, Body, If, Loop, Stmt
from tilelang.ir.region import Memory, Region
from tilelang.ir.walk import reads, walk, written


def mentions(stmt: Stmt) -> Iterator[Region]:
    """Yield the regions that `stmt` itself reads or writes."""
    yield from reads(stmt)
    target = written(stmt)
    if target is not None:
        yield target


def local_tiles(body: Body) -> set[str]:
    """Return the tiles in UB of `body` that only its own statements mention, none inside."""
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    nested = {
        region.buffer.name
        for stmt in body
        if isinstance(stmt, Loop | If)
        for inner in walk((stmt,))
        for region in mentions(inner)
    }
    tiles = {s.buffer.name for s in body if isinstance(s, Alloc) and s.buffer.memory is Memory.UB}
    return (own & tiles) - nested


def n_reads(later: Body, name: str) -> int:
    """Return how many statements read the tile before it is set again.

    One that reads it twice computes it once: the generator of code shares what is the same.
    """
    count = 0
    for stmt in later:
        count += any(region.buffer.name == name for region in reads(stmt))
        target = written(stmt)
        if target is not None and target.buffer.name == name:
            return count if target.is_whole else 2  # what a partial write leaves is read later
    return count
