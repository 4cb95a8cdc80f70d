"""How the indexing of a tensor, and its views, become axes of regions: `x[i * 16, k:, ::2]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, TypeAlias

from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.region import AsMatrix, Permute, View
from tilelang.language import mistakes
from tilelang.language.handles import Index, IndexLike, as_node, is_index
from tilelang.language.vector import Expression

Part: TypeAlias = "IndexLike | slice[Any, Any, Any] | EllipsisType"
Key: TypeAlias = "Part | tuple[Part, ...]"


@dataclass(frozen=True, slots=True)
class Axis:
    """What is written for one axis of a region.

    `is_point` is a bare index: a single element, or a start whose extent the other side of a move
    gives. `is_open` is a slice of a tensor in global memory without an end, whose extent the other
    side gives too. `extent` is then what it is where there is no other side; None if that depends
    on a loop.
    """

    start: ix.Index
    step: int = 1
    extent: int | None = None
    is_point: bool = False
    is_open: bool = False


def read_axes(name: str, shape: Sequence[int], key: Key, *, in_gm: bool) -> tuple[Axis, ...]:
    """Return what `key` says for each axis of a tensor; axes that it does not reach are whole.

    Raises:
        TileError: E0120 for what is no index, E0121 for a slice whose length depends on a loop.
    """
    parts = key if isinstance(key, tuple) else (key,)
    if parts and parts[-1] is Ellipsis:
        parts = parts[:-1]
    if len(parts) > len(shape):
        raise mistakes.error(
            "E0120",
            f"{len(parts)} indices for `{name}`, which has {len(shape)} dimensions {list(shape)}",
            "write one index or slice for each dimension",
        )
    written = [_axis(part, size, in_gm) for part, size in zip(parts, shape, strict=False)]
    rest = [Axis(ix.ZERO, 1, size) for size in shape[len(parts) :]]
    return (*written, *rest)


def _axis(part: Any, size: int, in_gm: bool) -> Axis:
    if is_index(part):
        return Axis(as_node(part), is_point=True)
    if type(part) is not slice:
        raise mistakes.error(
            "E0120",
            f"{mistakes.shown(part)} is neither an index nor a slice",
            _index_hint(part),
        )
    bounds: Any = part
    step = 1 if bounds.step is None else bounds.step
    if not is_index(step) or isinstance(step, Index) or step < 1:
        hint = "write a number: `x[i::2]`"
        if is_index(step):
            hint = "turn the array round in numpy, before the kernel: a slice runs forwards only"
        raise mistakes.error(
            "E0120",
            f"the step of a slice is {mistakes.shown(step)}, wanted a plain positive int",
            hint,
        )
    for bound in (bounds.start, bounds.stop):
        if bound is not None and not is_index(bound):
            raise mistakes.error(
                "E0120",
                f"{mistakes.shown(bound)} cannot bound a slice",
                "write an int or a loop index; values of tiles are never indices",
            )
    start = ix.ZERO if bounds.start is None else as_node(bounds.start)
    is_open = in_gm and bounds.stop is None
    step = int(step)
    return Axis(start, step, _extent(start, bounds.stop, step, size), is_open=is_open)


def _index_hint(part: object) -> str:
    """Return what to write instead of `part`, which is no index."""
    if part is None:
        return "give the tile a dimension of size 1 where it is allocated: `(16, 1)`"
    if isinstance(part, Expression) and part.dtype is DType.BOOL:
        return "choose by a mask: `t[:] = tl.where(mask, 0, t)`"
    if part is Ellipsis:
        return "write a `:` for every dimension that is whole; `...` may only stand last"
    if isinstance(part, tuple):
        return "give every index of the grid a name: `for i, j in tl.cores(m, n):`"
    if isinstance(part, float):
        return mistakes.whole_number([part], "")
    return "write an int, a loop index, or `start:stop:step`; values of tiles are never indices"


def _extent(start: ix.Index, stop: IndexLike | None, step: int, size: int) -> int | None:
    """Return the number of elements of a slice; None if only the other side can say.

    Raises:
        TileError: E0121 if the distance from start to stop depends on a loop.
    """
    if stop is None:
        return -(-(size - start.constant) // step) if start.is_constant else None
    distance = ix.subtract(as_node(stop), start)
    if not distance.is_constant:
        raise mistakes.error(
            "E0121",
            "the length of this slice depends on a loop",
            "a tile has one size: write `x[i:i + 16]`; what hangs over a tensor is padded",
        )
    if distance.constant < 0:
        raise mistakes.error(
            "E0120",
            f"a slice ends {-distance.constant} before it starts",
            f"count from the start, `:{size - 1}` and not `:-1`: as regions may lie before a "
            "tensor's start, a negative index is no distance from its end",
        )
    return -(-distance.constant // step)


def transposed(view: View, name: str) -> View:
    """Return the view with its last two axes swapped.

    Raises:
        TileError: E0119 where there are none to swap.
    """
    if isinstance(view, AsMatrix) or len(view.groups) < 2:
        raise mistakes.error(
            "E0119",
            f"`{name}` as it is seen here cannot be transposed",
            "take `.T` of a plain tile with two or more dimensions",
        )
    *lead, rows, columns = view.groups
    return Permute((*lead, columns, rows))


def grouped(view: View, groups: tuple[tuple[int, ...], ...], name: str, rank: int) -> View:
    """Return the view with its `rank` axes permuted and merged.

    Raises:
        TileError: E0119 if the groups do not name each axis once, or merge distant dimensions.
    """
    nested = all(isinstance(group, tuple | list) for group in groups)  # pyright: ignore[reportUnnecessaryIsInstance]
    axes = [axis for group in groups for axis in group] if nested else []
    if not nested or isinstance(view, AsMatrix) or sorted(axes) != list(range(rank)):
        same = ", ".join(f"({axis},)" for axis in range(rank))
        hint = f"for a view that changes nothing write `.view({same})`"
        if not nested:
            hint = (
                "name dimensions, not sizes: `.view((1,), (0,))` swaps two, `.view((0, 1))` merges"
            )
        message = f"the groups {list(groups)} do not name each of the {rank} dimensions of `{name}`"
        raise mistakes.error("E0119", f"{message} once", hint)
    merged = tuple(tuple(dim for axis in group for dim in view.groups[axis]) for group in groups)
    for group in merged:
        if not group or group != tuple(range(group[0], group[0] + len(group))):
            raise mistakes.error(
                "E0119",
                f"the group {group} merges dimensions that are not neighbours in ascending order",
                "merge only neighbours: `(2, 3)`",
            )
    return Permute(merged)
