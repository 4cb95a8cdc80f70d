"""`Mmad` on operands that lie in panels: blocks of k, panels of `b`, rows of `a`, a micro-kernel.

A panel group of `b` stays in cache while all of `a` streams past it. Sums start
from what the accumulator holds and go on in the order of k, so the result does not depend on how
the product is cut into tiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.microkernel import Product, Strides, Tile, emit_bias, emit_tile
from tilelang.backends.llvm.mmad import emit_plain_mmad
from tilelang.backends.llvm.panels import (
    LANES,
    ROWS,
    Method,
    Side,
    accumulator_form,
    find_method,
    matrix_axes,
    operand_form,
    reads_in_place,
    tile_of,
)
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Mmad
from tilelang.ir.region import Region
from tilelang.ir.source_index import region_element

_K_UNITS = 512
"""Units of k at a time. Fewer keep the panels in the first-level cache, and lose more by loading
and storing every sum more often: 128 units cost 5 % at 1024 cubed."""
_K_STEP = 16
"""Units of k that a part of the product is a multiple of."""


def emit_mmad(frame: Frame, stmt: Mmad) -> None:
    """Write a matrix product, by micro-kernels if its operands lie in panels."""
    product = _product(frame, stmt)
    if product is None:
        emit_plain_mmad(frame, stmt)
        return
    n_units = product.size[2]
    n_blocks = max(-(-n_units // _K_UNITS), 1)
    block = -(-n_units // (n_blocks * _K_STEP)) * _K_STEP
    name = frame.fresh()
    with frame.loop(name, ix.ZERO, ix.constant(-(-n_units // max(block, 1)))):
        first = ix.scale(ix.variable(name), block)
        last = ix.minimum(ix.constant(n_units), ix.add(first, ix.constant(block)))
        _emit_block(frame, product, ix.variable(name), (first, last))


@dataclass(frozen=True, slots=True)
class _Groups:
    """Panels taken `width` at a time, `count` times from panel `start`."""

    start: int
    count: int
    width: int


def _emit_block(frame: Frame, product: Product, number: Index, span: tuple[Index, Index]) -> None:
    """Write the part of a product whose units of k are in `span`."""
    init = cond.conjunction(product.init, cond.equal(number, ix.ZERO))
    n_rows, width = _tile_size(frame, product)
    for groups in _panel_groups(product.size[1] // LANES, width):
        name, row = frame.fresh(), frame.fresh()
        with frame.loop(name, ix.ZERO, ix.constant(groups.count)):
            panel = ix.add(ix.constant(groups.start), ix.scale(ix.variable(name), groups.width))
            tile = Tile(ix.ZERO, panel, n_rows, groups.width, *span)
            bias = emit_bias(frame, product, tile) if product.is_biased else []
            with frame.loop(row, ix.ZERO, ix.constant(product.size[0] // n_rows)):
                here = ix.scale(ix.variable(row), n_rows)
                emit_tile(frame, product, replace(tile, row=here), init, bias)


def _tile_size(frame: Frame, product: Product) -> tuple[int, int]:
    """Return the (rows, panels) of the micro-kernel.

    A single panel needs more rows to keep the multipliers busy.
    """
    n_rows, width = tile_of(frame.host)
    is_single = product.size[1] == LANES
    if is_single and n_rows == ROWS and product.size[0] % (2 * ROWS) == 0:
        return 2 * ROWS, 1
    return n_rows, width


def _panel_groups(n_panels: int, width: int) -> Iterator[_Groups]:
    """Yield groups of `width` panels, the rest in twos where one would be left alone."""
    n_full, rest = divmod(n_panels, width)
    if rest == 1 and width == 3 and n_full:
        n_full, rest = n_full - 1, 4
    if n_full:
        yield _Groups(0, n_full, width)
    if rest == 4:
        yield _Groups(n_full * width, 2, 2)
    elif rest:
        yield _Groups(n_full * width, 1, rest)


def _product(frame: Frame, stmt: Mmad) -> Product | None:
    """Return `stmt` as a product of panels, None if some operand does not lie in panels."""
    method = find_method(stmt.a.buffer.dtype, stmt.b.buffer.dtype, frame.host)
    (m, k), n = stmt.a.shape, stmt.b.shape[1]
    if m % ROWS or n % LANES or k % (4 * method.unit):
        return None
    a = _operand(frame, stmt.a, method, is_a=True)
    b = _operand(frame, stmt.b, method, is_a=False)
    c = _accumulator(frame, stmt.dst)
    if a is None or b is None or c is None:
        return None
    return Product(method, a, b, c, (m, n, k // method.unit), stmt.init)


def _operand(frame: Frame, region: Region, method: Method, *, is_a: bool) -> Strides | None:
    axes = matrix_axes(region)
    if axes is None:
        return None
    outer, k = axes if is_a else (axes[1], axes[0])
    form = frame.places[region.buffer.name].form
    if form.digits == row_major_digits(region.buffer.shape):
        return _plain_operand(frame, region, method, is_a=is_a)
    k_block = form.of_axis(k)[-1].modulus
    side = Side(is_a, outer, k, method, k_block)
    if k_block == 0 or form != operand_form(region.buffer.shape, side):
        return None
    start_k = region.start[region.spanned[1 if is_a else 0]]
    start_outer = region.start[region.spanned[0 if is_a else 1]]
    if ix.known_divisor(start_k) % k_block or ix.known_divisor(start_outer) % _step(is_a):
        return None
    strides = form.of_axis(outer)[0].stride, form.of_axis(k)[0].stride
    row = form.of_axis(outer)[1].stride if is_a else 0
    return Strides(*_start(frame, region), *strides, row, k_block)


def _plain_operand(frame: Frame, region: Region, method: Method, *, is_a: bool) -> Strides | None:
    """Return a plain array as an operand, if its last axis is the one that vectors run along."""
    if not reads_in_place(region, method, is_a=is_a):
        return None
    axes = matrix_axes(region)
    assert axes is not None
    rows = prod(region.buffer.shape[axes[0] + 1 :])
    if is_a:
        return Strides(*_start(frame, region), ROWS * rows, 0, rows)
    return Strides(*_start(frame, region), LANES, rows * method.unit, rows)


def _start(frame: Frame, region: Region) -> tuple[str, Index]:
    """Return the address of a region's buffer, and the offset of its first element."""
    place = frame.places[region.buffer.name]
    element, _ = region_element(region, (ix.ZERO, ix.ZERO))
    return place.pointer, place.form.offset(element)


def _step(is_a: bool) -> int:
    return ROWS if is_a else LANES


def _accumulator(frame: Frame, region: Region) -> Strides | None:
    place, rank = frame.places[region.buffer.name], region.buffer.rank
    if matrix_axes(region) != (rank - 2, rank - 1):
        return None
    if place.form.digits == row_major_digits(region.buffer.shape):
        return Strides(*_start(frame, region), LANES, 0, region.buffer.shape[-1])
    if place.form != accumulator_form(region.buffer.shape, region.buffer.dtype):
        return None
    if ix.known_divisor(region.start[region.spanned[1]]) % LANES:
        return None
    stride = place.form.of_axis(rank - 1)[0].stride
    return Strides(*_start(frame, region), stride, 0, LANES)
