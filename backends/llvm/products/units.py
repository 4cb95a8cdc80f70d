"""Packing into panels of `b` whose units hold several elements of k.

Element by element such a panel is scattered; a unit at a time it is written in whole vectors, each
put together from the rows of the unit. Where the elements of a unit lie side by side in the source
too, as in weights stored [n, k], units are moved as they are.
"""

from dataclasses import dataclass, replace

from tilelang.backends.llvm.form import Form
from tilelang.backends.llvm.frame import Frame, Place
from tilelang.backends.llvm.products.lines import emit_lines, find_lines
from tilelang.backends.llvm.storage import Storage
from tilelang.backends.llvm.vectors.boxes import Box, Space, is_empty, limited
from tilelang.backends.llvm.vectors.masks import split_lane
from tilelang.backends.llvm.vectors.nest import emit_nest
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.squares import emit_elements
from tilelang.backends.llvm.vectors.values import Value, interleave, scalar_literal
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.region import Permute, Region


@dataclass(frozen=True, slots=True)
class Units:
    """The axis of a space that is k, and how many of its elements are a unit."""

    axis: int
    size: int


def find_units(frame: Frame, dst: Region, src: Region, box: Box) -> Units | None:
    """Return how a move to `dst` fills units from their first element on, None if it does not."""
    form, view = frame.places[dst.buffer.name].form, dst.view
    size = form.digits[-1].modulus
    if size not in (2, 4) or form.digits[-2].stride != size or not isinstance(view, Permute):
        return None
    groups = [view.groups[axis] for axis in dst.spanned]
    if (form.digits[-1].axis,) not in groups or src.buffer.dtype is not dst.buffer.dtype:
        return None
    axis = groups.index((form.digits[-1].axis,))
    own = dst.spanned[axis]
    if dst.step[own] != 1 or ix.known_divisor(dst.start[own]) % size or box.low[axis] != ix.ZERO:
        return None
    extent = dst.shape[axis]
    if extent % size and extent != dst.buffer.shape[form.digits[-1].axis]:
        return None  # its last unit holds elements of others, which a fill would change
    return Units(axis, size)


def emit_units(
    frame: Frame, space: Space, box: Box, ends: tuple[Access, Access], units: Units
) -> Box:
    """Write the move of whole units in `box`, and return what is left of it."""
    dst, src = ends
    inner, first = _unit_space(frame, space, units)
    name = space.names[units.axis]
    target = _whole_units(frame, dst, units.size, {name: first})
    sources = [_moved(src, {name: ix.add(first, ix.constant(n))}) for n in range(units.size)]
    if _has_units(frame, space, ends, units):
        sources = [_whole_units(frame, src, units.size, {name: first})]

    def packed(point: Point) -> Value:
        rows = [point.load(source).text for source in sources]
        return Value(DType.INT32, interleave(point.lanes, rows, 8 * dst.form.storage.n_bytes))

    # A source that begins behind its tensor's end has a negative limit: no units, and no rest.
    high = ix.maximum(ix.ZERO, box.high[units.axis])
    last = frame.simplified(ix.floor_div(high, units.size))
    inside = limited(box, units.axis, ix.ZERO, last)
    lines = find_lines(frame, inner, inside, target, sources)
    rest = inside if lines is None else emit_lines(frame, inner, inside, lines, (target, sources))
    if lines is None or not is_empty(frame, rest, lines):
        emit_elements(frame, inner, rest, (target, packed), sources)
    return limited(box, units.axis, ix.scale(last, units.size), box.high[units.axis])


def _has_units(frame: Frame, space: Space, ends: tuple[Access, Access], units: Units) -> bool:
    """Return whether every unit lies in the source as it does in the destination, and exists.

    Units begin at multiples of their size there, so that offsets of units are whole numbers.
    """
    dst, src = ends
    name = space.names[units.axis]
    split = split_lane(frame.simplified(src.offset), name)
    return (
        split is not None
        and split[1] == 1
        and ix.known_divisor(split[0]) % units.size == 0
        and src.form.storage is dst.form.storage
        and frame.holds_always(src.exists)
    )


def emit_unit_fill(
    frame: Frame, space: Space, box: Box, ends: tuple[Access, Access], units: Units
) -> None:
    """Write the padding to all units that `box` touches; what else they hold is moved later."""
    dst, src = ends
    inner, first = _unit_space(frame, space, units)
    target = _whole_units(frame, dst, units.size, {space.names[units.axis]: first})
    n_bits = 8 * dst.form.storage.n_bytes
    element = int(scalar_literal(src.pad, src.dtype)) % (1 << n_bits)
    unit = sum(element << n_bits * place for place in range(units.size))
    low = ix.floor_div(box.low[units.axis], units.size)
    end = ix.add(box.high[units.axis], ix.constant(units.size - 1))
    whole = limited(box, units.axis, low, ix.floor_div(end, units.size))

    def fill_units(point: Point) -> None:
        point.store(target, Value(DType.INT32, point.lanes.constant("i32", unit)))

    emit_nest(frame, inner, whole, [target], fill_units)


def _unit_space(frame: Frame, space: Space, units: Units) -> tuple[Space, ix.Index]:
    """Return the space with units along their axis, and where in `space` a unit begins."""
    number = frame.fresh()
    shape, names = list(space.shape), list(space.names)
    shape[units.axis] = -(-shape[units.axis] // units.size)
    names[units.axis] = number
    frame.ranges[number] = (0, max(shape[units.axis] - 1, 0))
    return Space(tuple(names), tuple(shape)), ix.scale(ix.variable(number), units.size)


def _whole_units(frame: Frame, dst: Access, size: int, replaced: dict[str, ix.Index]) -> Access:
    """Return `dst` as an access to whole units, 32 bits each."""
    offset = ix.floor_div(frame.simplified(ix.substitute(dst.offset, replaced)), size)
    form = Form(Storage.I32, (), dst.form.n_elements // size)
    return Access(Place(dst.place.pointer, form), DType.INT32, offset)


def _moved(access: Access, replaced: dict[str, ix.Index]) -> Access:
    exists = cond.substitute(access.exists, replaced)
    return replace(access, offset=ix.substitute(access.offset, replaced), exists=exists)
