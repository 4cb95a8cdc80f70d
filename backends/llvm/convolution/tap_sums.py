"""A product of windows without its zeros: loops over blocks of channels and the taps on the map."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tilelang.backends.llvm.convolution.slabs import Columns
from tilelang.backends.llvm.convolution.taps import Part, Planes, Taps
from tilelang.backends.llvm.frame import Carried, Frame
from tilelang.backends.llvm.products.microkernel import (
    UNROLL,
    broadcast,
    emit_sums,
    load_vectors,
    multiply_add,
)
from tilelang.backends.llvm.products.panels import LANES
from tilelang.backends.llvm.products.product import Product, Tile
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.ir import index as ix
from tilelang.ir.index import Index


def emit_tap_rows(frame: Frame, product: Product, taps: Taps, tile: Tile) -> None:
    """Write the sums of all rows of positions, in the panels of `tile` and at most its rows a time.

    A part of a row of positions has loops of its own: at either end other taps are on the map.
    """
    row, parts = frame.fresh(), list(taps.parts(tile.n_rows))
    with frame.loop(row, ix.ZERO, ix.constant(taps.n_rows)):
        for part in parts:
            number = frame.fresh()
            with frame.loop(number, ix.ZERO, ix.constant(part.count)):
                column = ix.add(ix.constant(part.first), ix.scale(ix.variable(number), part.size))
                first = ix.add(ix.scale(ix.variable(row), taps.columns.output[1]), column)
                own = replace(tile, row=first, n_rows=part.size)
                place = ix.add(taps.row, ix.variable(row)), column
                sums = _Sums(frame, product, taps, own, part, place)
                emit_sums(frame, product, own, product.init, [], add=sums.added)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The sums of a part of a row of output positions, which begins at position `place`."""

    frame: Frame
    product: Product
    taps: Taps
    tile: Tile
    part: Part
    place: tuple[Index, Index]

    @property
    def columns(self) -> Columns:
        """The windows."""
        return self.taps.columns

    def added(self, starts: Sequence[str]) -> list[str]:
        """Write the loops, and return the sums with all products added."""
        frame = self.frame
        sums = Carried(f"<{LANES} x {self.product.method.sum_type}>", list(starts))
        plane, row, tap = (frame.fresh() for _ in range(3))
        rows = self.taps.kernel_rows(self.place[0])
        for planes in self.taps.planes:
            with (
                frame.loop(plane, ix.ZERO, ix.constant(planes.count), carried=sums),
                frame.loop(row, *rows, carried=sums),
            ):
                for run in self.part.runs:
                    span = ix.constant(run.first), ix.constant(run.first + run.count)
                    with frame.loop(tap, *span, carried=sums):
                        place = ix.variable(plane), ix.variable(row), ix.variable(tap)
                        self._add_tap(planes, place, run.pixels, sums)
        return sums.values

    def _add_tap(
        self,
        planes: Planes,
        tap: tuple[Index, Index, Index],
        pixels: Sequence[int],
        sums: Carried,
    ) -> None:
        """Add the products of a tap's channels; `tap` is a number in `planes`, row, and column."""
        number, *inside = tap
        plane = ix.add(planes.first, number)
        unit = self.columns.number(ix.subtract(plane, self.taps.planes[0].first), *inside)
        start = ix.add(self.columns.window(*self.place), self.columns.tap(plane, *inside))
        address = self._fixed(start)
        channel, n_channels = self.frame.fresh(), planes.n_channels
        n_whole = n_channels // UNROLL * UNROLL
        if n_whole:
            span = ix.ZERO, ix.constant(n_whole)
            with self.frame.loop(channel, *span, step=UNROLL, carried=sums):
                self._add_units(address, (unit, ix.variable(channel)), UNROLL, pixels, sums)
        if n_channels > n_whole:
            rest = n_channels - n_whole
            self._add_units(address, (unit, ix.constant(n_whole)), rest, pixels, sums)

    def _fixed(self, offset: Index) -> str:
        """Return the address of an element of the map as a value that LLVM does not see through.

        Else it keeps a pointer for each of the 28 loads of the innermost loop, and has to store and
        load them (8 % of the time of 28 by 28 maps on Zen 5).
        """
        frame, element = self.frame, self.product.method.a.llvm
        base = frame.address(self.taps.pixels.pointer, element, frame.value(offset))
        return frame.code.pure(f"freeze ptr {base}", base)

    def _add_units(
        self,
        address: str,
        place: tuple[Index, Index],
        n_units: int,
        pixels: Sequence[int],
        sums: Carried,
    ) -> None:
        """Add the products of so many units of a tap at `address`, from channel `place[1]` on."""
        frame, method, n_panels = self.frame, self.product.method, self.tile.n_panels
        lanes, (unit, channel) = Lanes(frame.code, frame.host, LANES), place
        unit, element = frame.simplified(ix.add(unit, channel)), method.a.llvm
        base = frame.address(address, element, frame.value(channel))
        for step in range(n_units):
            vectors = load_vectors(frame, self.product, self.tile, ix.add(unit, ix.constant(step)))
            for pixel in pixels:
                moved = pixel * self.columns.pixel_stride + step
                factor = broadcast(frame, method, frame.address(base, element, str(moved)))
                for number, vector in enumerate(vectors, pixel * n_panels):
                    total = multiply_add(lanes, method, factor, vector, sums.values[number])
                    sums.values[number] = total
