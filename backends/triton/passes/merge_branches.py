"""Make one of two branches that do the same in different buffers, as hand-written ping-pong does.

A product inside a branch cannot be pipelined, and Triton has its own double buffers.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tilelang.ir.nodes import Alloc, Body, If, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Region
from tilelang.ir.walk import map_regions, reads, rewrite, walk, written


def merge_branches(stage: Stage) -> Stage:
    """Return `stage` without `if`s whose branches differ in the names of their own buffers only."""
    everywhere = _uses(stage.body)

    def merged(stmt: Stmt) -> Body:
        if not isinstance(stmt, If) or not stmt.otherwise:
            return (stmt,)
        same = _canonical(stmt.then, everywhere) == _canonical(stmt.otherwise, everywhere)
        return stmt.then if same else (stmt,)

    return replace(stage, body=rewrite(stage.body, merged))


def _uses(body: Body) -> Counter[str]:
    """Return how often each buffer occurs in a statement."""
    return Counter(region.buffer.name for stmt in walk(body) for region in _regions(stmt))


def _regions(stmt: Stmt) -> Iterator[Region]:
    yield from reads(stmt)
    if (target := written(stmt)) is not None:
        yield target


def _canonical(branch: Body, everywhere: Mapping[str, int]) -> Body:
    """Return `branch` with the buffers that only it uses, and fills first, named by their order."""
    here = _uses(branch)
    names: dict[str, str] = {}
    for stmt in walk(branch):
        for region in _regions(stmt):
            name = region.buffer.name
            own = here[name] == everywhere[name] and region.buffer.memory is not Memory.GM
            if own and name not in names and _is_filled_first(name, branch):
                names[name] = f"#{len(names)}"
    return rewrite(branch, lambda stmt: (_renamed(stmt, names),))


def _is_filled_first(name: str, branch: Body) -> bool:
    """Return whether the first statement that uses a buffer writes all of it, in any case."""
    for stmt in branch:
        used = any(region.buffer.name == name for one in walk((stmt,)) for region in _regions(one))
        if used:
            target = written(stmt)
            read = any(region.buffer.name == name for region in reads(stmt))
            return target is not None and target.is_whole and not read
    return False


def _renamed(stmt: Stmt, names: Mapping[str, str]) -> Stmt:
    def buffer(one: Buffer) -> Buffer:
        return replace(one, name=names.get(one.name, one.name))

    if isinstance(stmt, Alloc):
        return replace(stmt, buffer=buffer(stmt.buffer))
    return map_regions(stmt, lambda region: replace(region, buffer=buffer(region.buffer)))
