"""Regions as the text form writes them: `a[128*i:+128, 64*k:+64]`."""

from typing import assert_never

from tilelang.ir.index import ZERO
from tilelang.ir.region import AsMatrix, Buffer, Permute, Region, View, identity, view_shape
from tilelang.text.index_text import print_index

RESERVED = frozenset({"inf", "nan"})
"""Words that are numbers where an expression stands; a buffer of that name is written `inf[:]`."""


def print_region(region: Region) -> str:
    """Return `region` as text; all of a buffer is its bare name."""
    name = _view(region.buffer, region.view)
    if not _is_full(region):
        return f"{name}[{_axes(region)}]"
    return f"{name}[:]" if name in RESERVED else name


def print_target(region: Region) -> str:
    """Return `region` as the left side of an assignment, where all of a buffer is `x[:]`."""
    axes = ":" if _is_full(region) else _axes(region)
    return f"{_view(region.buffer, region.view)}[{axes}]"


def transposed(rank: int) -> Permute:
    """Return the view that `.T` stands for: the last two of `rank` axes swapped."""
    *lead, last, before = (*range(rank - 2), rank - 1, rank - 2)
    return Permute(tuple((axis,) for axis in (*lead, last, before)))


def _view(buffer: Buffer, view: View) -> str:
    match view:
        case AsMatrix():
            return f"as_matrix({buffer.name})"
        case Permute(groups):
            if view == identity(buffer.rank):
                return buffer.name
            if buffer.rank >= 2 and view == transposed(buffer.rank):
                return f"{buffer.name}.T"
            return f"{buffer.name}.view({', '.join(map(str, groups))})"
        case _:
            assert_never(view)


def _is_full(region: Region) -> bool:
    """Return whether the region is all of its buffer, in the order of its view."""
    return (
        region.extent == view_shape(region.buffer, region.view)
        and all(start == ZERO for start in region.start)
        and all(step == 1 for step in region.step)
    )


def _axes(region: Region) -> str:
    shape = view_shape(region.buffer, region.view)
    return ", ".join(_axis(region, axis, size) for axis, size in enumerate(shape))


def _axis(region: Region, axis: int, size: int) -> str:
    start, step, extent = region.start[axis], region.step[axis], region.extent[axis]
    if extent is None:
        return print_index(start)
    if (start, step, extent) == (ZERO, 1, size):
        return ":"
    return f"{print_index(start)}:+{extent}{'' if step == 1 else f':{step}'}"
