"""What bytes stored 128 too large, as the unsigned factor of `vpdpbusd`, add to sums of products.

It is 128 times the sum of each column of `b`, the same for every row of `a`.
"""

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.microkernel import (
    UNROLL,
    bind_unit,
    load_vectors,
    multiply_add,
)
from tilelang.backends.llvm.products.panels import LANES
from tilelang.backends.llvm.products.product import Product, Tile
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.ir import index as ix

_FOUR_BIASES = -0x7F7F7F80
"""Four bytes of 128."""


def emit_bias(frame: Frame, product: Product, tile: Tile) -> list[str]:
    """Write the sums over k of 128 times each panel of `b`, and return them.

    Every unit of a step has sums of its own: so few chains would wait for each other.
    """
    lanes, method = Lanes(frame.code, frame.host, LANES), product.method
    kind, factor = lanes.type(method.sum_type), lanes.constant("i32", _FOUR_BIASES)
    carried = [(kind, "zeroinitializer")] * (UNROLL * tile.n_panels)
    first, last = frame.number(tile.first), frame.number(tile.last)
    with frame.code.loop(first, last, UNROLL, carried) as loop:
        unit = ix.variable(bind_unit(frame, product, loop.index))
        vectors = [
            vector
            for step in range(UNROLL)
            for vector in load_vectors(frame, product, tile, ix.add(unit, ix.constant(step)))
        ]
        pairs = zip(vectors, loop.carried, strict=True)
        loop.update(
            *(multiply_add(lanes, method, factor, vector, total) for vector, total in pairs)
        )
    sums = list(loop.results)
    while len(sums) > tile.n_panels:
        half = len(sums) // 2
        pairs = zip(sums[:half], sums[half:], strict=True)
        sums = [lanes.op("add", method.sum_type, *pair) for pair in pairs]
    return sums
