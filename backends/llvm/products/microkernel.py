"""The innermost loop of a matrix product: a tile of sums in registers, one unit of k after another.

Each step loads one vector of every panel of `b` and one unit of every row of `a`, broadcasts the
latter, and adds all products. LLVM makes of it what a person would write, 99 % of the peak.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tilelang.backends.llvm.code import Choice
from tilelang.backends.llvm.convolution.pixels import Pixels, unit_address
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.panels import LANES, ROWS, Method, Multiply
from tilelang.backends.llvm.products.product import Product, Tile
from tilelang.backends.llvm.storage import Storage
from tilelang.backends.llvm.vectors.narrow_floats import wide
from tilelang.backends.llvm.vectors.values import Lanes, Value, fused, interleave
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index

_FEW_ROWS = 32
"""Rows of `a` up to which the sums below are mostly not there to be asked for."""
_LINE = 64
"""Bytes of a line of the cache."""
UNROLL = 4
"""Units of k a step; more makes LLVM hoist loads and spill sums (8x2 on Zen 5: 86 % of peak)."""


def emit_tile(
    frame: Frame, product: Product, tile: Tile, init: Condition, bias: Sequence[str]
) -> None:
    """Write the sums of one tile; where `init` holds they start from zero.

    `bias` is what biased bytes of `a` add to the sums of each panel (see `bias.py`).
    """
    add = partial(_add_units, frame, product, tile)
    emit_sums(frame, product, tile, init, bias, add=add)


def emit_sums(
    frame: Frame,
    product: Product,
    tile: Tile,
    init: Condition,
    bias: Sequence[str],
    *,
    add: Callable[[Sequence[str]], Sequence[str]],
) -> None:
    """Write the sums of one tile as `emit_tile` does; `add` adds all products to what it is given.

    Both are vectors, row by row.
    """
    addresses = _sum_addresses(frame, product, tile)
    lanes = Lanes(frame.code, frame.host, LANES)
    if product.size[0] > _FEW_ROWS:
        _prefetch_next(frame, product, tile)
    starts = _first_sums(frame, product, tile, init)
    sums = add(starts)
    if bias:
        n = tile.n_panels
        sums = [lanes.op("sub", "i32", total, bias[i % n]) for i, total in enumerate(sums)]
    for number, (address, place, total) in enumerate(
        zip(addresses, tile.places(), sums, strict=True)
    ):
        n_columns = tile.columns(number)
        if product.epilogue is None:
            _store_sums(lanes, product.method.sum_type, address, (total, n_columns))
        else:
            product.epilogue.store(place, n_columns, total)


def _store_sums(lanes: Lanes, element: str, address: str, sums: tuple[str, int]) -> None:
    """Store a vector of sums, or so many of its columns as exist."""
    total, n = sums
    kind = lanes.type(element)
    if n < lanes.n:
        order = ", ".join(f"i32 {lane}" for lane in range(n))
        text = f"shufflevector {kind} {total}, {kind} poison, <{n} x i32> <{order}>"
        total, kind = lanes.code.pure(text, total), f"<{n} x {element}>"
    lanes.code.do(f"store {kind} {total}, ptr {address}, align 4")


def _load_sums(lanes: Lanes, element: str, address: str, n: int) -> str:
    """Load a vector of sums, of which so many exist; the others are undefined."""
    if n == lanes.n:
        return lanes.code.let(f"load {lanes.type(element)}, ptr {address}, align 4")
    kind = f"<{n} x {element}>"
    loaded = lanes.code.let(f"load {kind}, ptr {address}, align 4")
    order = ", ".join(f"i32 {lane}" if lane < n else "i32 poison" for lane in range(lanes.n))
    text = f"shufflevector {kind} {loaded}, {kind} poison, <{lanes.n} x i32> <{order}>"
    return lanes.code.pure(text, loaded)


def _prefetch_next(frame: Frame, product: Product, tile: Tile) -> None:
    """Ask for where the tile below is stored: a tile takes longer than that from any cache.

    Without it products that overflow the second-level cache lose a quarter (4096^3 on Zen 5).
    """
    frame.code.declare("void", "llvm.prefetch.p0", "ptr", "i32", "i32", "i32")
    below = replace(tile, row=ix.add(tile.row, ix.constant(tile.n_rows)))
    addresses = (
        _sum_addresses(frame, product, below)
        if product.epilogue is None
        else map(product.epilogue.address, below.places())
    )
    for address in addresses:
        frame.code.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 1, i32 3, i32 1)")


def _add_units(frame: Frame, product: Product, tile: Tile, sums: Sequence[str]) -> list[str]:
    """Write the loop over k."""
    kind = f"<{LANES} x {product.method.sum_type}>"
    carried = [(kind, total) for total in sums]
    first, last = frame.number(tile.first), frame.number(tile.last)
    with frame.code.loop(first, last, UNROLL, carried) as loop:
        unit = bind_unit(frame, product, loop.index)
        totals = list(loop.carried)
        for step in range(UNROLL):
            index = ix.add(ix.variable(unit), ix.constant(step))
            totals = _add_unit(frame, product, tile, index, totals)
        loop.update(*totals)
    return list(loop.results)


def bind_unit(frame: Frame, product: Product, value: str) -> str:
    """Name the variable of the loop over k: a multiple of the unroll factor."""
    name = frame.fresh()
    frame.bind(name, value, 0, product.size[2] - 1)
    return name


def _add_unit(
    frame: Frame, product: Product, tile: Tile, unit: Index, sums: list[str]
) -> list[str]:
    lanes, method = Lanes(frame.code, frame.host, LANES), product.method
    vectors = load_vectors(frame, product, tile, unit)
    added: list[str] = []
    for row in range(tile.n_rows):
        factor = _load_factor(frame, product, tile, unit, row)
        own = sums[row * tile.n_panels : (row + 1) * tile.n_panels]
        for vector, total in zip(vectors, own, strict=True):
            added.append(multiply_add(lanes, method, factor, vector, total))
    return added


def load_vectors(frame: Frame, product: Product, tile: Tile, unit: Index) -> list[str]:
    """Load one vector of units from every panel of the tile."""
    b, method = product.b, product.method
    start = ix.add(b.start, ix.scale(tile.panel, b.outer))
    base = frame.address(b.pointer, method.b.llvm, frame.value(start))
    vectors: list[str] = []
    here = frame.address(base, method.b.llvm, frame.value(_without_constant(unit, b.k)))
    if b.row:
        _prefetch_panels(frame, product, tile, here, unit.constant)
    for panel in range(tile.n_panels):
        offset = panel * b.outer + unit.constant * b.k
        address = frame.address(here, method.b.llvm, str(offset))
        if product.is_interleaved:
            vectors.append(_interleaved(frame, product, address))
        else:
            vectors.append(_load_vector(frame, method, address))
    return vectors


def _prefetch_panels(frame: Frame, product: Product, tile: Tile, address: str, step: int) -> None:
    """Ask for what the next panels have of the rows that are read now.

    Rows of a plain array lie on pages of their own, where the processor foresees nothing.
    """
    b, element = product.b, product.method.b
    n_bytes = tile.n_panels * LANES * element.n_bytes
    frame.code.declare("void", "llvm.prefetch.p0", "ptr", "i32", "i32", "i32")
    for row in range(product.method.unit):
        for line in range(0, n_bytes, _LINE):
            offset = tile.n_panels * LANES + line // element.n_bytes + step * b.k + row * b.row
            there = frame.address(address, element.llvm, str(offset))
            frame.code.do(f"call void @llvm.prefetch.p0(ptr {there}, i32 0, i32 3, i32 1)")


def _interleaved(frame: Frame, product: Product, address: str) -> str:
    """Load the rows of a unit from a plain array and make units of their columns."""
    method = product.method
    lanes = Lanes(frame.code, frame.host, LANES)
    bits = 8 * method.b.n_bytes
    rows: list[str] = []
    for number in range(method.unit):
        row = frame.address(address, method.b.llvm, str(number * product.b.row))
        kind, align = lanes.type(method.b.llvm), method.b.n_bytes
        rows.append(frame.code.let(f"load {kind}, ptr {row}, align {align}"))
    return interleave(lanes, rows, bits)


def _without_constant(index: Index, factor: int) -> Index:
    return ix.scale(ix.add(index, ix.constant(-index.constant)), factor)


def _load_vector(frame: Frame, method: Method, address: str) -> str:
    """Load 16 units: bits as they are for dot products, else widened to what is multiplied."""
    lanes = Lanes(frame.code, frame.host, LANES)
    match method.multiply:
        case Multiply.DOT_BF16 | Multiply.DOT_INT8 | Multiply.INTEGER:
            return frame.code.let(f"load <{LANES} x i32>, ptr {address}, align 4")
        case Multiply.FMA:
            kind = lanes.type(method.b.llvm)
            raw = frame.code.let(f"load {kind}, ptr {address}, align {method.b.n_bytes}")
            return wide(lanes, Value(_DTYPES[method.b], raw))


_DTYPES = {Storage.F32: DType.FLOAT32, Storage.F16: DType.FLOAT16, Storage.BF16: DType.BFLOAT16}


def _load_factor(frame: Frame, product: Product, tile: Tile, unit: Index, row: int) -> str:
    """Load one unit of one row of `a` and broadcast it."""
    a, method = product.a, product.method
    if isinstance(a, Pixels):
        address = unit_address(frame, a, ix.add(tile.row, ix.constant(row)), unit, method)
        return broadcast(frame, method, address)
    start = ix.add(a.start, ix.scale(ix.floor_div(tile.row, ROWS), a.outer))
    base = frame.address(a.pointer, method.a.llvm, frame.value(start))
    whole = ix.add(unit, ix.constant(-unit.constant))
    inside = ix.scale(whole, method.unit)
    if a.k_block:
        n_units = a.k_block // method.unit
        block, rest = ix.floor_div(whole, n_units), ix.modulo(whole, n_units)
        inside = ix.add(ix.scale(block, a.k), ix.scale(rest, method.unit))
    inside = ix.add(inside, ix.scale(ix.modulo(tile.row, ROWS), a.row))
    here = frame.address(base, method.a.llvm, frame.value(inside))
    offset = row // ROWS * a.outer + row % ROWS * a.row + unit.constant * method.unit
    return broadcast(frame, method, frame.address(here, method.a.llvm, str(offset)))


def broadcast(frame: Frame, method: Method, address: str) -> str:
    """Load one unit and broadcast it."""
    element = "float" if method.multiply is Multiply.FMA else "i32"
    scalar = frame.code.let(f"load {element}, ptr {address}, align 4")
    return Lanes(frame.code, frame.host, LANES).splat(element, scalar)


def multiply_add(lanes: Lanes, method: Method, factor: str, vector: str, total: str) -> str:
    """Return `total` plus the products of two vectors of units."""
    match method.multiply:
        case Multiply.FMA:
            return fused(lanes, factor, vector, total)
        case Multiply.INTEGER:
            return lanes.op("add", "i32", total, lanes.op("mul", "i32", factor, vector))
        case Multiply.DOT_BF16:
            return _dot(lanes, "llvm.x86.avx512bf16.dpbf16ps.512", "float", (total, factor, vector))
        case Multiply.DOT_INT8:
            return _dot(lanes, "llvm.x86.avx512.vpdpbusd.512", "i32", (total, factor, vector))


def _dot(lanes: Lanes, name: str, element: str, operands: tuple[str, str, str]) -> str:
    kind, bits = lanes.type(element), lanes.type("i32")
    lanes.code.declare(kind, name, kind, bits, bits)
    total, factor, vector = operands
    text = f"call {kind} @{name}({kind} {total}, {bits} {factor}, {bits} {vector})"
    return lanes.code.pure(text, *operands)


def _sum_addresses(frame: Frame, product: Product, tile: Tile) -> list[str]:
    """Return the address of each vector of sums, row by row."""
    c, element = product.c, product.method.sum_type
    start = ix.add(c.start, ix.scale(tile.panel, c.outer), ix.scale(tile.row, c.row))
    base = frame.address(c.pointer, element, frame.value(start))
    return [
        frame.address(base, element, str(row * c.row + panel * c.outer))
        for row in range(tile.n_rows)
        for panel in range(tile.n_panels)
    ]


def _first_sums(frame: Frame, product: Product, tile: Tile, init: Condition) -> Sequence[str]:
    lanes, element = Lanes(frame.code, frame.host, LANES), product.method.sum_type
    addresses = _sum_addresses(frame, product, tile)
    kind, zeros = lanes.type(element), ["zeroinitializer"] * len(addresses)

    def load() -> list[str]:
        return [
            _load_sums(lanes, element, address, tile.columns(number))
            for number, address in enumerate(addresses)
        ]

    starts = frame.condition(init)
    if starts in ("true", "false"):
        return zeros if starts == "true" else load()
    goes_on = frame.code.pure(f"xor i1 {starts}, true", starts)
    return frame.code.choose(goes_on, kind, Choice(load, zeros))
