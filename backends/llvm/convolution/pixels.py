"""The left operand of a product as pixels of a slab: where a micro-kernel finds each element."""

from dataclasses import dataclass

from tilelang.backends.llvm.convolution.slabs import Columns, Slab
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.panels import Method
from tilelang.backends.llvm.storage import Storage
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import Region

UNITS = 4
"""Units of k that lie side by side: a micro-kernel takes so many a step."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An operand that is read from a map, from row `row` and column `column` on."""

    columns: Columns
    pointer: str
    row: Index
    column: Index
    taps: str
    """The address of a table: how far each step of k lies behind the first tap, in elements."""

    def n_rows(self, n_all: int, most: int) -> int:
        """Return the rows of a micro-kernel: if possible so many that none are left over."""
        _, width = self.columns.output
        sizes = range(most, most // 2, -1)
        exact = [size for size in sizes if n_all % size == 0 and width % size == 0]
        return exact[0] if exact else most


def find_pixels(frame: Frame, region: Region, method: Method) -> Pixels | None:
    """Return the operand that `region` is, None if it is no columns of a map or starts oddly."""
    columns = frame.windows.operands.get(region.buffer.name)
    if columns is None:
        return None
    row, column = region.start
    column = ix.add(columns.load.column, column)
    if ix.known_divisor(column) % (UNITS * method.unit):
        return None
    pointer = frame.places[columns.load.src.buffer.name].pointer
    steps = range(0, columns.n_columns, UNITS * method.unit)
    taps = frame.code.table([columns.column(ix.constant(step)).constant for step in steps])
    return Pixels(columns, pointer, row, column, taps)


def unit_address(frame: Frame, pixels: Pixels, row: Index, unit: Index, method: Method) -> str:
    """Return the address of a unit of k in a row of the operand.

    `unit` is a multiple of `UNITS` plus a constant below it. Rows that are equally far apart share
    one register, and a tap is one load from a table: no division is left in the loop over k.
    """
    start = frame.simplified(pixels.columns.pixel(ix.add(pixels.row, row)))
    varying = frame.value(ix.add(start, ix.constant(-start.constant)))
    base = frame.address(pixels.pointer, method.a.llvm, varying)
    here = frame.address(base, method.a.llvm, _tap(frame, pixels, unit, method))
    offset = start.constant + unit.constant * method.unit
    return frame.address(here, method.a.llvm, str(offset))


def _tap(frame: Frame, pixels: Pixels, unit: Index, method: Method) -> str:
    """Return how far the step that holds `unit` lies behind the first tap, from a table."""
    whole = ix.scale(ix.add(unit, ix.constant(-unit.constant)), method.unit)
    number = frame.value(ix.floor_div(ix.add(pixels.column, whole), UNITS * method.unit))
    slot = frame.address(pixels.taps, "i64", number)
    return frame.code.pure(f"load i64, ptr {slot}", slot)  # pure, for the table is constant


def emit_zeros(frame: Frame, pointer: str, slab: Slab) -> None:
    """Write the zeros of a slab, a pixel of `k0` channels at a time."""
    kind, lanes = slab.storage.llvm, Lanes(frame.code, frame.host, slab.k0)
    zero = lanes.constant(kind, -128 if slab.storage is Storage.I8_BIASED else 0)
    for run in slab.zeros():
        plane, number, pixel = frame.fresh(), frame.fresh(), frame.fresh()
        with (
            frame.loop(plane, ix.ZERO, ix.constant(slab.n_planes)),
            frame.loop(number, ix.ZERO, ix.constant(run.count)),
            frame.loop(pixel, ix.ZERO, ix.constant(run.size)),
        ):
            start = ix.add(
                ix.scale(ix.variable(plane), slab.plane),
                ix.constant(run.first),
                ix.scale(ix.variable(number), run.step),
                ix.variable(pixel),
            )
            address = frame.address(pointer, kind, frame.value(ix.scale(start, slab.k0)))
            frame.code.do(f"store {lanes.type(kind)} {zero}, ptr {address}, align 1")
