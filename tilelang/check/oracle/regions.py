"""Where the elements of a region lie, as arrays of indices that numpy can index with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import And, Compare, Condition, Not, Or, Relation, Truth
from tilelang.ir.nodes import Img2col
from tilelang.ir.region import Permute, Region
from tilelang.ir.source_index import region_element, source_index

Variables: TypeAlias = Mapping[str, int]
Mask: TypeAlias = NDArray[np.bool_]

_N_KEPT = 64
"""Places of one region kept for the next time the same values of the variables come round."""


@dataclass(frozen=True, slots=True)
class Place:
    """The elements `index` of a buffer; in numpy's sense, without the axis of planes.

    Where `mask` is false an element does not exist, and its index is any legal one. Slices come in
    the buffer's order, and `order` is the transposition to the region's; other indices have the
    region's shape.
    """

    index: tuple[Any, ...]
    mask: Mask | None = None
    order: tuple[int, ...] | None = None

    def read(self, planes: NDArray[Any]) -> NDArray[Any]:
        """Return the elements; the first axis of `planes` is kept. Some may not exist."""
        if self.mask is not None and not planes.size:
            return np.zeros((len(planes), *self.mask.shape), planes.dtype)
        found = planes[(slice(None), *self.index)]
        if self.order is None:
            return found
        return found.transpose(0, *(axis + 1 for axis in self.order))

    def write(self, planes: NDArray[Any], values: NDArray[Any]) -> None:
        """Set the elements that exist; `values` broadcasts to the region."""
        if self.order is not None:
            self.read(planes)[...] = values  # a view, for slices are indexed with
            return
        if self.mask is None:
            planes[(slice(None), *self.index)] = values
            return
        existing = tuple(np.broadcast_to(i, self.mask.shape)[self.mask] for i in self.index)
        wide = np.broadcast_to(values, (len(planes), *self.mask.shape))
        planes[(slice(None), *existing)] = wide[:, self.mask]


class Locator:
    """Finds the place of one region, or of the source of an `Img2col`, at any iteration."""

    def __init__(self, source: Region | Img2col) -> None:
        """Prepare the index of every element, counted by variables that no user can write."""
        region = source.src if isinstance(source, Img2col) else source
        self._region = region
        self._shape = source.dst.shape if isinstance(source, Img2col) else region.shape
        counters = [ix.variable(f"@{axis}") for axis in range(len(self._shape))]
        if isinstance(source, Img2col):
            self._element, self._exists = source_index(source, counters)
        else:
            self._element, self._exists = region_element(region, counters)
        self._is_box = isinstance(source, Region) and _is_box(region)
        parts = [*self._element, *cond.indices(self._exists), *region.start]
        names = {name for index in parts for name in ix.free_variables(index)}
        self._names = sorted(name for name in names if not name.startswith("@"))
        self._kept: dict[tuple[int, ...], Place] = {}

    def find(self, variables: Variables) -> Place:
        """Return the place for these values of the loop variables."""
        key = tuple([variables[name] for name in self._names])
        place = self._kept.get(key)
        if place is None:
            if len(self._kept) >= _N_KEPT:
                self._kept.clear()
            place = self._kept[key] = self._find(variables)
        return place

    def _find(self, variables: Variables) -> Place:
        box = _box(self._region, variables) if self._is_box else None
        return box or self._elements(variables)

    def _elements(self, variables: Variables) -> Place:
        sizes = self._region.buffer.shape
        if 0 in sizes or 0 in self._shape:
            nowhere = tuple(np.zeros(self._shape, np.intp) for _ in sizes)
            return Place(nowhere, np.zeros(self._shape, np.bool_))
        along = np.ogrid[tuple(slice(extent) for extent in self._shape)]
        values: dict[str, Any] = {**variables}
        values.update((f"@{axis}", counts) for axis, counts in enumerate(along))
        mask = np.broadcast_to(_holds(self._exists, values), self._shape)
        index = tuple(
            np.clip(np.broadcast_to(ix.evaluate(one, values), self._shape), 0, size - 1)
            for one, size in zip(self._element, sizes, strict=True)
        )
        return Place(index, None if mask.all() else mask)


def _is_box(region: Region) -> bool:
    view = region.view
    return isinstance(view, Permute) and all(len(group) == 1 for group in view.groups)


def _box(region: Region, variables: Variables) -> Place | None:
    """Return the place as slices, or None if some element does not exist."""
    view, sizes = region.view, region.buffer.shape
    assert isinstance(view, Permute)
    index: list[slice | int] = [0] * len(sizes)
    spanned: list[int] = []
    parts = zip(view.groups, region.start, region.step, region.extent, strict=True)
    for (axis,), begin, step, extent in parts:
        start = ix.evaluate(begin, variables)
        last = start + ((extent or 1) - 1) * step
        if extent == 0 or start < 0 or last >= sizes[axis]:
            return None
        index[axis] = start if extent is None else slice(start, last + 1, step)
        if extent is not None:
            spanned.append(axis)
    in_order = sorted(spanned)
    order = None if in_order == spanned else tuple(in_order.index(axis) for axis in spanned)
    return Place(tuple(index), None, order)


def holds(condition: Condition, variables: Variables) -> bool:
    """Return whether `condition` holds."""
    return bool(_holds(condition, variables))


def _holds(condition: Condition, values: Mapping[str, Any]) -> Any:
    """Return where `condition` holds, for values that are ints or arrays."""
    match condition:
        case Truth(value):
            return np.asarray(value)
        case Compare(relation, index):
            return _compare(relation, ix.evaluate(index, values))
        case And(args):
            return reduce(np.logical_and, [_holds(arg, values) for arg in args])
        case Or(args):
            return reduce(np.logical_or, [_holds(arg, values) for arg in args])
        case Not(arg):
            return np.logical_not(_holds(arg, values))
        case _:
            assert_never(condition)


def _compare(relation: Relation, value: Any) -> Any:
    match relation:
        case Relation.LESS:
            return value < 0
        case Relation.EQUAL:
            return value == 0
        case Relation.NOT_EQUAL:
            return value != 0
        case _:
            assert_never(relation)


@dataclass(frozen=True, slots=True)
class Locators:
    """The locator of every region that was asked for; they live as long as the program does."""

    known: dict[int, tuple[Region | Img2col, Locator]]

    def find(self, source: Region | Img2col, variables: Variables) -> Place:
        """Return the place of `source` for these values of the loop variables."""
        entry = self.known.get(id(source))
        if entry is None:
            entry = self.known[id(source)] = source, Locator(source)
        return entry[1].find(variables)


def aligned(planes: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Return planes with as many axes as `shape` has, so that they broadcast from the right."""
    missing = len(shape) - (planes.ndim - 1)
    return planes.reshape(len(planes), *(1,) * missing, *planes.shape[1:])
