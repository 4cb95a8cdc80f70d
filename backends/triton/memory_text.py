"""Loads and stores of global memory: by tensor descriptor, or by pointers and masks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tilelang.backends.triton.blocks import Fetch, Place, Put
from tilelang.backends.triton.descriptors import Box, Descriptor, find_box
from tilelang.backends.triton.dtype_text import Types, number, shape_text, variable
from tilelang.backends.triton.expression_text import bare, operand_text
from tilelang.backends.triton.index_text import IndexText
from tilelang.backends.triton.names import Names, lane_axes
from tilelang.backends.triton.passes.simplify_blocks import with_lanes
from tilelang.backends.triton.simplify import Limits, simplify_index
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import Buffer

INT32_MAX = 2**31 - 1
LINE_LENGTH = 88
"""Where a call is broken; the kernel's own indentation comes on top."""
AXIS_WORDS = {1: ("at",), 2: ("row", "column")}


@dataclass(frozen=True, slots=True)
class MemoryText:
    """How a kernel writes its accesses: the names so far, and what the descriptors are called.

    `descriptors` holds those the kernel takes; a place that is none of their boxes uses pointers.
    """

    names: Names
    variables: Mapping[str, str]
    descriptors: Mapping[Descriptor, str]
    types: Types

    def fetch(self, step: Fetch, name: str, limits: Limits) -> Iterator[str]:
        """Yield the lines that set the variable `name` to what `step` loads."""
        place = step.place
        box = find_box(place, step.pad, may_copy=True)
        kind = place.tensor.dtype
        if place.valid == cond.FALSE:
            fill = number(step.pad, kind)
            shape, dtype = shape_text(place.shape), self.types.name(kind)
            yield f"{name} = tl.full({shape}, {fill}, {dtype})"
        elif box is not None and box.descriptor in self.descriptors:
            yield f"{name} = {self.types.loaded(self._box_value(box, place, limits), kind)}"
        else:
            texts = self._pointers(place, name, limits)
            yield from texts.lines
            fill = number(step.pad, kind)
            mask = (f"mask={texts.mask}", f"other={fill}") if texts.mask else ()
            yield from _call(f"{name} = tl.load", texts.pointer, *mask)
            if self.types.rounds(kind):
                yield f"{name} = {self.types.loaded(name, kind)}"

    def put(self, step: Put, limits: Limits) -> Iterator[str]:
        """Yield the lines of a store, between barriers if others of this kernel load it."""
        place = step.place
        indices = self.index_text(limits, place.shape)
        value = operand_text(step.value, indices)
        if step.value.shape != place.shape:
            value = f"tl.reshape({value}, {shape_text(place.shape)})"
        value = self.types.stored(value, place.tensor.dtype)
        box = None if step.is_shared else find_box(place, 0)
        if place.valid == cond.FALSE:
            return
        if step.is_shared:
            yield "tl.debug_barrier()"
        if box is not None and box.descriptor in self.descriptors:
            yield self._box_store(box, place, value, limits)
        else:
            texts = self._pointers(place, variable(place.tensor.name), limits)
            yield from texts.lines
            mask = (f"mask={texts.mask}",) if texts.mask else ()
            yield from _call("tl.store", texts.pointer, value, *mask)
        if step.is_shared:
            yield "tl.debug_barrier()"

    def index_text(self, limits: Limits, shape: tuple[int, ...]) -> IndexText:
        """Return how indices are written for a block of `shape`."""
        return IndexText(_LaneNames(self.variables, self.names, shape), with_lanes(limits, shape))

    def _box_value(self, box: Box, place: Place, limits: Limits) -> str:
        name, start = self.descriptors[box.descriptor], self._start(box, limits)
        text = f"{name}.load([{start}])"
        kept = tuple(place.shape[axis] for axis in box.order)
        ascending = tuple(sorted(box.order))
        if box.descriptor.block != kept and (len(box.order) > 1 or kept != place.shape):
            text = f"tl.reshape({text}, {shape_text(kept)})"
        elif box.descriptor.block != kept:
            return f"tl.reshape({text}, {shape_text(place.shape)})"
        if box.order != ascending:
            order = tuple(box.order.index(axis) for axis in ascending)
            text = f"{text}.T" if order == (1, 0) else f"tl.permute({text}, {shape_text(order)})"
        moved = tuple(place.shape[axis] for axis in ascending)
        return text if moved == place.shape else f"tl.reshape({text}, {shape_text(place.shape)})"

    def _box_store(self, box: Box, place: Place, value: str, limits: Limits) -> str:
        ascending = tuple(sorted(box.order))
        moved = tuple(place.shape[axis] for axis in ascending)
        if moved != place.shape:
            value = f"tl.reshape({value}, {shape_text(moved)})"
        if box.order != ascending:
            order = tuple(ascending.index(axis) for axis in box.order)
            value = f"tl.permute({value}, {shape_text(order)})"
        if box.descriptor.block != tuple(place.shape[axis] for axis in box.order):
            value = f"tl.reshape({value}, {shape_text(box.descriptor.block)})"
        name = self.descriptors[box.descriptor]
        return f"{name}.store([{self._start(box, limits)}], {value})"

    def _start(self, box: Box, limits: Limits) -> str:
        indices = self.index_text(limits, ())
        return ", ".join(map(indices.index, box.start))

    def _pointers(self, place: Place, stem: str, limits: Limits) -> "_Texts":
        """Return the lines that name the indices of each axis, the pointer and the mask."""
        indices = self.index_text(limits, place.shape)
        inside, tensor = with_lanes(limits, place.shape), place.tensor
        known: dict[Index, str] = {}
        lines: list[str] = []
        for axis, index in enumerate(place.element):
            text = bare(indices.index(index))
            if lane_axes(index, len(place.shape)) and not text.isidentifier():
                words = AXIS_WORDS.get(tensor.rank)
                word = words[axis] if words else str(axis)
                known[index] = self.names.fresh(f"{stem}_{word}")
                lines.append(f"{known[index]} = {text}")
        named = IndexText(indices.names, inside, known, _is_wide(tensor))
        physical = tensor.layout.physical_index(tensor.shape, place.element)
        offset = _offset(physical, tensor, named, inside)
        axes = _lanes_of(physical, place.shape)
        if place.shape and not axes:
            offset = f"tl.full({shape_text(place.shape)}, {offset}, {_counter(tensor)})"
        elif any(size > 1 and axis not in axes for axis, size in enumerate(place.shape)):
            offset = f"tl.broadcast_to({offset}, {shape_text(place.shape)})"
        pointer = f"{variable(tensor.name)} + {offset}"
        return _Texts(lines, pointer, _mask(place, named))


@dataclass(frozen=True, slots=True)
class _Texts:
    lines: list[str]
    pointer: str
    mask: str


class _LaneNames(dict[str, str]):
    """Names of variables; those of lanes are made when they are asked for."""

    def __init__(self, variables: Mapping[str, str], names: Names, shape: tuple[int, ...]) -> None:
        super().__init__(variables)
        self._names, self._shape = names, shape

    def __missing__(self, name: str) -> str:
        return self._names.lane(int(name.removeprefix("@")), self._shape)


def _call(function: str, *arguments: str) -> Iterator[str]:
    """Yield a call, on a line of its own for each argument if it is long."""
    joined = f"{function}({', '.join(arguments)})"
    if len(joined) <= LINE_LENGTH:
        yield joined
        return
    yield f"{function}("
    yield from (f"    {argument}," for argument in arguments)
    yield ")"


def _is_wide(tensor: Buffer) -> bool:
    n_elements = tensor.n_bytes // tensor.dtype.n_bytes
    return n_elements > INT32_MAX


def _offset(physical: tuple[Index, ...], tensor: Buffer, text: IndexText, limits: Limits) -> str:
    """Return how many elements lie before the place: each index times its stride."""
    stride, terms = 1, list[str]()
    sizes = tensor.layout.physical_shape(tensor.shape)
    for index, size in reversed(list(zip(physical, sizes, strict=True))):
        short = index if index in text.known else simplify_index(index, limits)
        if short != ix.ZERO:
            one = text.factor(short) if stride > 1 else text.index(short)
            if text.is_wide and short in text.known:
                one = f"tl.cast({one}, tl.int64)"
            terms.append(f"{one} * {stride}" if stride > 1 else one)
        stride *= size
    joined = " + ".join(reversed(terms)) or "0"
    return f"({joined})" if len(terms) > 1 else joined


def _lanes_of(physical: tuple[Index, ...], shape: tuple[int, ...]) -> set[int]:
    """Return the axes of the block along which the place in memory differs."""
    return {axis for index in physical for axis in lane_axes(index, len(shape))}


def _counter(tensor: Buffer) -> str:
    return "tl.int64" if _is_wide(tensor) else "tl.int32"


def _mask(place: Place, text: IndexText) -> str:
    return "" if place.valid == cond.TRUE else text.condition(place.valid)
