"""What the next step of a loop will load, asked for while this step multiplies.

A loop of several stages loads the operands of one step while it multiplies those of another. Here
one core does both, and the caches fetch for it: each tile of sums asks for its share of the rows
that the loads will read next. Rows of weights are short and far apart, so nothing else foresees
them (lstm_cell 128 by 1024 in bfloat16 on Zen 5: 5.6 ms without, 5.2 ms with it). Steps should be
small enough that two of them stay in the second-level cache.
"""

from collections.abc import Iterator
from dataclasses import replace

from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Ahead, Frame
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Loop, Mmad, Move
from tilelang.ir.region import Memory, Permute, Region
from tilelang.ir.source_index import region_element

_LINE = 64
"""Bytes of a line of the cache."""


def find_ahead(frame: Frame, loop: Loop) -> tuple[Ahead, ...]:
    """Return what the step after the current one of `loop` loads, if the loop says so.

    Of the last step it is the step itself, whose rows are near.
    """
    products = [stmt for stmt in loop.body if isinstance(stmt, Mmad)]
    if loop.stages < 2 or len(products) != 1 or loop.extent == ix.constant(1):
        return ()
    last = ix.add(loop.extent, ix.constant(-1))
    then = ix.minimum(ix.add(ix.variable(loop.var), ix.constant(1)), last)
    return tuple(_rows_at(frame, loop, then))


def _rows_at(frame: Frame, loop: Loop, then: Index) -> Iterator[Ahead]:
    for stmt in loop.body:
        if not isinstance(stmt, Move) or stmt.src.buffer.memory is not Memory.GM:
            continue
        rows = _rows_of(frame, stmt.src)
        if rows is not None and loop.var in ix.free_variables(rows.start):
            yield replace(rows, start=ix.substitute(rows.start, {loop.var: then}))


def _rows_of(frame: Frame, region: Region) -> Ahead | None:
    """Return the rows of a matrix in a plain array, None if a region is none."""
    buffer, place = region.buffer, frame.places[region.buffer.name]
    is_plain = place.form.digits == row_major_digits(buffer.shape)
    if not is_plain or not isinstance(region.view, Permute) or len(region.spanned) != 2:
        return None
    axes = [region.view.groups[axis] for axis in region.spanned]
    if any(len(axis) != 1 for axis in axes) or axes[1] != (buffer.rank - 1,):
        return None
    element, _ = region_element(region, (ix.ZERO, ix.ZERO))
    n_bytes = place.form.storage.n_bytes
    stride = place.form.of_axis(axes[0][0])[0].stride * region.step[region.spanned[0]] * n_bytes
    start = ix.scale(place.form.offset(element), n_bytes)
    return Ahead(place.pointer, start, stride, region.shape[0], region.shape[1] * n_bytes)


def emit_ahead(frame: Frame, number: Index, n_parts: int) -> None:
    """Ask for part `number`, of so many, of what the next step loads; other parts may overlap."""
    for rows in frame.ahead:
        share = -(-rows.n_rows // n_parts)
        first = ix.minimum(ix.scale(number, share), ix.constant(rows.n_rows - share))
        start = ix.add(rows.start, ix.scale(first, rows.stride))
        base = frame.address(rows.pointer, "i8", frame.value(start))
        for row in range(share):
            for line in range(0, rows.n_bytes + _LINE, _LINE):  # rows may straddle lines
                _ask(frame, base, row * rows.stride + line)


def _ask(frame: Frame, base: str, offset: int) -> None:
    frame.code.declare("void", "llvm.prefetch.p0", "ptr", "i32", "i32", "i32")
    there = frame.address(base, "i8", str(offset))
    frame.code.do(f"call void @llvm.prefetch.p0(ptr {there}, i32 0, i32 3, i32 1)")
