"""Moves and img2col: what goes element by element as it is, each one nest of loops."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tilelang.backends.llvm.convolution.weight_rows import WeightRows, find_weight_rows
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.units import emit_unit_fill, emit_units, find_units
from tilelang.backends.llvm.vectors.boxes import Box, Space, clipped, is_empty, limited, open_space
from tilelang.backends.llvm.vectors.casts import cast
from tilelang.backends.llvm.vectors.nest import emit_nest
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.squares import emit_elements
from tilelang.backends.llvm.vectors.values import Value, literal
from tilelang.backends.llvm.vectors.vector_axis import WIDTHS
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col, Move
from tilelang.ir.region import AsMatrix, Region
from tilelang.ir.source_index import region_element, source_index


def emit_move(frame: Frame, stmt: Move) -> None:
    """Write a move: fill with the padding where the source may hang over, then copy what exists."""
    channels = _channel_axis(frame, stmt)
    space = open_space(frame, _shape(stmt.dst, channels))
    dst, target = region_access(frame, stmt.dst, space), clipped(frame, stmt.dst)
    src, source = region_access(frame, stmt.src, space), clipped(frame, stmt.src)
    src = replace(src, pad=stmt.pad)
    if channels is not None:
        limits, index = (source.low[channels], source.high[channels]), space.indices[channels]
        exists = cond.less_equal(limits[0], index), cond.less(index, limits[1])
        src = replace(src, exists=cond.conjunction(src.exists, *exists))
        whole = ix.ZERO, ix.constant(space.shape[channels])
        target, source = (limited(box, channels, *whole) for box in (target, source))
    box = target.within(source)
    units = find_units(frame, stmt.dst, stmt.src, box)
    if units is None and (rows := find_weight_rows(frame, stmt)):
        _emit_weight_rows(frame, stmt, rows)
        return
    if missing := _missing(frame, space, source):
        with frame.code.when(frame.condition(missing)):
            for part in outside(frame, target, source):
                if units:
                    emit_unit_fill(frame, space, part, (dst, src), units)
                else:
                    _emit_fill(frame, space, part, dst, src)
    if units:
        box = emit_units(frame, space, box, (dst, src), units)
        if is_empty(frame, box, units.axis):
            return
    emit_copy(frame, space, box, dst, src)


def _channel_axis(frame: Frame, stmt: Move) -> int | None:
    """Return the axis of the channels of a map of which a move sets whole blocks, None without."""
    slab = frame.windows.slabs.get(stmt.dst.buffer.name)
    if slab is None or not slab.takes_blocks:
        return None
    return stmt.dst.spanned.index(stmt.dst.buffer.rank - 3)


def _shape(dst: Region, channels: int | None) -> tuple[int, ...]:
    """Return what a move is a nest over: its shape, with whole blocks of channels."""
    shape, k0 = list(dst.shape), dst.buffer.dtype.k0
    if channels is not None:
        shape[channels] = -(-shape[channels] // k0) * k0
    return tuple(shape)


def _emit_weight_rows(frame: Frame, stmt: Move, rows: WeightRows) -> None:
    """Write a move of weights by the rows of their tensor: all padding first, if there is some."""
    space = open_space(frame, stmt.dst.shape)
    dst = region_access(frame, stmt.dst, space)
    src = Access(frame.places[stmt.src.buffer.name], stmt.src.buffer.dtype, rows.offset)
    if missing := _missing(frame, rows.space, rows.box):
        with frame.code.when(frame.condition(missing)):
            _emit_fill(frame, space, space.box, dst, replace(src, pad=stmt.pad))
    dst = element_access(frame, stmt.dst, (rows.row, rows.space.indices[1]))
    emit_copy(frame, rows.space, rows.box, dst, src)


def emit_copy(frame: Frame, space: Space, box: Box, dst: Access, src: Access) -> None:
    """Write the nest that copies `src` to `dst` over `box`."""

    def copied(point: Point) -> Value:
        return cast(point.lanes, point.load(src), dst.dtype)

    n_bytes = max(dst.form.storage.n_bytes, src.form.storage.n_bytes)
    widths = (64 // n_bytes, *WIDTHS) if n_bytes < 4 else WIDTHS
    emit_elements(frame, space, box, (dst, copied), (src,), widths=widths)


def emit_img2col(frame: Frame, stmt: Img2col) -> None:
    """Write an img2col: each element is loaded where the window lies on the map, else zero.

    One whose pixels the cube reads from the map has nothing to do.
    """
    if stmt.dst.buffer.name in frame.windows.operands:
        return
    space = open_space(frame, stmt.dst.shape)
    dst = region_access(frame, stmt.dst, space)
    element, exists = source_index(stmt, space.indices)
    place = frame.places[stmt.src.buffer.name]
    src = Access(place, stmt.src.buffer.dtype, place.form.offset(element), exists)
    emit_copy(frame, space, clipped(frame, stmt.dst), dst, src)


def region_access(frame: Frame, region: Region, space: Space) -> Access:
    """Return the access to `region`'s element at the variables of `space`, inside its buffer."""
    indices = space.indices[: len(region.shape)]
    return element_access(frame, region, indices)


def element_access(frame: Frame, region: Region, indices: Sequence[Index]) -> Access:
    """Return the access to `region`'s element `indices`, which lies inside the view's shape."""
    element, _ = region_element(region, indices)
    columns = frame.windows.operands.get(region.buffer.name)
    if columns is not None:
        place = frame.places[columns.load.src.buffer.name]
        return Access(place, region.buffer.dtype, columns.offset(*element))
    place = frame.places[region.buffer.name]
    offset = place.form.offset(element)
    return Access(place, region.buffer.dtype, offset, _exists(region, element))


def _exists(region: Region, element: Sequence[Index]) -> Condition:
    """Return where an element inside the view has an element of the buffer."""
    if not isinstance(region.view, AsMatrix):
        return cond.TRUE
    return cond.less(element[1], ix.constant(region.buffer.shape[1]))


def outside(frame: Frame, target: Box, source: Box) -> Iterator[Box]:
    """Yield boxes that make up `target` without `source`: a slab at either end of each axis."""
    if source.condition not in (cond.TRUE, target.condition):
        yield target
        return
    rest = target
    for axis, (low, high) in enumerate(zip(target.low, target.high, strict=True)):
        first = ix.minimum(ix.maximum(source.low[axis], low), high)
        last = ix.maximum(ix.minimum(source.high[axis], high), low)
        if source.low[axis] != low and not is_empty(frame, limited(rest, axis, low, first), axis):
            yield limited(rest, axis, low, first)
        if source.high[axis] != high and not is_empty(frame, limited(rest, axis, last, high), axis):
            yield limited(rest, axis, last, high)
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
