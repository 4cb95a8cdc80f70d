"""Choices: a comparison into the compare mask, then a selection, one repeat at a time.

On these chips a selection by a mask uses the same bits in every repeat (tik.md section 4.4).
"""

from tilelang.backends.tik.instructions import (
    CompareOp,
    CompareToMask,
    Lanes,
    Mask,
    Select,
    TikType,
    VectorOp,
)
from tilelang.backends.tik.lower.arithmetic import target_of
from tilelang.backends.tik.lower.casts import cast
from tilelang.backends.tik.lower.lanes import Domain, as_type, for_lanes
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.values import Number, Tile, Value, Workbench, lanes_of
from tilelang.ir.expression import ComparisonOp, LogicOp, Rounding

_OPS = {
    ComparisonOp.LESS: CompareOp.LT,
    ComparisonOp.LESS_EQUAL: CompareOp.LE,
    ComparisonOp.EQUAL: CompareOp.EQ,
    ComparisonOp.NOT_EQUAL: CompareOp.NE,
    ComparisonOp.GREATER: CompareOp.GT,
    ComparisonOp.GREATER_EQUAL: CompareOp.GE,
}


def choose(
    bench: Workbench,
    op: ComparisonOp,
    sides: tuple[Value, Value],
    results: tuple[Value, Value],
    into: Tile | None,
) -> Value:
    """Return the first of `results` where `op` holds between `sides`, else the second."""
    compared = [bench.tile(_comparable(bench, side), bench.rank) for side in sides]
    chosen = [bench.tile(result, bench.rank) for result in results]
    dst = target_of(bench, into, chosen[0].dtype, *compared, *chosen)
    _check(bench, compared[0].dtype, dst.dtype)
    boxes = [lanes_of(tile, dst.shape) for tile in (dst, *chosen)]
    if dst.dtype is TikType.INT32:  # a selection moves bits, and is there for floats only
        boxes = [as_type(box, TikType.FLOAT32) for box in boxes]
    boxes += [lanes_of(tile, dst.shape) for tile in compared]
    writer = bench.writer

    def emit(mask: Mask, repeat: int, lanes: tuple[Lanes, ...]) -> None:
        to, one, other, left, right = lanes
        writer.write(CompareToMask(_OPS[op], mask, _of_one(left), _of_one(right), writer.loc))
        writer.write(Select(mask, 0, to, None, one, other, repeat, writer.loc))

    for_lanes(writer, Domain(boxes[0].counts, tuple(boxes), 1), emit)
    bench.release(*(tile for tile in (*compared, *chosen) if tile is not dst))
    return dst


def _of_one(lanes: Lanes) -> Lanes:
    """Return `lanes` as a comparison of one repeat has them, without a repeat stride."""
    return Lanes(lanes.operand, lanes.block_stride, 0)


def _comparable(bench: Workbench, side: Value) -> Value:
    """Return a side of a comparison as a float: integers as float32, where they are exact."""
    if side.dtype.is_float:
        return side
    if isinstance(side, Tile) and not side.is_scratch:
        raise refusal(
            "E1243",
            f"a comparison of {side.dtype}, and the chip compares float16 and float32",
            bench.writer.loc,
            'write `tl.cast(x, "float32")` around both sides, if 24 bits will do',
            bench.buffer,
        )
    return cast(bench, side, TikType.FLOAT32, Rounding.NEAREST, None)


def _check(bench: Workbench, compared: TikType, chosen: TikType) -> None:
    if chosen.n_bytes == 1 or (
        bench.machine == "ascend310" and TikType.FLOAT16 not in (compared, chosen)
    ):
        raise refusal(
            "E1243",
            f"a choice between {chosen} by a comparison of {compared}, which the chip has not",
            bench.writer.loc,
            'write `tl.cast(..., "float16")` around what is compared and chosen',
            bench.buffer,
        )


def truth(
    bench: Workbench, condition: Value, results: tuple[Value, Value], into: Tile | None
) -> Value:
    """Return the first of `results` where `condition`, 1 or 0 in float32, is not 0."""
    zero = Number(0.0, TikType.FLOAT32)
    return choose(bench, ComparisonOp.NOT_EQUAL, (condition, zero), results, into)


def logic(bench: Workbench, op: LogicOp | None, left: Value, right: Value | None) -> Value:
    """Return `left op right` of conditions as 1 and 0; without `op`, the opposite of `left`."""
    one = bench.tile(left, bench.rank)
    if op is None or right is None:
        dst = target_of(bench, None, TikType.FLOAT32, one)
        bench.apply(VectorOp.MULS, dst, one, scalar=-1.0)
        bench.apply(VectorOp.ADDS, dst, dst, scalar=1.0)
        return dst
    other = bench.tile(right, bench.rank)
    dst = target_of(bench, None, TikType.FLOAT32, one, other)
    bench.apply(VectorOp.MIN if op is LogicOp.AND else VectorOp.MAX, dst, one, other)
    bench.release(one, other)
    return dst
