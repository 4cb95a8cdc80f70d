"""Where a region lies in its buffer at one iteration, as something numpy can index with.

A region that is a strided box of its buffer, axes permuted perhaps, becomes slices: `Box`, or
`Clipped` where it hangs over. Every other one (merged axes, weights seen as a matrix, `Img2col`)
becomes arrays of indices, which are evaluations of `source_index`: `Scattered`. The second way
works for every region and is what the first is tested against.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.numpy.indices import Variables, compile_index
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col
from tilelang.ir.region import Permute, Region
from tilelang.ir.source_index import Element, region_element, source_index

Array: TypeAlias = NDArray[Any]


@dataclass(slots=True, eq=False)
class Box:
    """All of the region exists: `array[index]`, its axes then in the order `order`."""

    index: tuple[Any, ...]
    order: tuple[int, ...] | None
    is_whole: bool = False
    """Whether it is known to cover the buffer."""

    @property
    def is_complete(self) -> bool:
        """Whether every element of the region is known to exist."""
        return True

    def read(self, array: Array, fill: Any) -> Array:
        """Return a view of the region's elements."""
        view = array[self.index]
        return view if self.order is None else view.transpose(self.order)

    def write(self, array: Array, values: Any) -> None:
        """Set the region's elements to `values`, which broadcast."""
        self.read(array, None)[...] = values

    def existing(self, shape: tuple[int, ...]) -> Array:
        """Return, for each element of the region, whether it exists."""
        return np.ones(shape, np.bool_)


@dataclass(slots=True, eq=False)
class Clipped:
    """The part `inside` of a region of `shape` exists, and lies at `box`."""

    box: Box
    inside: tuple[slice, ...]
    shape: tuple[int, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every element of the region is known to exist."""
        return False

    @property
    def is_whole(self) -> bool:
        """Whether it is known to cover the buffer."""
        return False

    def read(self, array: Array, fill: Any) -> Array:
        """Return a copy of the region's elements, with `fill` for those that do not exist."""
        values = np.full(self.shape, fill, array.dtype)
        values[self.inside] = self.box.read(array, None)
        return values

    def write(self, array: Array, values: Any) -> None:
        """Set the elements that exist to `values`, which broadcast to the region."""
        self.box.write(array, np.broadcast_to(values, self.shape)[self.inside])

    def existing(self, shape: tuple[int, ...]) -> Array:
        """Return, for each element of the region, whether it exists."""
        exists = np.zeros(shape, np.bool_)
        exists[self.inside] = True
        return exists


@dataclass(slots=True, eq=False)
class Scattered:
    """The region's elements lie at `index`, one array an axis of the buffer, where `mask` holds.

    The arrays broadcast to `shape`. `mask` is None where every element exists.
    """

    index: tuple[Any, ...]
    mask: Array | None
    shape: tuple[int, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every element of the region is known to exist."""
        return self.mask is None

    @property
    def is_whole(self) -> bool:
        """Whether it is known to cover the buffer."""
        return False

    def read(self, array: Array, fill: Any) -> Array:
        """Return a copy of the region's elements, with `fill` for those that do not exist."""
        if self.mask is None:
            return np.broadcast_to(array[self.index], self.shape)
        values = np.full(self.shape, fill, array.dtype)
        values[self.mask] = array[self._existing_index()]
        return values

    def write(self, array: Array, values: Any) -> None:
        """Set the elements that exist to `values`, which broadcast to the region."""
        if self.mask is None:
            array[self.index] = values
        else:
            array[self._existing_index()] = np.broadcast_to(values, self.shape)[self.mask]

    def existing(self, shape: tuple[int, ...]) -> Array:
        """Return, for each element of the region, whether it exists."""
        return np.ones(shape, np.bool_) if self.mask is None else self.mask

    def _existing_index(self) -> tuple[Array, ...]:
        return tuple(np.broadcast_to(along, self.shape)[self.mask] for along in self.index)


Place: TypeAlias = Box | Clipped | Scattered
Locate: TypeAlias = Callable[[Variables], Place]
"""Finds the place of a region at the current iteration."""


def locate(region: Region) -> Locate:
    """Return the function that finds `region`, with slices if it can be done."""
    return locate_box(region) or locate_elements(region)


def locate_box(region: Region) -> Locate | None:
    """Return the function that finds `region` with slices, or None if it merges axes."""
    view = region.view
    if not isinstance(view, Permute) or any(len(group) != 1 for group in view.groups):
        return None
    shape = region.buffer.shape  # as plain ints: arithmetic on names takes many times as long
    axes = [
        _Axis(group[0], step, extent if extent is None else int(extent), int(shape[group[0]]))
        for group, step, extent in zip(view.groups, region.step, region.extent, strict=True)
    ]
    order = _order([axis.of_buffer for axis in axes if axis.extent is not None])
    if all(start.is_constant for start in region.start):
        place = _place_box(axes, order, [int(start.constant) for start in region.start])
        return lambda _: place
    starts = [compile_index(start) for start in region.start]
    return lambda variables: _place_box(axes, order, [start(variables) for start in starts])


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a view: which axis of the buffer it is, and what the region takes of it."""

    of_buffer: int
    step: int
    extent: int | None
    size: int


def _order(axes: Sequence[int]) -> tuple[int, ...] | None:
    """Return the transposition from the buffer's order to the region's, None for none."""
    ascending = sorted(axes)
    return None if ascending == axes else tuple(ascending.index(axis) for axis in axes)


def _place_box(
    axes: Sequence[_Axis], order: tuple[int, ...] | None, starts: Sequence[int]
) -> Place:
    index: list[Any] = [...] * len(axes)
    is_whole = is_complete = True
    for axis, start in zip(axes, starts, strict=True):
        extent = axis.extent
        if extent is None:
            index[axis.of_buffer] = start
            is_complete = is_complete and 0 <= start < axis.size
            is_whole = is_whole and axis.size == 1
        else:
            start = start if extent else 0
            end = start + (extent - 1) * axis.step + 1 if extent else 0
            index[axis.of_buffer] = slice(start, end, axis.step)
            is_complete = is_complete and start >= 0 and end <= axis.size
            is_whole = is_whole and extent == axis.size
    if not is_complete:
        return _clip_box(axes, order, starts)
    return Box((*index, ...), order, is_whole)


def _clip_box(axes: Sequence[_Axis], order: tuple[int, ...] | None, starts: Sequence[int]) -> Place:
    """Return the place of a region that may hang over its buffer."""
    shape = tuple(axis.extent for axis in axes if axis.extent is not None)
    index: list[Any] = [...] * len(axes)
    inside: list[slice] = []
    for axis, start in zip(axes, starts, strict=True):
        if axis.extent is None:
            if not 0 <= start < axis.size:
                return _nowhere(len(axes), shape)
            index[axis.of_buffer] = start
        else:
            first = max(0, -(start // axis.step))
            last = min(axis.extent, (axis.size - 1 - start) // axis.step + 1)
            inside.append(slice(first, max(first, last)))
            index[axis.of_buffer] = _slice_of(start, axis.step, first, last)
    return Clipped(Box((*index, ...), order), tuple(inside), shape)


def _slice_of(start: int, step: int, first: int, last: int) -> slice:
    """Return the slice of the elements `start + step * i` for i = `first` .. `last` - 1."""
    if last <= first:
        return slice(0, 0)
    return slice(start + step * first, start + step * (last - 1) + 1, step)


def _nowhere(rank: int, shape: tuple[int, ...]) -> Place:
    return Scattered((np.zeros((), np.intp),) * rank, np.zeros(shape, np.bool_), shape)


def locate_elements(region: Region) -> Locate:
    """Return the function that finds `region` element by element, which any region allows."""
    element, exists = region_element(region, _counters(region.shape))
    return _locate_elements(element, exists, region.buffer.shape, region.shape)


def locate_img2col(stmt: Img2col) -> Locate:
    """Return the function that finds the source of every element of `stmt.dst`."""
    shape = stmt.dst.shape
    element, exists = source_index(stmt, _counters(shape))
    return _locate_elements(element, exists, stmt.src.buffer.shape, shape)


def evaluate_over(
    condition: Condition, shape: tuple[int, ...], variables: Variables
) -> NDArray[np.bool_]:
    """Return where `condition` holds over a region of `shape`, see `counter`."""
    values = {**variables, **_counts(shape)}
    return np.broadcast_to(cond.holds_each(condition, values), shape)


def counter(axis: int) -> Index:
    """Return the index that counts along axis `axis` of a region, a variable no user can write."""
    return ix.variable(f"@{axis}")


def _counters(shape: tuple[int, ...]) -> list[Index]:
    return [counter(axis) for axis in range(len(shape))]


def _counts(shape: tuple[int, ...]) -> dict[str, Array]:
    along = np.ogrid[tuple(slice(extent) for extent in shape)]
    return {f"@{axis}": counts for axis, counts in enumerate(along)}


_N_REMEMBERED = 32
"""Places kept for the next time the same values of the variables come round."""


def _locate_elements(
    element: Element, exists: Condition, buffer_shape: tuple[int, ...], shape: tuple[int, ...]
) -> Locate:
    if 0 in buffer_shape:
        nowhere = _nowhere(len(buffer_shape), shape)
        return lambda _: nowhere
    counts = _counts(shape)
    parts = [*element, *cond.indices(exists)]
    used = {name for index in parts for name in ix.free_variables(index)} - counts.keys()
    names = sorted(used)

    @lru_cache(maxsize=_N_REMEMBERED)
    def find(*of_variables: int) -> Place:
        values = {**counts, **dict(zip(names, of_variables, strict=True))}
        mask = np.broadcast_to(cond.holds_each(exists, values), shape)
        # What does not exist is masked; clipping only keeps its indices legal.
        index = tuple(
            np.clip(ix.evaluate(along, values), 0, size - 1)
            for along, size in zip(element, buffer_shape, strict=True)
        )
        return Scattered(index, None if mask.all() else mask, shape)

    return lambda variables: find(*(variables[name] for name in names))
