"""Simulated devices: the numpy executor under another arithmetic, and what each promises."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.check.running import Executable
from tilelang.backends.numpy import NumpyExecutable
from tilelang.backends.numpy.arithmetic import ROUNDED, Arithmetic
from tilelang.dtypes import DType
from tilelang.ir.expression import BinaryOp, Rounding, UnaryOp
from tilelang.ir.nodes import Program, ReduceOp
from tilelang.machines import find_machine
from tilelang.numerics import ONE_ULP, Numerics
from tilelang.passes import lower

Array = NDArray[Any]
Function = Callable[..., Array]

NARROW = (DType.FLOAT16, DType.BFLOAT16)
FLOATS = (*NARROW, DType.FLOAT32)
LEAST_NORMAL = {DType.FLOAT16: 2.0**-14, DType.BFLOAT16: 2.0**-126, DType.FLOAT32: 2.0**-126}
LARGEST = {
    DType.FLOAT16: 65504.0,
    DType.BFLOAT16: 3.3895313892515355e38,
    DType.FLOAT32: 3.4028235e38,
}


def run_on(program: Program, arithmetic: Arithmetic) -> Executable:
    """Return `program` as executed under `arithmetic`."""
    lowered = lower(program, find_machine("host"))
    return NumpyExecutable(program, lowered, arithmetic, strict=False)


class Device:
    """The language's own arithmetic; a simulated device changes some of it."""

    numerics = Numerics()

    def storage(self, dtype: DType) -> np.dtype[Any]:
        return ROUNDED.storage(dtype)

    def literal(self, value: float, dtype: DType) -> Array:
        return ROUNDED.literal(value, dtype)

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        return ROUNDED.unary(op, dtype)

    def binary(self, op: BinaryOp, dtype: DType) -> Function:
        return ROUNDED.binary(op, dtype)

    def cast(self, source: DType, target: DType, rounding: Rounding) -> Function:
        return ROUNDED.cast(source, target, rounding)

    def reduction(self, op: ReduceOp, dtype: DType) -> Function:
        return ROUNDED.reduction(op, dtype)

    def product(self, a: DType, b: DType) -> Function:
        return ROUNDED.product(a, b)


def truncated(x: Array) -> Array:
    """Return float64 numbers cut off to float32, towards zero."""
    near = x.astype(np.float32)
    too_large = np.abs(near.astype(np.float64)) > np.abs(x)
    return np.where(too_large, np.nextafter(near, np.float32(0)), near)


class Truncating(Device):
    """The accumulator of the cube and of sums drops bits, one term after the other."""

    numerics = Numerics(truncates_sums=True)

    def product(self, a: DType, b: DType) -> Function:
        return ROUNDED.product(a, b) if a.is_integer else self._add_up

    def reduction(self, op: ReduceOp, dtype: DType) -> Function:
        if op is not ReduceOp.SUM or not dtype.is_float:
            return ROUNDED.reduction(op, dtype)
        return self._sum

    @staticmethod
    def _add_up(a: Array, b: Array) -> Array:
        total = np.zeros((a.shape[0], b.shape[1]), np.float32)
        for k in range(a.shape[1]):
            term = np.multiply.outer(a[:, k].astype(np.float64), b[k].astype(np.float64))
            total = truncated(total.astype(np.float64) + truncated(term))
        return total

    @staticmethod
    def _sum(x: Array, axis: int) -> Array:
        if not x.shape[axis]:
            return ROUNDED.reduction(ReduceOp.SUM, DType.FLOAT32)(x, axis)
        total: Array = np.zeros_like(np.take(x, [0], axis), np.float32)
        for k in range(x.shape[axis]):
            total = truncated(total.astype(np.float64) + np.take(x, [k], axis))
        return total


class Flushing(Device):
    """Subnormal numbers become zero, in every float type."""

    numerics = Numerics(flushes=frozenset(FLOATS))

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        return self._flushed(ROUNDED.unary(op, dtype), dtype)

    def binary(self, op: BinaryOp, dtype: DType) -> Function:
        return self._flushed(ROUNDED.binary(op, dtype), dtype)

    def cast(self, source: DType, target: DType, rounding: Rounding) -> Function:
        return self._flushed(ROUNDED.cast(source, target, rounding), target)

    def product(self, a: DType, b: DType) -> Function:
        return self._flushed(ROUNDED.product(a, b), DType.FLOAT32 if a.is_float else DType.INT32)

    @staticmethod
    def _flushed(function: Function, dtype: DType) -> Function:
        if not dtype.is_float:
            return function

        def compute(*operands: Array) -> Array:
            found = function(*operands)
            tiny = np.abs(found.astype(np.float64)) < LEAST_NORMAL[dtype]
            return np.where(tiny, found.dtype.type(0), found)

        return compute


class FlushingFunctions(Device):
    """The logarithm and the inverse root take subnormal numbers for zero."""

    numerics = Numerics(flushes_arguments=frozenset({UnaryOp.LN, UnaryOp.RSQRT}))

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        function = ROUNDED.unary(op, dtype)
        if op not in self.numerics.flushes_arguments:
            return function

        def compute(x: Array) -> Array:
            tiny = np.abs(x.astype(np.float64)) < LEAST_NORMAL[DType.FLOAT32]
            return function(np.where(tiny, x.dtype.type(0), x))

        return compute


class RoughExponential(Device):
    """exp is 2**(x * log2 e) with a product that is rounded, as GPUs have it."""

    numerics = Numerics(ulps={**ONE_ULP, UnaryOp.EXP: 2}, ulps_per_unit={UnaryOp.EXP: 1.173})

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        if op is not UnaryOp.EXP or dtype is not DType.FLOAT32:
            return ROUNDED.unary(op, dtype)

        def compute(x: Array) -> Array:
            scaled = x * np.float32(np.log2(np.e))
            return np.exp2(scaled.astype(np.float64)).astype(np.float32)

        return compute


class Saturating(Device):
    """What overflows becomes the largest finite number; so does infinity in float16 arithmetic.

    In float32 it may have come from a sum, which does not saturate.
    """

    numerics = Numerics(saturates=frozenset(FLOATS))

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        return self._limited(ROUNDED.unary(op, dtype), dtype, keeps=dtype is not DType.FLOAT16)

    def binary(self, op: BinaryOp, dtype: DType) -> Function:
        return self._limited(ROUNDED.binary(op, dtype), dtype, keeps=dtype is not DType.FLOAT16)

    def cast(self, source: DType, target: DType, rounding: Rounding) -> Function:
        return self._limited(ROUNDED.cast(source, target, rounding), target, keeps=True)

    @staticmethod
    def _limited(function: Function, dtype: DType, *, keeps: bool) -> Function:
        if not dtype.is_float:
            return function

        def compute(*operands: Array) -> Array:
            found = function(*operands)
            largest = np.asarray(LARGEST[dtype]).astype(found.dtype)
            new = np.isinf(found)
            for operand in operands if keeps else ():  # what was infinite before stays so
                new = new & np.isfinite(operand)
            return np.where(new, np.copysign(largest, found), found)

        return compute


class Permuted(Device):
    """Sums are taken in another order, one term after the other."""

    def product(self, a: DType, b: DType) -> Function:
        if a.is_integer:
            return ROUNDED.product(a, b)

        def multiply(left: Array, right: Array) -> Array:
            order = np.random.default_rng(left.shape[1]).permutation(left.shape[1])
            total: Array = np.zeros((left.shape[0], right.shape[1]), np.float32)
            for k in order:
                total += np.multiply.outer(
                    left[:, k].astype(np.float32), right[k].astype(np.float32)
                )
            return total

        return multiply


class Wide(Device):
    """Narrow floats stay in float32 between the operations of an expression."""

    numerics = Numerics(keeps_wide=frozenset(NARROW))

    def unary(self, op: UnaryOp, dtype: DType) -> Function:
        if dtype not in NARROW:
            return ROUNDED.unary(op, dtype)
        function = ROUNDED.unary(op, DType.FLOAT32)

        def compute(x: Array) -> Array:
            return function(x.astype(np.float32))

        return compute

    def binary(self, op: BinaryOp, dtype: DType) -> Function:
        if dtype not in NARROW:
            return ROUNDED.binary(op, dtype)
        function = ROUNDED.binary(op, DType.FLOAT32)

        def compute(x: Array, y: Array) -> Array:
            return function(x.astype(np.float32), y.astype(np.float32))

        return compute


class Tf32(Device):
    """Operands of float32 products lose all but 11 bits, cut off."""

    numerics = Numerics(uses_tf32=True)

    def product(self, a: DType, b: DType) -> Function:
        function = ROUNDED.product(a, b)
        if a is not DType.FLOAT32:
            return function

        def multiply(x: Array, y: Array) -> Array:
            return function(_eleven_bits(x), _eleven_bits(y))

        return multiply


def _eleven_bits(x: Array) -> Array:
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(x), bits.view(np.float32), x)


DEVICES = (
    Truncating(),
    Flushing(),
    FlushingFunctions(),
    RoughExponential(),
    Saturating(),
    Permuted(),
    Wide(),
    Tf32(),
)
