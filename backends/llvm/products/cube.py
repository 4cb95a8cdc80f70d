"""`Mmad` on operands that lie in panels: blocks of k, panels of `b`, rows of `a`, a micro-kernel.

A panel group of `b` stays in cache while all of `a` streams past it. Sums start
from what the accumulator holds and go on in the order of k, so the result does not depend on how
the product is cut into tiles.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from tilelang.backends.llvm.convolution.finite import emit_are_finite
from tilelang.backends.llvm.convolution.pixels import Pixels, find_pixels
from tilelang.backends.llvm.convolution.tap_sums import emit_tap_rows
from tilelang.backends.llvm.convolution.taps import Taps, find_taps
from tilelang.backends.llvm.form import row_major_digits
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.ahead import emit_ahead
from tilelang.backends.llvm.products.bias import emit_bias
from tilelang.backends.llvm.products.epilogue import Epilogue, find_epilogue
from tilelang.backends.llvm.products.microkernel import emit_tile
from tilelang.backends.llvm.products.mmad import emit_plain_mmad
from tilelang.backends.llvm.products.panels import (
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
from tilelang.backends.llvm.products.product import Product, Strides, Tile
from tilelang.backends.llvm.vectors.boxes import clipped
from tilelang.backends.llvm.vectors.maps import emit_map
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index, Min
from tilelang.ir.nodes import Map, Mmad
from tilelang.ir.region import Region
from tilelang.ir.source_index import region_element

_K_UNITS = 1024
"""Units of k at a time: three panels of `b` take 192 KiB then, of the second-level cache. Fewer
lose more by loading and storing every sum more often: at 1024 cubed in float32 512 units cost 2 %,
128 units 5 %."""
_ROWS_IN_PLACE = 256
"""Rows of `b` at a time where it is read in place. Rows of 2**n bytes fall on few lines of the
caches: with 1024 at once a product of 16 by 1024 by 1024 in bfloat16 takes 1.3 times as long."""
_MAX_PANELS = 8
"""Panels of a micro-kernel for few rows: what one row takes to keep the multipliers busy."""
_K_STEP = 16
"""Units of k that a part of the product is a multiple of."""


def emit_mmad(frame: Frame, stmt: Mmad, way_out: Map | None = None) -> None:
    """Write a matrix product, and what is done to its sums on their `way_out`.

    The latter happens in registers if the last step of k is known when code is written.
    """
    epilogue = None if way_out is None else find_epilogue(frame, stmt.dst, way_out)
    product = _product(frame, stmt, epilogue)
    if epilogue is not None and (product is None or _n_blocks(product) > 1):
        epilogue, product = None, _product(frame, stmt, None)
    _emit_product(frame, stmt, product)
    if way_out is not None and epilogue is None:
        emit_map(frame, way_out)


def _emit_product(frame: Frame, stmt: Mmad, product: Product | None) -> None:
    """Write a matrix product, by micro-kernels if its operands lie in panels."""
    if product is None:
        emit_plain_mmad(frame, stmt)
        return
    taps = find_taps(frame, stmt, product)
    if taps is None:
        _emit_blocks(frame, product)
        return
    are_finite = emit_are_finite(frame, product)
    with frame.code.when(are_finite):
        _emit_taps(frame, product, taps)
    with frame.code.when(frame.pure("xor i1", are_finite, "true")):
        _emit_blocks(frame, product)


def _emit_taps(frame: Frame, product: Product, taps: Taps) -> None:
    """Write a product of windows without its zeros."""
    n_rows, width = tile_of(frame.host)
    for groups in _panel_groups(product.columns, width):
        name = frame.fresh()
        with frame.loop(name, ix.ZERO, ix.constant(groups.count)):
            panel = ix.add(ix.constant(groups.start), ix.scale(ix.variable(name), groups.width))
            tile = Tile(ix.ZERO, panel, n_rows, groups.width, ix.ZERO, ix.ZERO, groups.last_columns)
            emit_tap_rows(frame, product, taps, tile)


def _emit_blocks(frame: Frame, product: Product) -> None:
    """Write a product in blocks of k."""
    n_units = product.size[2]
    block = -(-n_units // (_n_blocks(product) * _K_STEP)) * _K_STEP
    name = frame.fresh()
    with frame.loop(name, ix.ZERO, ix.constant(-(-n_units // max(block, 1)))):
        first = ix.scale(ix.variable(name), block)
        last = ix.minimum(ix.constant(n_units), ix.add(first, ix.constant(block)))
        _emit_block(frame, product, ix.variable(name), (first, last))


def _n_blocks(product: Product) -> int:
    """Return how many blocks of k a product is taken in."""
    most = _ROWS_IN_PLACE // product.method.unit if product.b.row else _K_UNITS
    return max(-(-product.size[2] // most), 1)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Panels taken `width` at a time, `count` times from panel `start`.

    The last panel of all has `last_columns`.
    """

    start: int
    count: int
    width: int
    last_columns: int = LANES


def _emit_block(frame: Frame, product: Product, number: Index, span: tuple[Index, Index]) -> None:
    """Write the part of a product whose units of k are in `span`."""
    init = cond.conjunction(product.init, cond.equal(number, ix.ZERO))
    n_rows, width = _tile_size(frame, product)
    for groups in _panel_groups(product.columns, width):
        name = frame.fresh()
        with frame.loop(name, ix.ZERO, ix.constant(groups.count)):
            panel = ix.add(ix.constant(groups.start), ix.scale(ix.variable(name), groups.width))
            tile = Tile(ix.ZERO, panel, n_rows, groups.width, *span, groups.last_columns)
            bias = emit_bias(frame, product, tile) if product.is_biased else []
            _emit_rows(frame, product, tile, init, bias)


def _emit_rows(
    frame: Frame, product: Product, tile: Tile, init: Condition, bias: Sequence[str]
) -> None:
    """Write the tiles of a group of panels, down to the last row that exists."""
    row, n_full = frame.fresh(), ix.floor_div(product.rows, tile.n_rows)
    with frame.loop(row, ix.ZERO, n_full):
        here = ix.scale(ix.variable(row), tile.n_rows)
        _emit_ahead(frame, product, tile, ix.variable(row))
        emit_tile(frame, product, replace(tile, row=here), init, bias)
    rest, last = ix.modulo(product.rows, tile.n_rows), ix.scale(n_full, tile.n_rows)
    for size in _rest_sizes(frame, product.rows, tile.n_rows):
        with frame.code.when(frame.condition(cond.equal(rest, ix.constant(size)))):
            emit_tile(frame, product, replace(tile, row=last, n_rows=size), init, bias)


def _emit_ahead(frame: Frame, product: Product, tile: Tile, row: Index) -> None:
    """Ask for one of as many parts of what is loaded next as the product has tiles."""
    n_down = -(-product.size[0] // tile.n_rows)
    across = ix.floor_div(tile.panel, tile.n_panels)
    n_across = -(-product.columns // (LANES * tile.n_panels))
    emit_ahead(frame, ix.add(ix.scale(across, n_down), row), n_down * n_across)


def _rest_sizes(frame: Frame, rows: Index, n_rows: int) -> Iterable[int]:
    """Return how many rows may be left when so many are taken at a time, without 0."""
    match rows.terms:
        case ((Min(args), 1),) if rows.constant == 0:
            parts = args
        case _:
            parts = (rows,)
    rests = [frame.simplified(ix.modulo(part, n_rows)) for part in parts]
    if all(rest.is_constant for rest in rests):
        return sorted({rest.constant for rest in rests} - {0})
    return range(1, n_rows)


def _tile_size(frame: Frame, product: Product) -> tuple[int, int]:
    """Return the (rows, panels) of the micro-kernel.

    A single panel needs more rows to keep the multipliers busy, and few rows more panels. Rows that
    divide those of the map are equally far apart.
    """
    n_rows, width = tile_of(frame.host)
    if isinstance(product.a, Pixels):
        return product.a.n_rows(product.size[0], n_rows), width
    is_single = product.size[1] == LANES
    if is_single and n_rows == ROWS and product.size[0] % (2 * ROWS) == 0:
        return 2 * ROWS, 1
    few = ix.bounds(product.rows, frame.ranges)[1]
    if 0 < few < n_rows:
        return few, min(n_rows * width // few, _MAX_PANELS)
    return n_rows, width


def _panel_groups(n_columns: int, width: int) -> Iterator[_Groups]:
    """Yield the groups of panels of so many columns; a last panel that is not full has its own."""
    n_panels = -(-n_columns // LANES)
    for groups in _whole_groups(n_panels, width):
        end = groups.start + groups.count * groups.width
        if end < n_panels or n_columns % LANES == 0:
            yield groups
            continue
        if groups.count > 1:
            yield replace(groups, count=groups.count - 1)
        yield _Groups(end - groups.width, 1, groups.width, n_columns % LANES)


def _whole_groups(n_panels: int, width: int) -> Iterator[_Groups]:
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


def _product(frame: Frame, stmt: Mmad, epilogue: Epilogue | None) -> Product | None:
    """Return `stmt` as a product of panels, None if some operand does not lie in panels."""
    method = find_method(stmt.a.buffer.dtype, stmt.b.buffer.dtype, frame.host)
    (m, k), n = stmt.a.shape, stmt.b.shape[1]
    if n % LANES or k % (4 * method.unit):
        return None
    a = find_pixels(frame, stmt.a, method)
    if a is None and m % ROWS == 0:
        a = _operand(frame, stmt.a, method, is_a=True)
    b = _operand(frame, stmt.b, method, is_a=False)
    c = _accumulator(frame, stmt.dst)
    box = clipped(frame, stmt.dst) if epilogue is None else epilogue.box
    columns, most = ix.bounds(box.high[1], frame.ranges)
    is_cut = box.condition != cond.TRUE or box.low != (ix.ZERO, ix.ZERO) or columns != most
    if a is None or b is None or c is None or is_cut:
        return None
    rows = frame.simplified(ix.maximum(ix.ZERO, box.high[0]))
    size = m, n, k // method.unit
    return Product(method, a, b, c, size, stmt.init, rows, columns, epilogue)


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
