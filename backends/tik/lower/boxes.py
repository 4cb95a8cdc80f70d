"""Regions as boxes of strided elements, and their decomposition into evenly spaced pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

from tilelang.backends.tik.instructions import Operand
from tilelang.backends.tik.lower.forms import Axis, Form, view_axes
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.diagnostics import Location
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.region import Region


@dataclass(frozen=True, slots=True)
class Box:
    """`counts` positions along `axes` of a buffer, from element `base`; axis 0 is the outermost.

    Of an axis in blocks, the first position starts a block.
    """

    form: Form
    base: Index
    axes: tuple[Axis, ...]
    counts: tuple[int, ...]

    def part(self, starts: Sequence[int | Index], counts: Sequence[int]) -> "Box":
        """Return the box of `counts` positions from `starts`, which start blocks."""
        offsets = [
            axis.offset(start if isinstance(start, Index) else ix.constant(start))
            for axis, start in zip(self.axes, starts, strict=True)
        ]
        return replace(self, base=ix.add(self.base, *offsets), counts=tuple(counts))

    def operand(self, writer: Writer, offset: Index = ix.ZERO) -> Operand:
        """Return the address of the element `offset` behind the first."""
        place = writer.expr(ix.add(self.base, offset))
        return Operand(self.form.name, self.form.dtype, place)


def box_of(region: Region, form: Form, writer: Writer) -> Box:
    """Return the box of `region`, whose buffer has the physical form `form`.

    Raises:
        TileError: E1230 for a view or start that is not evenly spaced in memory.
    """
    axes = view_axes(form, region)
    if axes is None:
        raise refusal(
            "E1230",
            f"the view of `{region.buffer.name}` merges dimensions whose elements are not evenly "
            f"spaced in {region.buffer.layout}",
            writer.loc,
            "use a view that merges fewer dimensions, or move into a tile of the merged shape",
            region.buffer,
        )
    spanned: list[Axis] = []
    counts: list[int] = []
    base = ix.ZERO
    parts = zip(axes, region.start, region.step, region.extent, strict=True)
    for axis, symbolic, step, extent in parts:
        start = writer.settled(symbolic)
        base = ix.add(base, axis.offset(start))
        if extent is not None:
            if axis.block and (ix.known_divisor(start) % axis.block or step != 1):
                raise _inside_a_block(region, axis, writer.loc)
            spanned.append(replace(axis, inner=axis.inner * step))
            counts.append(extent)
    return Box(form, base, tuple(spanned), tuple(counts))


def ends_tensor(writer: Writer, region: Region, box: Box, axis: int, last: int) -> bool:
    """Return whether positions up to `last` of spanned `axis` are known to end with the tensor."""
    start = writer.settled(region.start[region.spanned[axis]])
    return last < box.counts[axis] or start == ix.constant(box.axes[axis].size - last)


def _inside_a_block(region: Region, axis: Axis, loc: Location) -> Exception:
    return refusal(
        "E1230",
        f"the region of `{region.buffer.name}` starts inside a block of {axis.block}, or has a "
        f"step, and {region.buffer.layout} keeps {axis.block} neighbours together",
        loc,
        f"start at multiples of {axis.block}, without a step; or declare the tensor row-major (ND)",
        region.buffer,
    )


@dataclass(frozen=True, slots=True)
class Digit:
    """`count` steps; of each operand its elements a step."""

    count: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """An evenly spaced part of an iteration: where it starts along each axis, and its digits.

    Digits come from the outermost axis to the innermost, of one axis the coarse ones first.
    """

    starts: tuple[int, ...]
    digits: tuple[Digit, ...]


def pieces(counts: Sequence[int], operands: Sequence[Sequence[Axis]]) -> Iterator[Piece]:
    """Yield the pieces of an iteration over `counts`; each of `operands` has an axis for each."""
    along = [
        list(_axis_pieces(count, [axes[i] for axes in operands])) for i, count in enumerate(counts)
    ]
    for chosen in product(*along):
        digits = tuple(digit for _, own in chosen for digit in own if digit.count > 1)
        yield Piece(tuple(start for start, _ in chosen), digits)


def _axis_pieces(count: int, axes: Sequence[Axis]) -> Iterator[tuple[int, list[Digit]]]:
    """Yield (start, digits) of the parts of one axis: whole blocks, then what is left."""
    units = sorted({axis.block for axis in axes if axis.block})
    start = 0
    for level in range(len(units), -1, -1):
        unit = units[level - 1] if level else 1
        n_units = (count - start) // unit
        if n_units:
            yield start, _digits(n_units, units[:level], axes)
            start += n_units * unit


def _digits(n_units: int, units: Sequence[int], axes: Sequence[Axis]) -> list[Digit]:
    sizes = [1, *units]
    digits = [Digit(n_units, tuple(axis.stride(sizes[-1]) for axis in axes))]
    for small, large in zip(reversed(sizes[:-1]), reversed(sizes[1:]), strict=True):
        digits.append(Digit(large // small, tuple(axis.stride(small) for axis in axes)))
    return digits


def merged(digits: Sequence[Digit]) -> list[Digit]:
    """Return `digits` with those that continue each other, for every operand, made one."""
    found = list(digits)
    for outer in list(found):
        inner = next(
            (digit for digit in found if digit is not outer and _continues(outer, digit)), None
        )
        if inner is not None:
            joined = Digit(outer.count * inner.count, inner.strides)
            rest = [joined if d is inner else d for d in found if d is not outer]
            return merged(rest)
    return found


def _continues(outer: Digit, inner: Digit) -> bool:
    pairs = zip(outer.strides, inner.strides, strict=True)
    return all(one == inner.count * other for one, other in pairs)


def period(stride: int, unit: int) -> int:
    """Return after how many steps of `stride` a multiple of `unit` is reached."""
    return unit // gcd(unit, stride)
