"""Where each element of a destination comes from: the one rule that every backend reads off.

Composing two of these forwards a tile from GM through L1 to L0; numpy gathers, llvm packs and
triton's addresses and masks are evaluations of it.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col, Move
from tilelang.ir.region import AsMatrix, Buffer, Permute, Region, View, view_shape

Element = tuple[Index, ...]
"""The logical index of one element of a buffer."""


def source_index(stmt: Move | Img2col, i: Sequence[Index]) -> tuple[Element, Condition]:
    """Return the element of `stmt.src.buffer` that `stmt.dst`'s element `i` is copied from.

    `i` counts along the shape of `stmt.dst`. Where the condition is false there is no such element:
    the value is `stmt.pad` (zero for `Img2col`).
    """
    match stmt:
        case Move(_, src):
            return region_element(src, i)
        case Img2col():
            return _img2col_element(stmt, i)
        case _:
            assert_never(stmt)


def region_element(region: Region, i: Sequence[Index]) -> tuple[Element, Condition]:
    """Return the buffer's element that is `region`'s element `i`, and whether it exists.

    `i` counts along `region.shape`.
    """
    counters = iter(i)
    position = tuple(
        start if extent is None else ix.add(start, ix.scale(next(counters), step))
        for start, step, extent in zip(region.start, region.step, region.extent, strict=True)
    )
    inside = cond.conjunction(*_inside(position, view_shape(region.buffer, region.view)))
    element, exists = _through_view(region.buffer, region.view, position)
    return element, cond.conjunction(inside, exists)


def _inside(position: Sequence[Index], shape: Sequence[int]) -> Iterator[Condition]:
    for index, size in zip(position, shape, strict=True):
        yield cond.less_equal(ix.ZERO, index)
        yield cond.less(index, ix.constant(size))


def _through_view(
    buffer: Buffer, view: View, position: Sequence[Index]
) -> tuple[Element, Condition]:
    match view:
        case Permute(groups):
            axes: dict[int, Index] = {}
            for group, index in zip(groups, position, strict=True):
                sizes = [buffer.shape[axis] for axis in group]
                axes.update(zip(group, unravel(index, sizes), strict=True))
            return tuple(axes[axis] for axis in range(buffer.rank)), cond.TRUE
        case AsMatrix():
            row, out = position
            _, channels, *kernel = buffer.shape
            k0 = buffer.dtype.k0
            c1, r, s, c0 = unravel(row, (-(-channels // k0), *kernel, k0))
            channel = ix.add(ix.scale(c1, k0), c0)
            return (out, channel, r, s), cond.less(channel, ix.constant(channels))
        case _:
            assert_never(view)


def _img2col_element(stmt: Img2col, i: Sequence[Index]) -> tuple[Element, Condition]:
    channels, height, width = stmt.src.shape
    window, k0 = stmt.window, stmt.src.buffer.dtype.k0
    n_rows, n_columns = window.output(height, width)
    position, column = ix.add(stmt.row, i[0]), ix.add(stmt.column, i[1])
    oh, ow = unravel(position, (n_rows, n_columns))
    c1, kh, kw, c0 = unravel(column, (-(-channels // k0), *window.kernel, k0))
    top, _, left, _ = window.padding
    pixel = (
        ix.add(ix.scale(c1, k0), c0),
        _tap(oh, kh, window.stride[0], window.dilation[0], top),
        _tap(ow, kw, window.stride[1], window.dilation[1], left),
    )
    element, exists = region_element(stmt.src, pixel)
    in_map = _inside(pixel, (channels, height, width))
    in_output = cond.less(position, ix.constant(n_rows * n_columns))
    return element, cond.conjunction(in_output, *in_map, exists)


def _tap(output: Index, tap: Index, stride: int, dilation: int, padding: int) -> Index:
    return ix.add(ix.scale(output, stride), ix.scale(tap, dilation), ix.constant(-padding))


def unravel(index: Index, sizes: Sequence[int]) -> tuple[Index, ...]:
    """Return the row-major coordinates of `index` in an array of `sizes`.

    The first coordinate takes what is past the end, so it is in range only where `index` is.
    """
    coordinates: list[Index] = []
    for size in reversed(sizes[1:]):
        coordinates.append(ix.modulo(index, max(size, 1)))
        index = ix.floor_div(index, max(size, 1))
    return (index, *reversed(coordinates))
