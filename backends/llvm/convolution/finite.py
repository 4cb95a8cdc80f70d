"""Whether all weights of a product are finite, so that zeros need not be multiplied by them."""

from tilelang.backends.llvm.frame import Carried, Frame
from tilelang.backends.llvm.products.panels import LANES
from tilelang.backends.llvm.products.product import Product
from tilelang.backends.llvm.storage import Storage
from tilelang.backends.llvm.vectors.values import Lanes
from tilelang.ir import index as ix

_STEP = 4 * LANES
"""Elements at a time: a product has units of k in fours."""
_INFINITY = {Storage.F16: 0x7C00, Storage.F32: 0x7F800000}
"""The bits of infinity; those of NaN are above, but for the sign."""


def emit_are_finite(frame: Frame, product: Product) -> str:
    """Write a pass over the panels of `b`, float16 as it is or widened, and return an i1.

    The largest element as an integer without its sign tells. A panel is far less work than the
    products with it: the pass takes 1 % of the time of 50 rows.
    """
    b, code, storage = product.b, frame.code, product.method.b
    element = f"i{8 * storage.n_bytes}"
    lanes = Lanes(code, frame.host, 64 // storage.n_bytes)
    largest = Carried(lanes.type(element), ["zeroinitializer"] * (_STEP // lanes.n))
    panel, place = frame.fresh(), frame.fresh()
    n_panels, n_elements = -(-product.columns // LANES), product.size[2] * LANES
    with (
        frame.loop(panel, ix.ZERO, ix.constant(n_panels), carried=largest),
        frame.loop(place, ix.ZERO, ix.constant(n_elements), step=_STEP, carried=largest),
    ):
        start = ix.add(b.start, ix.scale(ix.variable(panel), b.outer), ix.variable(place))
        base = frame.address(b.pointer, element, frame.value(start))
        magnitude = lanes.constant(element, (1 << 8 * storage.n_bytes - 1) - 1)
        for number, old in enumerate(largest.values):
            address = frame.address(base, element, str(number * lanes.n))
            bits = code.let(f"load {lanes.type(element)}, ptr {address}, align {storage.n_bytes}")
            without_sign = lanes.op("and", element, bits, magnitude)
            largest.values[number] = lanes.call("umax", element, old, without_sign)
    finite = [
        lanes.compare("ult", element, value, lanes.constant(element, _INFINITY[storage]))
        for value in largest.values
    ]
    return _all(lanes, finite)


def _all(lanes: Lanes, masks: list[str]) -> str:
    """Return an i1: whether every lane of every mask holds."""
    code, kind = lanes.code, lanes.type("i1")
    both = masks[0]
    for mask in masks[1:]:
        both = lanes.op("and", "i1", both, mask)
    code.declare("i1", f"llvm.vector.reduce.and.v{lanes.n}i1", kind)
    return code.pure(f"call i1 @llvm.vector.reduce.and.v{lanes.n}i1({kind} {both})", both)
