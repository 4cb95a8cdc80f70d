"""Statements that go element by element: moves, maps and img2col, each one nest of loops."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from tilelang.backends.llvm.casts import cast
from tilelang.backends.llvm.expressions import Leaves, evaluate
from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.nest import (
    WIDTHS,
    Box,
    Space,
    clipped,
    emit_nest,
    is_empty,
    limited,
    open_space,
)
from tilelang.backends.llvm.point import Access, Point
from tilelang.backends.llvm.units import emit_unit_fill, emit_units, find_units
from tilelang.backends.llvm.values import literal
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.expression import Position, loads, walk_expr
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col, Map, Move
from tilelang.ir.region import AsMatrix, Region
from tilelang.ir.source_index import region_element, source_index


def emit_move(frame: Frame, stmt: Move) -> None:
    """Write a move: fill with the padding where the source may hang over, then copy what exists."""
    space = open_space(frame, stmt.dst.shape)
    dst, target = region_access(frame, stmt.dst, space), clipped(frame, stmt.dst)
    src, source = region_access(frame, stmt.src, space), clipped(frame, stmt.src)
    src = replace(src, pad=stmt.pad)
    box = target.within(source)
    units = find_units(frame, stmt.dst, stmt.src, box)
    if missing := _missing(frame, space, source):
        with frame.code.when(frame.condition(missing)):
            for part in _outside(frame, target, source):
                if units:
                    emit_unit_fill(frame, space, part, (dst, src), units)
                else:
                    _emit_fill(frame, space, part, dst, src)
    if units:
        box = emit_units(frame, space, box, (dst, src), units)
        if is_empty(frame, box, units.axis):
            return
    emit_copy(frame, space, box, dst, src)


def emit_copy(frame: Frame, space: Space, box: Box, dst: Access, src: Access) -> None:
    """Write the nest that copies `src` to `dst` over `box`."""

    def copy_vector(point: Point) -> None:
        point.store(dst, cast(point.lanes, point.load(src), dst.dtype))

    n_bytes = max(dst.form.storage.n_bytes, src.form.storage.n_bytes)
    widths = (64 // n_bytes, *WIDTHS) if n_bytes < 4 else WIDTHS
    emit_nest(frame, space, box, (dst, src), copy_vector, widths=widths)


def emit_img2col(frame: Frame, stmt: Img2col) -> None:
    """Write an img2col: each element is loaded where the window lies on the map, else zero."""
    space = open_space(frame, stmt.dst.shape)
    dst = region_access(frame, stmt.dst, space)
    element, exists = source_index(stmt, space.indices)
    place = frame.places[stmt.src.buffer.name]
    src = Access(place, stmt.src.buffer.dtype, place.form.offset(element), exists)
    emit_copy(frame, space, clipped(frame, stmt.dst), dst, src)


def emit_map(frame: Frame, stmt: Map) -> None:
    """Write a map: the whole expression in one loop."""
    flat = _is_flat(frame, stmt)
    space = open_space(frame, (prod(stmt.dst.shape),) if flat else stmt.dst.shape)
    access = _flat_access if flat else _broadcast_access
    dst = access(frame, stmt.dst, space)
    sources = {region: access(frame, region, space) for region in loads(stmt.expr)}

    def map_vector(point: Point) -> None:
        leaves = Leaves(
            load=lambda region: point.load(sources[region]),
            index=frame.value,
            position=lambda axis: point.position(ix.variable(space.names[axis])),
        )
        point.store(dst, evaluate(point.lanes, leaves, stmt.expr))

    box = space.box if flat else clipped(frame, stmt.dst)
    emit_nest(frame, space, box, [dst, *sources.values()], map_vector)


def region_access(frame: Frame, region: Region, space: Space) -> Access:
    """Return the access to `region`'s element at the variables of `space`, inside its buffer."""
    indices = space.indices[: len(region.shape)]
    return element_access(frame, region, indices)


def element_access(frame: Frame, region: Region, indices: Sequence[Index]) -> Access:
    """Return the access to `region`'s element `indices`, which lies inside the view's shape."""
    element, _ = region_element(region, indices)
    place = frame.places[region.buffer.name]
    offset = place.form.offset(element)
    return Access(place, region.buffer.dtype, offset, _exists(region, element))


def _exists(region: Region, element: Sequence[Index]) -> Condition:
    """Return where an element inside the view has an element of the buffer."""
    if not isinstance(region.view, AsMatrix):
        return cond.TRUE
    return cond.less(element[1], ix.constant(region.buffer.shape[1]))


def _broadcast_access(frame: Frame, region: Region, space: Space) -> Access:
    """Return the access to `region` broadcast to the space, as numpy does it."""
    own = space.indices[len(space.indices) - len(region.shape) :] if region.shape else ()
    indices = [
        ix.ZERO if extent == 1 else index for extent, index in zip(region.shape, own, strict=True)
    ]
    return element_access(frame, region, indices)


def _outside(frame: Frame, target: Box, source: Box) -> Iterator[Box]:
    """Yield boxes that make up `target` without `source`: a slab at either end of each axis."""
    if source.condition != cond.TRUE:
        yield target
        return
    rest = target
    for axis, (low, high) in enumerate(zip(target.low, target.high, strict=True)):
        first = ix.minimum(ix.maximum(source.low[axis], low), high)
        last = ix.maximum(ix.minimum(source.high[axis], high), low)
        for slab in (limited(rest, axis, low, first), limited(rest, axis, last, high)):
            if not is_empty(frame, slab, axis):
                yield slab
        rest = limited(rest, axis, first, last)


def _missing(frame: Frame, space: Space, source: Box) -> Condition | None:
    """Return where some element of the space does not exist, None if that cannot be."""
    limits = zip(source.low, source.high, space.shape, strict=True)
    parts = [cond.negate(source.condition)]
    for low, high, size in limits:
        parts += [cond.less(ix.ZERO, low), cond.less(high, ix.constant(size))]
    missing = cond.disjunction(*parts)
    return None if frame.holds_always(cond.negate(missing)) else missing


def _emit_fill(frame: Frame, space: Space, box: Box, dst: Access, src: Access) -> None:
    def fill_vector(point: Point) -> None:
        pad = literal(point.lanes, src.pad, src.dtype)
        point.store(dst, cast(point.lanes, pad, dst.dtype))

    emit_nest(frame, space, box, [dst], fill_vector)


def _is_flat(frame: Frame, stmt: Map) -> bool:
    """Return whether a map is over whole plain arrays of one shape, so that one loop does."""
    regions = (stmt.dst, *loads(stmt.expr))
    shape = stmt.dst.buffer.shape
    has_position = any(isinstance(part, Position) for part in walk_expr(stmt.expr))
    return not has_position and all(
        region.is_whole
        and region.buffer.shape == shape
        and frame.places[region.buffer.name].form.digits == row_major_digits(shape)
        for region in regions
    )


def _flat_access(frame: Frame, region: Region, space: Space) -> Access:
    return Access(frame.places[region.buffer.name], region.buffer.dtype, space.indices[0])
