"""What the oracle must know of a program's stores before it runs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilelang.check.oracle.regions import Locators, holds
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, If, Loop, Move, Program, Stage, Stmt
from tilelang.ir.region import Memory
from tilelang.ir.walk import reads, rewrite_program, walk, written


def store_early(program: Program) -> Program:
    """Return `program` with every store of a result right behind what computed it.

    So whatever reads the tile reads what the backend stored. The program means the same.
    """
    names = {buffer.name for buffer in program.results}

    def change(stmt: Stmt) -> Body:
        match stmt:
            case Loop():
                return (replace(stmt, body=_hoisted(stmt.body, names)),)
            case If():
                then, otherwise = _hoisted(stmt.then, names), _hoisted(stmt.otherwise, names)
                return (replace(stmt, then=then, otherwise=otherwise),)
            case _:
                return (stmt,)

    changed = rewrite_program(program, change)
    body = tuple(
        replace(part, body=_hoisted(part.body, names)) if isinstance(part, Stage) else part
        for part in changed.body
    )
    return replace(changed, body=body)


def _hoisted(body: Body, names: set[str]) -> Body:
    statements: list[Stmt] = []
    for stmt in body:
        place = len(statements)
        if _is_store(stmt, names):
            while place and _may_swap(statements[place - 1], stmt):
                place -= 1
        statements.insert(place, stmt)
    return tuple(statements)


def _is_store(stmt: Stmt, names: set[str]) -> bool:
    return (
        isinstance(stmt, Move)
        and stmt.dst.buffer.name in names
        and stmt.src.buffer.memory is not Memory.GM
    )


def _may_swap(before: Stmt, store: Stmt) -> bool:
    """Return whether `before` neither makes nor needs anything that `store` touches."""
    assert isinstance(store, Move)
    if isinstance(before, Alloc | Loop | If):
        return False
    target = written(before)
    touched = {region.buffer.name for region in reads(before)}
    if target is not None:
        touched.add(target.buffer.name)
    source, result = store.src.buffer.name, store.dst.buffer.name
    return result not in touched and (target is None or target.buffer.name != source)


def count_writes(program: Program) -> Mapping[str, NDArray[Any]]:
    """Return for each result how often each of its elements is written."""
    counts = {buffer.name: np.zeros(buffer.shape, np.int64) for buffer in program.results}
    locators = Locators({})
    for store, variables in each_store(program):
        plane = counts[store.dst.buffer.name][None]
        place = locators.find(store.dst, variables)
        place.write(plane, place.read(plane) + 1)
    return counts


def each_store(program: Program) -> Iterator[tuple[Move, Mapping[str, int]]]:
    """Yield every move to a result with the loop variables, in order."""
    names = {buffer.name for buffer in program.results}
    for stage in program.stages:
        for point in np.ndindex(*(core.extent for core in stage.grid)):
            variables = dict(zip((core.var for core in stage.grid), point, strict=True))
            yield from _stores(stage.body, variables, names)


def _stores(
    body: Body, variables: Mapping[str, int], names: Collection[str]
) -> Iterator[tuple[Move, Mapping[str, int]]]:
    for stmt in body:
        match stmt:
            case Loop() if _has_store(stmt.body, names):
                for value in range(ix.evaluate(stmt.extent, variables)):
                    yield from _stores(stmt.body, {**variables, stmt.var: value}, names)
            case If():
                chosen = stmt.then if holds(stmt.condition, variables) else stmt.otherwise
                yield from _stores(chosen, variables, names)
            case Move(dst) if dst.buffer.name in names:
                yield stmt, variables
            case _:
                pass


def _has_store(body: Body, names: Collection[str]) -> bool:
    targets = map(written, walk(body))
    return any(target is not None and target.buffer.name in names for target in targets)
