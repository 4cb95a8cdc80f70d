"""Pairs of statements that are written together, while what the first sets is in registers.

A map and the reduction of what it sets; an element is written only if something else reads it. A
product and the map of its sums, which are not written at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tilelang.backends.llvm.liveness import local_tiles, mentions, n_reads
from tilelang.ir.expression import loads
from tilelang.ir.nodes import Alloc, Body, Map, Mmad, Reduce, Stmt
from tilelang.ir.region import Region
from tilelang.ir.walk import walk, written


@dataclass(frozen=True, slots=True)
class Fold:
    """`stmt` then `reduce`, which reads all that `stmt` sets."""

    stmt: Map
    reduce: Reduce
    is_kept: bool
    """Whether what `stmt` sets is read afterwards."""


@dataclass(frozen=True, slots=True)
class Finish:
    """`product` then `stmt`, which alone reads the sums, each where it sets its own element."""

    product: Mmad
    stmt: Map


def with_pairs(body: Body) -> Iterator[Stmt | Fold | Finish]:
    """Yield the statements of `body`, the two of a pair as one.

    A product waits for what stands between it and its map, which has nothing to do with it.
    """
    left = list(body)
    while left:
        stmt = left.pop(0)
        pair = _pair_of(stmt, left, body)
        if pair is None:
            yield stmt
            continue
        place = left.index(pair.stmt if isinstance(pair, Finish) else pair.reduce)
        yield from left[:place]
        del left[: place + 1]
        yield pair


def _pair_of(stmt: Stmt, later: list[Stmt], body: Body) -> Fold | Finish | None:
    match stmt:
        case Mmad():
            return _finish_of(stmt, later, {s.buffer.name for s in body if isinstance(s, Alloc)})
        case Map():
            return _fold_of(stmt, later, local_tiles(body))
        case _:
            return None


def _fold_of(stmt: Map, later: list[Stmt], own: set[str]) -> Fold | None:
    reduce = _reduction_of(stmt, later)
    if reduce is None:
        return None
    name = stmt.dst.buffer.name
    rest = tuple(later[later.index(reduce) + 1 :])
    return Fold(stmt, reduce, name not in own or n_reads(rest, name) > 0)


def _finish_of(product: Mmad, later: list[Stmt], own: set[str]) -> Finish | None:
    """Return the product with the one later statement that mentions its sums, if that may be."""
    name = product.dst.buffer.name
    uses = [stmt for stmt in later if name in _mentioned(stmt)]
    if name not in own or len(uses) != 1 or not isinstance(uses[0], Map):
        return None
    stmt = uses[0]
    between = later[: later.index(stmt)]
    sums = [region for region in loads(stmt.expr) if region.buffer.name == name]
    fits = (
        all(region.is_whole for region in sums)
        and _is_from_first(product.dst)
        and stmt.dst.buffer.name != name
        and len(stmt.dst.shape) == 2
        and stmt.dst.shape == product.dst.buffer.shape
        and not {r.buffer.name for r in (product.a, product.b)} & _changed((*between, stmt))
    )
    return Finish(product, stmt) if fits else None


def _is_from_first(region: Region) -> bool:
    """Return whether a region is all columns of a matrix, and its rows from the first one on."""
    shape = region.buffer.shape
    n_rows = region.extent[0]
    is_all = n_rows is not None and replace(region, extent=(shape[0], *region.extent[1:])).is_whole
    return len(shape) == 2 and is_all


def _mentioned(stmt: Stmt) -> set[str]:
    parts = [inner for inner in walk((stmt,)) if not isinstance(inner, Alloc)]
    return {region.buffer.name for inner in parts for region in mentions(inner)}


def _changed(body: Body) -> set[str]:
    return {region.buffer.name for stmt in walk(body) if (region := written(stmt)) is not None}


def _reduction_of(stmt: Map, later: list[Stmt]) -> Reduce | None:
    """Return the reduction that may go element by element along with a map, if one comes next."""
    following = next((other for other in later if not isinstance(other, Alloc)), None)
    if not isinstance(following, Reduce):
        return None
    others = {stmt.dst.buffer, *(region.buffer for region in loads(stmt.expr))}
    is_joined = following.src == stmt.dst and stmt.dst.is_whole
    return following if is_joined and following.dst.buffer not in others else None
