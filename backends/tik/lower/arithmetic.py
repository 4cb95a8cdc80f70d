"""Operations on numbers and tiles: one instruction where the chip has it, else a few."""

from collections.abc import Sequence

import numpy as np

from tilelang.backends.tik.instructions import TikType, VectorOp
from tilelang.backends.tik.lower.functions import FUNCTIONS, divide
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.values import Number, Tile, Value, Workbench, broadcast
from tilelang.ir.expression import BinaryOp, UnaryOp

_OPS = {
    BinaryOp.ADD: VectorOp.ADD,
    BinaryOp.SUBTRACT: VectorOp.SUB,
    BinaryOp.MULTIPLY: VectorOp.MUL,
    BinaryOp.DIVIDE: VectorOp.DIV,
    BinaryOp.MAXIMUM: VectorOp.MAX,
    BinaryOp.MINIMUM: VectorOp.MIN,
}


def target_of(bench: Workbench, into: Tile | None, dtype: TikType, *values: Value) -> Tile:
    """Return where a result of `values` goes: `into` if it has their shape, else scratch."""
    shape = broadcast(*values)
    if into is not None and into.shape == shape and into.dtype is dtype:
        return into
    return bench.scratch(dtype, shape)


def apply_binary(
    bench: Workbench, op: BinaryOp, values: tuple[Value, Value], into: Tile | None
) -> Value:
    """Return `op` of two values of one dtype, rounded once."""
    left, right = values
    dtype = left.dtype
    _check_dtype(bench, dtype, op.value)
    if isinstance(left, Number) and isinstance(right, Number):
        return _of_numbers(bench, op, left, right)
    done = _with_scalar(bench, op, values, into)
    if done is not None:
        return done
    rank = len(broadcast(*values))
    tiles = [bench.tile(value, rank) for value in values]
    dst = target_of(bench, into, dtype, *tiles)
    if op is BinaryOp.DIVIDE:
        divide(bench, dst, *tiles)
    else:
        bench.apply(_OPS[op], dst, *tiles)
    _release_all(bench, values, dst)
    return dst


def _release_all(bench: Workbench, values: Sequence[Value], dst: Value) -> None:
    bench.release(*(value for value in values if value is not dst))


def _check_dtype(bench: Workbench, dtype: TikType, what: str) -> None:
    if dtype.n_bytes == 1:
        raise refusal(
            "E1242",
            f"`{what}` on {dtype}, and vector instructions have no 8-bit form",
            bench.writer.loc,
            'write `tl.cast(x, "float16")` or `tl.cast(x, "int32")` around the operands',
            bench.buffer,
        )


def _of_numbers(bench: Workbench, op: BinaryOp, left: Number, right: Number) -> Value:
    """Return `op` of two numbers: now if both are known, else on one row of lanes."""
    if isinstance(left.value, int | float) and isinstance(right.value, int | float):
        dtype = left.dtype.numpy
        sides = (np.asarray(side.value).astype(dtype) for side in (left, right))
        with np.errstate(all="ignore"):
            return Number(_CALCULATE[op](*sides).astype(dtype).item(), left.dtype)
    tiles = (bench.tile(side, bench.rank) for side in (left, right))
    return apply_binary(bench, op, tuple(tiles), None)  # pyright: ignore[reportArgumentType]


_CALCULATE = {
    BinaryOp.ADD: np.add,
    BinaryOp.SUBTRACT: np.subtract,
    BinaryOp.MULTIPLY: np.multiply,
    BinaryOp.DIVIDE: np.divide,
    BinaryOp.MAXIMUM: np.maximum,
    BinaryOp.MINIMUM: np.minimum,
}


def _with_scalar(
    bench: Workbench, op: BinaryOp, values: tuple[Value, Value], into: Tile | None
) -> Tile | None:
    """Return the result of a form with a scalar, of the same rounding; None if there is none."""
    left, right = values
    if not left.dtype.is_float:
        return None
    if isinstance(left, Number) and isinstance(right, Tile):
        if op not in (BinaryOp.ADD, BinaryOp.MULTIPLY):
            return None
        left, right = right, left
    if not isinstance(left, Tile) or not isinstance(right, Number):
        return None
    factor = right.value
    if op is BinaryOp.SUBTRACT and isinstance(factor, int | float):
        op, factor = BinaryOp.ADD, -factor
    if op is BinaryOp.DIVIDE and isinstance(factor, float) and _is_power_of_two(factor):
        op, factor = BinaryOp.MULTIPLY, 1 / factor
    instruction = {BinaryOp.ADD: VectorOp.ADDS, BinaryOp.MULTIPLY: VectorOp.MULS}.get(op)
    if instruction is None or factor != factor:
        return None
    dst = target_of(bench, into, left.dtype, left)
    bench.apply(instruction, dst, left, scalar=factor)
    _release_all(bench, (left,), dst)
    return dst


def _is_power_of_two(value: float) -> bool:
    return 2.0**-14 <= abs(value) <= 2.0**14 and np.frexp(abs(value))[0] == 0.5


def apply_unary(bench: Workbench, op: UnaryOp, x: Value, into: Tile | None) -> Value:
    """Return `op` of a value."""
    if isinstance(x, Number):
        x = bench.tile(x, bench.rank)
    _check_dtype(bench, x.dtype, op.value)
    dst = target_of(bench, into, x.dtype, x)
    match op:
        case UnaryOp.NEGATE:
            _negate(bench, dst, x)
        case UnaryOp.RELU:
            _rectify(bench, dst, x)
        case UnaryOp.ABS if x.dtype.is_float:
            bench.apply(VectorOp.ABS, dst, x)
        case UnaryOp.ABS:
            opposite = bench.scratch(x.dtype, x.shape)
            _negate(bench, opposite, x)
            bench.apply(VectorOp.MAX, dst, x, opposite)
            bench.release(opposite)
        case _:
            FUNCTIONS[op](bench, dst, x)
    _release_all(bench, (x,), dst)
    return dst


def _negate(bench: Workbench, dst: Tile, x: Tile) -> None:
    if x.dtype.is_float:
        bench.apply(VectorOp.MULS, dst, x, scalar=-1.0)
    else:
        zero = bench.tile(Number(0, x.dtype), len(x.shape))
        bench.apply(VectorOp.SUB, dst, zero, x)


def _rectify(bench: Workbench, dst: Tile, x: Tile) -> None:
    """ReLU: vrelu is for float16 only on the first generation (tik.md section 4.1)."""
    if x.dtype is TikType.FLOAT16:
        bench.apply(VectorOp.RELU, dst, x)
    else:
        zero = bench.tile(Number(0.0 if x.dtype.is_float else 0, x.dtype), len(x.shape))
        bench.apply(VectorOp.MAX, dst, x, zero)
