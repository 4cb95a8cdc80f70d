"""Values of `scalar_max` and its like."""

import math
from typing import assert_never

from tilelang.backends.tik.cycles.scalar_values import Number, Thunk, Values, compile_value
from tilelang.backends.tik.instructions import ScalarFunction, ScalarOp

_BITS = 64


def compile_function(function: ScalarFunction, values: Values) -> Thunk:
    """Return a closure that evaluates `function`; it raises Unknown."""
    arguments = [compile_value(arg, values) for arg in function.args]
    return lambda: _apply(function.op, [argument() for argument in arguments])


def _apply(op: ScalarOp, args: list[Number]) -> Number:
    first = args[0]
    match op:
        case ScalarOp.MAX:
            return max(args)
        case ScalarOp.MIN:
            return min(args)
        case ScalarOp.ABS:
            return abs(first)
        case ScalarOp.SQRT:
            return math.isqrt(max(first, 0)) if isinstance(first, int) else math.sqrt(first)
        case ScalarOp.COUNT_BIT0:
            return _BITS - _ones(first)
        case ScalarOp.COUNT_BIT1:
            return _ones(first)
        case ScalarOp.COUNT_LEADING0:
            return _BITS - (int(first) & ((1 << _BITS) - 1)).bit_length()
        case ScalarOp.CONVERT:
            return first
        case _:
            assert_never(op)


def _ones(value: Number) -> int:
    return (int(value) & ((1 << _BITS) - 1)).bit_count()
