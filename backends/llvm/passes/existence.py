"""What the ranges of loops prove about regions that could hang over."""

from collections.abc import Iterable

from tilelang.backends.llvm.simplify import simplify_condition
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Core
from tilelang.ir.region import Permute, Region
from tilelang.ir.source_index import region_element


def ranges_of(loops: Iterable[Core]) -> dict[str, tuple[int, int]]:
    """Return the range (ends included) of each loop's variable."""
    return {loop.var: (0, max(loop.extent - 1, 0)) for loop in loops}


def always_exists(region: Region, ranges: dict[str, tuple[int, int]]) -> bool:
    """Return whether the ranges of the loops prove that nothing of `region` hangs over."""
    if not isinstance(region.view, Permute):
        return False
    names = [f"${axis}" for axis in range(len(region.shape))]
    inside = {n: (0, max(size - 1, 0)) for n, size in zip(names, region.shape, strict=True)}
    _, exists = region_element(region, [ix.variable(name) for name in names])
    return simplify_condition(exists, {**ranges, **inside}) == cond.TRUE
