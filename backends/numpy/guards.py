"""Checks of where an on-chip region lies: inside its buffer, and at the start of a fractal.

The verifier proves both for every value of the loop variables; these are the exact checks, which
hold also for a program that nobody verified.
"""

from collections.abc import Callable

from tilelang.backends.numpy import faults
from tilelang.backends.numpy.indices import Variables, compile_index
from tilelang.backends.numpy.operands import Operand
from tilelang.backends.numpy.places import Locate, Place
from tilelang.ir.region import Memory, Region, view_shape
from tilelang.verify.regions import axis_blocks


def guarded(operand: Operand) -> Locate:
    """Return how to find the operand, with every rule checked that its starts could break."""
    find = operand.locate
    if operand.buffer.memory is Memory.GM or 0 in operand.region.extent:
        return find
    checks = [*_bounds_checks(operand), *_alignment_checks(operand)]
    if not checks:
        return find

    def find_checked(variables: Variables) -> Place:
        for check in checks:
            check(variables)
        return find(variables)

    return find_checked


_Check = Callable[[Variables], None]


def _bounds_checks(operand: Operand) -> list[_Check]:
    """Return a check for every axis of the region's view that is not inside for certain."""
    region = operand.region
    sizes = view_shape(region.buffer, region.view)
    checks = [_bounds_check(operand, axis, size) for axis, size in enumerate(sizes)]
    return [check for check in checks if check is not None]


def _bounds_check(operand: Operand, axis: int, size: int) -> _Check | None:
    region = operand.region
    extent, index = region.extent[axis], region.start[axis]
    reach = 0 if extent is None else (extent - 1) * region.step[axis]
    if index.is_constant and 0 <= index.constant < size - reach:
        return None
    at = compile_index(index)

    def check(variables: Variables) -> None:
        start = at(variables)
        if not 0 <= start < size - reach:
            raise faults.out_of_bounds(variables, operand, axis, (start, start + reach), size)

    return check


def _alignment_checks(operand: Operand) -> list[_Check]:
    region = operand.region
    aligned = sorted(axis_blocks(region).items())
    if all(_is_aligned(region, axis, block) for axis, block in aligned):
        return []
    starts = [compile_index(region.start[axis]) for axis, _ in aligned]
    blocks = [block for _, block in aligned]

    def check(variables: Variables) -> None:
        found = [start(variables) for start in starts]
        if any(start % block for start, block in zip(found, blocks, strict=True)):
            raise faults.misaligned(variables, operand, found, blocks)

    return [check]


def _is_aligned(region: Region, axis: int, block: int) -> bool:
    index = region.start[axis]
    return block == 1 or (index.is_constant and index.constant % block == 0)
