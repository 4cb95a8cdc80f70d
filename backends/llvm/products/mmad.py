"""`Mmad` for operands in any form: the path that is always right, and slow.

`tilelang.backends.llvm.products.cube` takes the operands that lie in panels.
"""

from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.vectors.boxes import clipped, open_space
from tilelang.backends.llvm.vectors.casts import cast
from tilelang.backends.llvm.vectors.elements import element_access
from tilelang.backends.llvm.vectors.nest import emit_nest
from tilelang.backends.llvm.vectors.point import Access, Point
from tilelang.backends.llvm.vectors.values import Value, fused, register_type
from tilelang.dtypes import accumulator
from tilelang.ir import index as ix
from tilelang.ir.nodes import Mmad


def emit_plain_mmad(frame: Frame, stmt: Mmad) -> None:
    """Write a matrix product as a nest over `dst` with a loop over k inside."""
    space = open_space(frame, stmt.dst.shape)
    (name,) = open_space(frame, (stmt.a.shape[1],)).names
    (m, n), k = space.indices, ix.variable(name)
    dst = element_access(frame, stmt.dst, (m, n))
    a, b = element_access(frame, stmt.a, (m, k)), element_access(frame, stmt.b, (k, n))

    def sum_up(point: Point) -> None:
        first = _first(point, stmt, dst)
        kind = point.lanes.type(register_type(dst.dtype))
        with frame.code.loop(0, stmt.a.shape[1], carried=[(kind, first)]) as loop:
            frame.bind(name, loop.index, 0, stmt.a.shape[1] - 1)
            inner = Point(frame, point.lanes, point.replaced, point.lane)
            loop.update(_add_product(inner, loop.carried[0], a, b))
        point.store(dst, Value(dst.dtype, loop.results[0]))

    emit_nest(frame, space, clipped(frame, stmt.dst), [dst, a, b], sum_up)


def _first(point: Point, stmt: Mmad, dst: Access) -> str:
    """Return what the sum starts from: zero where `init` holds, else what `dst` holds."""
    zero = "zeroinitializer"
    init = point.frame.condition(stmt.init)
    if init == "true":
        return zero
    kind, old = point.lanes.type(register_type(dst.dtype)), point.load(dst).text
    if init == "false":
        return old
    return point.frame.code.pure(f"select i1 {init}, {kind} {zero}, {kind} {old}", init, old)


def _add_product(point: Point, total: str, a: Access, b: Access) -> str:
    lanes, dtype = point.lanes, accumulator(a.dtype)
    left, right = (cast(lanes, point.load(access), dtype).text for access in (a, b))
    if dtype.is_float:
        return fused(lanes, left, right, total)
    return lanes.op("add", "i32", total, lanes.op("mul", "i32", left, right))
