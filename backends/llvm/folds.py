"""A map and the reduction of what it sets, which one nest of loops does together.

An element is folded while it is in a register; it is written only if something else reads it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tilelang.backends.llvm.liveness import local_tiles, n_reads
from tilelang.ir.expression import loads
from tilelang.ir.nodes import Alloc, Body, Map, Reduce, Stmt


@dataclass(frozen=True, slots=True)
class Fold:
    """`stmt` then `reduce`, which reads all that `stmt` sets."""

    stmt: Map
    reduce: Reduce
    is_kept: bool
    """Whether what `stmt` sets is read afterwards."""


def with_folds(body: Body) -> Iterator[Stmt | Fold]:
    """Yield the statements of `body`, a map and the reduction behind it as a `Fold`."""
    own, left = local_tiles(body), list(body)
    while left:
        stmt = left.pop(0)
        reduce = _reduction_of(stmt, left)
        if reduce is None or not isinstance(stmt, Map):
            yield stmt
            continue
        place, name = left.index(reduce), stmt.dst.buffer.name
        yield from left[:place]  # allocations
        del left[: place + 1]
        yield Fold(stmt, reduce, name not in own or n_reads(tuple(left), name) > 0)


def _reduction_of(stmt: Stmt, later: list[Stmt]) -> Reduce | None:
    """Return the reduction that may go element by element along with a map, if one comes next."""
    following = next((other for other in later if not isinstance(other, Alloc)), None)
    if not isinstance(stmt, Map) or not isinstance(following, Reduce):
        return None
    others = {stmt.dst.buffer, *(region.buffer for region in loads(stmt.expr))}
    is_joined = following.src == stmt.dst and stmt.dst.is_whole
    return following if is_joined and following.dst.buffer not in others else None
