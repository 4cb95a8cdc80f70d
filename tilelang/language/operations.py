"""The operations on tiles: moves, matrix products, reductions."""

from __future__ import annotations

from typing import TypeAlias, overload

from tilelang.dtypes import DType, DTypeLike, accumulator
from tilelang.ir.condition import Condition
from tilelang.ir.expression import Load
from tilelang.ir.named import as_int
from tilelang.ir.nodes import (
    Img2col,
    Matmul,
    Mmad,
    Move,
    ReduceOp,
    Window,
)
from tilelang.ir.region import AsMatrix, Memory, Region, identity
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.handles import (
    ConditionLike,
    Index,
    IndexLike,
    as_condition,
    is_condition,
    is_index,
)
from tilelang.language.literals import plain_number, want_dtype
from tilelang.language.tensors import Tensor, Tile, as_tile, index_of
from tilelang.language.vector import OperandLike, Reduction, check_kept, read

Pair: TypeAlias = "int | tuple[int, int]"


def data_move(dst: Tensor | Tile, src: Tensor | Tile, pad: float = 0) -> None:
    """Copy `src` to `dst`, between two memories: dst first, as in TIK.

    With as many axes as the other side has dimensions, an index is a starting point, and the extent
    comes from the other side. Else the spanned dimensions are written `start:` and the others are
    single elements. What lies outside a tensor in global memory is `pad` when read, and dropped
    when written. The layout is converted on the way, and from L0C to UB the dtype, where the
    machine does (`tilelang machine ascend910` lists its paths).

    Example:
        for i in tl.for_range(4):
            tl.data_move(t, x[i * 16, 0])           # 16 rows of x, as t has
            tl.data_move(t[0:1, :], x[i, 0:])       # one row
            tl.data_move(t, x[i * 16 - 1, 0], pad=-1)
            tl.data_move(y[i * 16, 0], t)

    Raises:
        TileError: E0131 if the two sides do not give one shape, E0117 for a pad that is no number;
            when verified, E0310 for two shapes, E0311 for two dtypes, E0312 for a path that the
            machine does not have.
    """
    trace = tracing.current("tl.data_move")
    to, source = as_tile(dst, "tl.data_move"), as_tile(src, "tl.data_move")
    number = plain_number(pad)
    if number is None:
        raise mistakes.error(
            "E0117",
            f"pad={mistakes.shown(pad)} is not a plain number",
            "write a number: `pad=0`, or `pad=-math.inf` below a maximum",
        )
    dst_region, src_region = _moved_regions(to, source)
    _record(trace, Move(dst_region, src_region, number, trace.here()))


def matmul(
    dst: Tensor | Tile, a: Tensor | Tile, b: Tensor | Tile, *, init: ConditionLike = True
) -> None:
    """Set `dst` to `a @ b` where `init` holds, else add it; `dst` in L0C, `a` and `b` in L1.

    `dst` is [m, n] of `tl.acc(a.dtype)`, `a` [m, k] and `b` [k, n]; operands may be transposed:
    `b1.T`. The first product of a sum is the one that must have `init`. The loads to L0A and L0B
    are made for you, in steps if the operands do not fit there.

    Example:
        acc = tl.alloc_l0c((64, 64), tl.acc(x.dtype))
        for k in tl.for_range(2, stages=2):
            a1 = tl.alloc_l1((64, 32), x.dtype)
            tl.data_move(a1, x[0, k * 32])
            tl.matmul(acc, a1, a1.T, init=k == 0)

    Raises:
        TileError: E0127 if `init` is not a condition over indices; when verified, E0330 for a wrong
            memory, E0332 for sizes, E0333 and E0334 for dtypes, E0372 and E0373 for a sum that
            begins nowhere, or anew each time.
    """
    trace = tracing.current("tl.matmul")
    to, left, right = (as_tile(operand, "tl.matmul").region() for operand in (dst, a, b))
    _record(trace, Matmul(to, left, right, _init(trace, init), trace.here()))


def mmad(
    dst: Tensor | Tile, a: Tensor | Tile, b: Tensor | Tile, *, init: ConditionLike = True
) -> None:
    """Set `dst` to `a @ b` where `init` holds, else add it; `a` in L0A, `b` in L0B: one cube step.

    Sizes, dtypes and errors are those of `matmul`, which loads the operands itself.

    Example:
        a1 = tl.alloc_l1((64, 64), x.dtype)
        a0 = tl.alloc_l0a((64, 64), x.dtype)
        b0 = tl.alloc_l0b((64, 64), x.dtype)
        acc = tl.alloc_l0c((64, 64), tl.acc(x.dtype))
        tl.data_move(a1, x[0, 0])
        tl.data_move(a0, a1)
        tl.data_move(b0, a1)
        tl.mmad(acc, a0, b0)
    """
    trace = tracing.current("tl.mmad")
    to, left, right = (as_tile(operand, "tl.mmad").region() for operand in (dst, a, b))
    _record(trace, Mmad(to, left, right, _init(trace, init), trace.here()))


def load3d(  # noqa: PLR0913 - the window has four properties, as in TIK's load3d
    dst: Tensor | Tile,
    src: Tensor | Tile,
    *,
    kernel: Pair,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding: int | tuple[int, int, int, int] = 0,
    row: IndexLike = 0,
    column: IndexLike = 0,
) -> None:
    """Fill `dst` [m, k] (L0A) with the img2col matrix of a feature map `src` [C, H, W] (L1).

    Row `m` is output position `row + m` (`oh * Wo + ow`), column `k` is `column + k` in the order
    (c1, kh, kw, c0). `padding` is (top, bottom, left, right); pairs are (height, width). Outside of
    the map, and in channels past C, are zeros.

    Example:
        map1 = tl.alloc_l1((16, 8, 8), image.dtype, layout="NC1HWC0")
        a0 = tl.alloc_l0a((64, 144), image.dtype)
        tl.data_move(map1, image[0, 0, 0])
        tl.load3d(a0, map1, kernel=3, padding=1)     # 8 x 8 positions, 3 x 3 x 16 columns

    Raises:
        TileError: E0132 for a window that is not one.
    """
    trace = tracing.current("tl.load3d")
    window = Window(
        _pair("kernel", kernel, 1),
        _pair("stride", stride, 1),
        _pair("dilation", dilation, 1),
        _padding(padding),
    )
    dst_region = as_tile(dst, "tl.load3d").region()
    src_region = as_tile(src, "tl.load3d").region()
    indices = index_of(row), index_of(column)
    _record(trace, Img2col(dst_region, src_region, window, *indices, trace.here()))


def as_matrix(weights: Tensor) -> Tensor:
    """See weights [O, C, R, S] as the matrix [C1 * R * S * C0, O] that `load3d`'s columns meet.

    Example:
        w1 = tl.alloc_l1((144, 16), weights.dtype)
        tl.data_move(w1, tl.as_matrix(weights)[0, 0])

    Raises:
        TileError: E0133 if `weights` is not such a tensor.
    """
    if not isinstance(weights, Tensor) or weights.ndim != 4 or weights.view_node != identity(4):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistakes.error(
            "E0133",
            f"`as_matrix` is given {weights!r}, wanted weights of shape [O, C, R, S]",
            "give a tensor or an L1 buffer with those four dimensions",
        )
    buffer = weights.buffer
    return Tensor(buffer, AsMatrix(), weights.scope)


def reduce_sum(x: OperandLike, axis: int) -> Reduction:
    """Return the sum along `axis`, which keeps size 1; for the right side of an assignment.

    float16 and bfloat16 are summed in float32, int8 and uint8 in int32, and that is what the tile
    on the left holds.

    Example:
        total = tl.alloc_ub((16, 1), "float32")
        total[:] = tl.reduce_sum(t, axis=1)

    Raises:
        TileError: E0136 for an axis that `x` does not have; when verified, E0347 for another shape
            on the left, E0349 for another dtype.
    """
    return _reduce(ReduceOp.SUM, x, axis)


def reduce_max(x: OperandLike, axis: int) -> Reduction:
    """Return the maximum along `axis`, which keeps size 1; NaN wins.

    Example:
        top = tl.alloc_ub((16, 1), t.dtype)
        top[:] = tl.reduce_max(t, axis=1)
    """
    return _reduce(ReduceOp.MAX, x, axis)


def reduce_min(x: OperandLike, axis: int) -> Reduction:
    """Return the minimum along `axis`, which keeps size 1; NaN wins.

    Example:
        low = tl.alloc_ub((1, 64), t.dtype)
        low[:] = tl.reduce_min(t, axis=0)
    """
    return _reduce(ReduceOp.MIN, x, axis)


def acc(dtype: DTypeLike) -> DType:
    """Return the type the cube sums `dtype` in: float32, or int32 for integers.

    Example:
        acc = tl.alloc_l0c((64, 64), tl.acc(x.dtype))
    """
    return accumulator(want_dtype(dtype))


@overload
def ceildiv(a: int, b: int) -> int: ...
@overload
def ceildiv(a: Index, b: int) -> Index: ...
def ceildiv(a: IndexLike, b: int) -> IndexLike:
    """Return `a / b` rounded up, as an int, or as an index if `a` is one.

    Example:
        for i in tl.cores(tl.ceildiv(x.shape[0], 48)):
            v = tl.alloc_ub((48, 64), x.dtype)
            tl.data_move(v, x[i * 48, 0])

    Raises:
        TileError: E0103 for something else than an int or an index over a plain positive int.
    """
    if not is_index(a) or not is_index(b) or isinstance(b, Index) or b < 1:
        raise mistakes.error(
            "E0103",
            f"`tl.ceildiv` is given {mistakes.shown(a)} and {mistakes.shown(b)}, wanted an int or "
            "an index, and a plain positive int",
            "write `tl.ceildiv(M, m_tile)`",
        )
    divisor = as_int(b)
    return (a + (divisor - 1)) // divisor if isinstance(a, Index) else -(-as_int(a) // divisor)


def _moved_regions(dst: Tile, src: Tile) -> tuple[Region, Region]:
    """Return both regions of a move, each open extent taken from the other side.

    The shape comes from the side that writes all of it; of two such, or none, from the one on chip;
    else from `dst`.
    """
    sides = [side for side in (dst, src) if side.known_shape]
    if not sides:
        raise mistakes.error(
            "E0131",
            f"neither side says how much moves from `{src.tensor.name}` to `{dst.tensor.name}`",
            "write where one of them ends: `u[r:r + 16, 0:64]`",
        )
    sides.sort(key=lambda side: (side.says_all, side.tensor.memory is not Memory.GM), reverse=True)
    return _ordered(sides[0], src if sides[0] is dst else dst, dst)


def _ordered(side: Tile, other: Tile, dst: Tile) -> tuple[Region, Region]:
    """Return the regions of `side`, whose shape is known, and of `other`, `dst` first."""
    region = side.region()
    fitted = other.region_of_shape(region.shape)
    if fitted is None:
        spans = sum(not axis.is_point for axis in other.axes)
        raise mistakes.error(
            "E0131",
            f"`{side.tensor.name}` has {len(region.shape)} dimensions here, and `"
            f"{other.tensor.name}` spans {spans} of its {len(other.axes)}",
            "write the dimensions that the tile spans as slices: `x[n, :, p:]`",
            location=other.loc,
        )
    return (region, fitted) if side is dst else (fitted, region)


def _record(trace: tracing.Trace, stmt: Move | Matmul | Mmad | Img2col) -> None:
    trace.record(stmt)
    trace.record_write(stmt.dst.buffer.name, stmt.loc)


def _init(trace: tracing.Trace, init: ConditionLike) -> Condition:
    if not is_condition(init):
        raise mistakes.error(
            "E0127",
            f"`init` is {init!r}, wanted a condition over indices",
            "write `init=k == 0`, or True to start a new sum",
        )
    condition = as_condition(init)
    trace.check_condition(condition)
    return condition


def _reduce(op: ReduceOp, x: OperandLike, axis: int) -> Reduction:
    operation = f"tl.reduce_{op.value}"
    trace = tracing.current(operation)
    region = as_tile(x, operation).region()
    rank = len(region.shape)
    if not is_index(axis) or isinstance(axis, Index) or not -rank <= axis < rank:
        raise mistakes.error(
            "E0136",
            f"`{operation}` along axis {mistakes.shown(axis)} of a tile with {rank} dimensions",
            f"use an axis from 0 to {rank - 1}",
        )
    dtype = region.buffer.dtype
    if op is ReduceOp.SUM:
        dtype = accumulator(dtype)
    check_kept("reduction")
    source = read(region, Load(region))
    return Reduction(op, region, int(axis) % rank, dtype, trace.here(), source)


def _plain_sizes(value: object, count: int, least: int) -> tuple[int, ...] | None:
    """Return one number `count` times, or that many as they are; None if it is neither."""
    sizes: tuple[object, ...] = (value,) * count
    if isinstance(value, tuple | list):
        sizes = tuple(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    plain = [int(size) for size in sizes if is_index(size) and not isinstance(size, Index)]
    good = len(plain) == len(sizes) == count and all(size >= least for size in plain)
    return tuple(plain) if good else None


def _pair(what: str, value: Pair, least: int) -> tuple[int, int]:
    pair = _plain_sizes(value, 2, least)
    if pair is None:
        raise mistakes.error(
            "E0132",
            f"{what}={value!r}, wanted an int or a pair of ints (height, width) from {least}",
            f"write `{what}=3` or `{what}=(3, 5)`",
        )
    height, width = pair
    return height, width


def _padding(value: int | tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    sides = _plain_sizes(value, 4, 0)
    if sides is None:
        raise mistakes.error(
            "E0132",
            f"padding={value!r}, wanted an int or (top, bottom, left, right), each 0 or more",
            "write `padding=1` or `padding=(1, 1, 0, 0)`",
        )
    top, bottom, left, right = sides
    return top, bottom, left, right
