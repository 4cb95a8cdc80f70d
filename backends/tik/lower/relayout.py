"""Blocks in UB put into another order, bit for bit: a row-major tile into one in blocks, or back.

An `or` of a value with itself copies any bits, also those of NaN and -0; vor takes halves, 16-bit
words (TIK reference), so elements of 8 and 32 bits are seen as such.
"""

from dataclasses import replace

from tilelang.backends.tik.instructions import Elementwise, Lanes, Mask, TikType, VectorOp
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.lanes import Domain, for_lanes
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix


def relayout(writer: Writer, dst: Box, src: Box) -> None:
    """Write `dst` = `src`: boxes of UB of one dtype, whole blocks along their last axes."""

    def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
        to, of = lanes
        work = Elementwise(VectorOp.OR, mask, to, (of, of), repeat, loc=writer.loc)
        writer.write(work)

    boxes = tuple(_in_halves(box) for box in (dst, src))
    for_lanes(writer, Domain(boxes[0].counts, boxes), emit)


def _in_halves(box: Box) -> Box:
    """Return `box` as one of int16, whose last axis has as many halves as elements have."""
    n_bytes = box.form.dtype.n_bytes

    def halves(n_elements: int) -> int:
        return n_elements * n_bytes // 2

    *lead, last = box.axes
    axes = [replace(axis, inner=halves(axis.inner), outer=halves(axis.outer)) for axis in lead]
    lanes = Axis(halves(last.size), 1, halves(last.block), halves(last.outer))
    base = ix.floor_div(ix.scale(box.base, n_bytes), 2)
    form = replace(box.form, dtype=TikType.INT16)
    return Box(form, base, (*axes, lanes), (*box.counts[:-1], halves(box.counts[-1])))
