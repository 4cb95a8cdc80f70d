"""What the ranges of loops prove about regions that could hang over."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from tilelang.backends.llvm.simplify import simplify_condition
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Body, Core, If, Loop, Stmt
from tilelang.ir.region import Permute, Region
from tilelang.ir.source_index import region_element

Ranges: TypeAlias = Mapping[str, tuple[int, int]]
"""The first and the last value of each variable."""


def within(body: Body, ranges: Ranges) -> Iterator[tuple[Stmt, Ranges]]:
    """Yield every statement of `body`, as `walk` does, with the ranges of the loops around it."""
    for stmt in body:
        yield stmt, ranges
        match stmt:
            case Loop():
                last = ix.bounds(stmt.extent, ranges)[1] - 1
                yield from within(stmt.body, {**ranges, stmt.var: (0, max(last, 0))})
            case If():
                yield from within((*stmt.then, *stmt.otherwise), ranges)
            case _:
                pass


def ranges_of(loops: Iterable[Core]) -> dict[str, tuple[int, int]]:
    """Return the range (ends included) of each loop's variable."""
    return {loop.var: (0, max(loop.extent - 1, 0)) for loop in loops}


def always_exists(region: Region, ranges: Ranges) -> bool:
    """Return whether the ranges of the loops prove that nothing of `region` hangs over."""
    if not isinstance(region.view, Permute):
        return False
    names = [f"${axis}" for axis in range(len(region.shape))]
    inside = {n: (0, max(size - 1, 0)) for n, size in zip(names, region.shape, strict=True)}
    _, exists = region_element(region, [ix.variable(name) for name in names])
    return simplify_condition(exists, {**ranges, **inside}) == cond.TRUE
