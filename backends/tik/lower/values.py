"""What parts of an expression are while a `Map` is lowered: tiles in UB, or one number for all."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TypeAlias

from tilelang.backends.tik.instructions import (
    Elementwise,
    Expr,
    Lanes,
    Mask,
    Scope,
    TikType,
    VectorOp,
)
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.fills import fill
from tilelang.backends.tik.lower.forms import SPREAD_LANES, Axis, Form
from tilelang.backends.tik.lower.lanes import Domain, for_lanes
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.region import Buffer

_COLUMNS = 16
"""Of a fractal."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number for every element: known, or in a scalar variable."""

    value: Expr
    dtype: TikType


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of `shape` in UB, which broadcasts; its last dimension of 1 is spread over lanes."""

    box: Box
    is_scratch: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape, as long as that of the destination."""
        return self.box.counts

    @property
    def dtype(self) -> TikType:
        """The element type."""
        return self.box.form.dtype


Value: TypeAlias = Number | Tile


@dataclass(slots=True)
class Workbench:
    """Where a `Map` is computed: the chip, and tiles of UB for what lies between."""

    writer: Writer
    machine: str
    buffer: Buffer
    """The destination, for messages."""
    rank: int
    """Dimensions of the destination, and of every tile."""
    is_fractal: bool
    """Whether tiles as large as the destination have its columns in blocks of 16."""
    _free: list[Tile] = field(default_factory=lambda: [])
    _constants: dict[tuple[str, TikType], Tile] = field(default_factory=lambda: {})

    def scratch(self, dtype: TikType, shape: Sequence[int], *, plain: bool = False) -> Tile:
        """Return a tile for something between; `plain` asks for row-major."""
        blocked = self.is_fractal and not plain and len(shape) > 1 and min(shape[-2:]) > 1
        blocked = blocked and dtype.n_bytes > 1
        wanted = _scratch_box(self.buffer, dtype, tuple(shape), blocked=blocked)
        for tile in self._free:
            same = replace(tile.box, form=replace(tile.box.form, name="")) == wanted
            if same:
                self._free.remove(tile)
                return tile
        name = self.writer.tensor("work", dtype, (prod(wanted.form.shape),), Scope.UB)
        return Tile(replace(wanted, form=replace(wanted.form, name=name)), is_scratch=True)

    def release(self, *values: Value) -> None:
        """Let later parts use the tiles among `values` that are scratch."""
        self._free += [
            value for value in values if isinstance(value, Tile) and value.is_scratch
            and value not in self._free and value not in self._constants.values()
        ]  # fmt: skip

    def tile(self, value: Value, rank: int) -> Tile:
        """Return `value` as a tile: a number fills one row of lanes."""
        if isinstance(value, Tile):
            return value
        key = (repr(value.value), value.dtype)
        if key not in self._constants:
            self._constants[key] = constant = self.scratch(value.dtype, (1,) * rank)
            fill(self.writer, lanes_of(constant, constant.shape), value.value)
        return self._constants[key]

    def apply(self, op: VectorOp, dst: Tile, *sources: Tile, scalar: Expr | None = None) -> None:
        """Write `dst = op(*sources, scalar)`; sources broadcast to the shape of `dst`."""

        def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
            first, *rest = lanes
            work = Elementwise(op, mask, first, tuple(rest), repeat, scalar, self.writer.loc)
            self.writer.write(work)

        boxes = tuple(lanes_of(tile, dst.shape) for tile in (dst, *sources))
        for_lanes(self.writer, Domain(boxes[0].counts, boxes), emit)

    def copy(self, dst: Tile, src: Tile) -> None:
        """Write `dst = src`, by a maximum of equals: it keeps -0 and NaN, and has every dtype."""
        self.apply(VectorOp.MAX, dst, src, src)


def broadcast(*values: Value) -> tuple[int, ...]:
    """Return the shape that the tiles among `values` broadcast to."""
    shapes = [value.shape for value in values if isinstance(value, Tile)]
    return tuple(max(sizes) for sizes in zip(*shapes, strict=True))


def lanes_of(tile: Tile, shape: Sequence[int]) -> Box:
    """Return the box that vector instructions go through to give `tile` the shape `shape`."""
    box = tile.box
    axes = [
        replace(axis, size=size) if count == size else Axis(size, 0)
        for axis, count, size in zip(box.axes, box.counts, shape, strict=True)
    ]
    counts = list(shape)
    if shape[-1] == 1:
        axes[-1], counts[-1] = Axis(SPREAD_LANES, 1), SPREAD_LANES
    return Box(box.form, box.base, tuple(axes), tuple(counts))


def _scratch_box(buffer: Buffer, dtype: TikType, shape: tuple[int, ...], *, blocked: bool) -> Box:
    """Return the box of a tile for something between, under no name yet."""
    if shape[-1] == 1:
        row, last = SPREAD_LANES, Axis(1, 0, room=1)
    elif blocked:
        row, last = _COLUMNS, Axis(shape[-1], 1, _COLUMNS, shape[-2] * _COLUMNS)
    else:
        unit = max(_COLUMNS, dtype.per_block)
        row = -(-shape[-1] // unit) * unit
        last = Axis(shape[-1], 1, room=row)
    axes = [last]
    pitch = row
    for position, size in enumerate(reversed(shape[:-1])):
        axes.insert(0, Axis(size, pitch, room=size))
        pitch *= size
        if blocked and position == 0:
            pitch *= -(-shape[-1] // _COLUMNS)
    form = Form(buffer, "", dtype, Scope.UB, (pitch,), tuple(axes), is_spread=shape[-1] == 1)
    return Box(form, ix.ZERO, tuple(axes), shape)
