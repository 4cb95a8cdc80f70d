"""Accumulators where results leave by fixpipe, and the products that fill them.

Such an accumulator is a pile of slabs: 16 rows each, in which fractals of 16 columns lie side by
side, [M1][N1][16][16]. A product is one mmad a slab. Two rules of TIK want it so:

* fixpipe takes column groups of as many rows as its burst is long, rounded up to 16; a wider gap
  between groups is reserved (TIK reference, fixpipe, atlastikapi_07_0093: src_stride, fill in 0).
  Of a slab, any number of rows can leave without a gap.
* mmad reads operands packed as its own m and k say, and leaves out what lies past k in the last
  fractal (TIK reference, matmul: k need not be a multiple of 16). With m = 16 a shorter k uses the
  front of a slab of L0A, so a tail of k needs no other packing.
"""

from collections.abc import Callable
from dataclasses import replace

from tilelang.backends.tik.instructions import Body, Scope
from tilelang.backends.tik.instructions import Mmad as MmadInstruction
from tilelang.backends.tik.lower.boxes import Box, box_of
from tilelang.backends.tik.lower.cube import FRACTAL_ELEMENTS, FRACTAL_ROWS, for_init
from tilelang.backends.tik.lower.edges import Case, Edge
from tilelang.backends.tik.lower.forms import Axis, Form
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.nodes import Mmad


def slab_form(form: Form) -> Form:
    """Return the accumulator `form`, which is [N1][M1][16][16], in slabs."""
    *lead, rows, columns = form.axes
    n_slabs, n_columns = rows.room // FRACTAL_ROWS, columns.room // FRACTAL_ROWS
    slab = n_columns * FRACTAL_ELEMENTS
    axes = (
        *lead,
        Axis(rows.size, FRACTAL_ROWS, FRACTAL_ROWS, slab, rows.room),
        Axis(columns.size, 1, FRACTAL_ROWS, FRACTAL_ELEMENTS, columns.room),
    )
    shape = (*(axis.size for axis in lead), n_slabs, n_columns, FRACTAL_ROWS, FRACTAL_ROWS)
    return replace(form, scope=Scope.L1OUT, shape=shape, axes=axes)


def multiply_slabs(
    writer: Writer, stmt: Mmad, forms: tuple[Form, Form, Form], k_edge: Edge | None
) -> None:
    """Write a product; `k_edge` says which part of k lies in the tensors, None: all of it."""
    dst, a, b = (
        box_of(region, form, writer)
        for region, form in zip((stmt.dst, stmt.a, stmt.b), forms, strict=True)
    )
    _check_columns(writer, stmt, b)

    def write(accumulate: int) -> None:
        if k_edge is None:
            _write_slabs(writer, (dst, a, b), a.counts[1], accumulate)
            return
        _for_lengths(writer, k_edge, lambda k: _write_slabs(writer, (dst, a, b), k, accumulate))

    for_init(writer, stmt.init, write)


def _for_lengths(writer: Writer, edge: Edge, write: Callable[[int], None]) -> None:
    """Write a branch for every length of k; what lies past the tensors by a block is zero."""

    def length(case: Case) -> int:
        return case.last if case.n_inside else edge.extent

    *tested, last = edge.cases
    branches: list[tuple[Condition, Body]] = []
    for case in tested:
        with writer.collected() as body:
            write(length(case))
        branches.append((case.condition, tuple(body)))
    if not branches:
        write(length(last))
        return
    with writer.collected() as otherwise:
        write(length(last))
    writer.branch(branches, tuple(otherwise))


def _write_slabs(writer: Writer, boxes: tuple[Box, Box, Box], k: int, accumulate: int) -> None:
    """Write the mmads of all slabs over the first `k` of the operands' columns and rows."""
    dst, a, b = boxes
    right, n = b.operand(writer), b.counts[1]
    for slab in writer.repeated("slab", a.counts[0] // FRACTAL_ROWS):
        row = ix.scale(slab, FRACTAL_ROWS)
        target, left = (box.operand(writer, box.axes[0].offset(row)) for box in (dst, a))
        work = MmadInstruction(target, left, right, FRACTAL_ROWS, k, n, accumulate, loc=writer.loc)
        writer.write(work)


def _check_columns(writer: Writer, stmt: Mmad, b: Box) -> None:
    """Refuse a part of the columns of L0B, in which k is the outer order of fractals."""
    if b.counts[1] == stmt.b.buffer.shape[-1]:
        return
    raise refusal(
        "E1238",
        f"the product uses {b.counts[1]} columns of `{stmt.b.buffer.name}`, which has "
        f"{stmt.b.buffer.shape[-1]}: the cube reads the fractals of L0B without gaps",
        writer.loc,
        "load the columns that the product uses into a tile of their own",
        stmt.b.buffer,
    )
