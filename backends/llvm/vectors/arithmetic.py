"""The operations of an expression on vectors: one function a kind of node.

Every operation rounds to its own dtype: narrow floats are widened, computed in float32 and
narrowed again, which rounds once in effect since float32 has more than twice their bits.
"""

from collections.abc import Callable
from typing import assert_never

from tilelang.backends.llvm.vectors import polynomials
from tilelang.backends.llvm.vectors.narrow_floats import narrow, wide
from tilelang.backends.llvm.vectors.values import Lanes, Value, register_type
from tilelang.dtypes import DType
from tilelang.ir.expression import BinaryOp, ComparisonOp, LogicOp, UnaryOp

_FUNCTIONS: dict[UnaryOp, Callable[[Lanes, str], str]] = {
    UnaryOp.EXP: polynomials.exp,
    UnaryOp.LN: polynomials.ln,
    UnaryOp.TANH: polynomials.tanh,
    UnaryOp.SIGMOID: polynomials.sigmoid,
    UnaryOp.RSQRT: polynomials.rsqrt,
}
_FLOAT_BINARY = {
    BinaryOp.ADD: "fadd",
    BinaryOp.SUBTRACT: "fsub",
    BinaryOp.MULTIPLY: "fmul",
    BinaryOp.DIVIDE: "fdiv",
}
_INTEGER_BINARY = {BinaryOp.ADD: "add", BinaryOp.SUBTRACT: "sub", BinaryOp.MULTIPLY: "mul"}
_RELATIONS = {
    ComparisonOp.LESS: "lt",
    ComparisonOp.LESS_EQUAL: "le",
    ComparisonOp.EQUAL: "eq",
    ComparisonOp.NOT_EQUAL: "ne",
    ComparisonOp.GREATER: "gt",
    ComparisonOp.GREATER_EQUAL: "ge",
}


def unary(lanes: Lanes, op: UnaryOp, x: Value) -> Value:
    """Return `op(x)` in the dtype of `x`."""
    if x.dtype.is_integer:
        return Value(x.dtype, _integer_unary(lanes, op, x))
    return narrow(lanes, _float_unary(lanes, op, wide(lanes, x)), x.dtype)


def binary(lanes: Lanes, op: BinaryOp, left: Value, right: Value) -> Value:
    """Return `left op right` in their common dtype."""
    if left.dtype.is_integer:
        return Value(left.dtype, _integer_binary(lanes, op, left, right))
    a, b = wide(lanes, left), wide(lanes, right)
    if op in (BinaryOp.MAXIMUM, BinaryOp.MINIMUM):
        return narrow(lanes, extreme(lanes, op is BinaryOp.MAXIMUM, a, b), left.dtype)
    return narrow(lanes, lanes.op(_FLOAT_BINARY[op], "float", a, b), left.dtype)


def comparison(lanes: Lanes, op: ComparisonOp, left: Value, right: Value) -> Value:
    """Return `left op right` as bools."""
    relation = _RELATIONS[op]
    if left.dtype.is_float:
        ordered = "u" if op is ComparisonOp.NOT_EQUAL else "o"
        text = lanes.compare(ordered + relation, "float", wide(lanes, left), wide(lanes, right))
        return Value(DType.BOOL, text)
    if op not in (ComparisonOp.EQUAL, ComparisonOp.NOT_EQUAL):
        relation = _sign(left.dtype) + relation
    element = register_type(left.dtype)
    return Value(DType.BOOL, lanes.compare(relation, element, left.text, right.text))


def logic(lanes: Lanes, op: LogicOp, left: Value, right: Value) -> Value:
    """Return `left op right` on bools."""
    name = "and" if op is LogicOp.AND else "or"
    return Value(DType.BOOL, lanes.op(name, "i1", left.text, right.text))


def logic_not(lanes: Lanes, x: Value) -> Value:
    """Return the opposite bools."""
    return Value(DType.BOOL, lanes.op("xor", "i1", x.text, lanes.constant("i1", 1)))


def where(lanes: Lanes, condition: Value, then: Value, otherwise: Value) -> Value:
    """Return `then` where `condition` holds, else `otherwise`."""
    element = register_type(then.dtype)
    text = lanes.select(condition.text, element, then.text, otherwise.text)
    return Value(then.dtype, text)


def extreme(lanes: Lanes, largest: bool, left: str, right: str) -> str:
    """Return the larger or smaller of float32 vectors; NaN wins."""
    relation = "ogt" if largest else "olt"
    chosen = lanes.select(lanes.compare(relation, "float", left, right), "float", left, right)
    is_nan = lanes.compare("uno", "float", left, left)
    return lanes.select(is_nan, "float", left, chosen)


def integer_extreme(lanes: Lanes, largest: bool, dtype: DType, left: str, right: str) -> str:
    """Return the larger or smaller of integer vectors of `dtype`."""
    name = _sign(dtype) + ("max" if largest else "min")
    return lanes.call(name, register_type(dtype), left, right)


def _float_unary(lanes: Lanes, op: UnaryOp, x: str) -> str:
    match op:
        case UnaryOp.NEGATE:
            return lanes.op("fneg", "float", x)
        case UnaryOp.SQRT:
            return lanes.call("sqrt", "float", x)
        case UnaryOp.ABS:
            return lanes.call("fabs", "float", x)
        case UnaryOp.RELU:
            zero = lanes.constant("float", 0)
            return lanes.select(lanes.compare("ole", "float", x, zero), "float", zero, x)
        case UnaryOp.EXP | UnaryOp.LN | UnaryOp.TANH | UnaryOp.SIGMOID | UnaryOp.RSQRT:
            return _FUNCTIONS[op](lanes, x)
        case _:
            assert_never(op)


def _integer_unary(lanes: Lanes, op: UnaryOp, x: Value) -> str:
    element = register_type(x.dtype)
    zero = lanes.constant(element, 0)
    negated = lanes.op("sub", element, zero, x.text)
    if op is UnaryOp.NEGATE:
        return negated
    if x.dtype is DType.UINT8:
        return x.text  # neither abs nor relu changes what is not negative
    other = negated if op is UnaryOp.ABS else zero
    return lanes.select(lanes.compare("slt", element, x.text, zero), element, other, x.text)


def _integer_binary(lanes: Lanes, op: BinaryOp, left: Value, right: Value) -> str:
    if op in (BinaryOp.MAXIMUM, BinaryOp.MINIMUM):
        largest = op is BinaryOp.MAXIMUM
        return integer_extreme(lanes, largest, left.dtype, left.text, right.text)
    element = register_type(left.dtype)
    return lanes.op(_INTEGER_BINARY[op], element, left.text, right.text)


def _sign(dtype: DType) -> str:
    return "u" if dtype is DType.UINT8 else "s"
