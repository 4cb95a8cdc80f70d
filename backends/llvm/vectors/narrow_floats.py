"""float16 and bfloat16 as float32 and back.

Widening is exact, narrowing rounds to nearest even. Hosts without conversion instructions do both
with integer operations, never with a call.
"""

from tilelang.backends.llvm.vectors.values import Lanes, Value
from tilelang.dtypes import DType


def wide(lanes: Lanes, value: Value) -> str:
    """Return the float32 vector of a floating point value; exact."""
    if value.dtype is DType.FLOAT16:
        return _widen_half(lanes, value.text)
    if value.dtype is DType.BFLOAT16:
        bits = lanes.convert("zext", "i16", "i32", value.text)
        shifted = lanes.op("shl", "i32", bits, lanes.constant("i32", 16))
        return lanes.convert("bitcast", "i32", "float", shifted)
    return value.text


def narrow(lanes: Lanes, text: str, dtype: DType) -> Value:
    """Return a float32 vector rounded to the floating point `dtype`."""
    if dtype is DType.FLOAT16:
        return Value(dtype, _narrow_to_half(lanes, text))
    if dtype is DType.BFLOAT16:
        return Value(dtype, _narrow_to_bfloat(lanes, text))
    return Value(dtype, text)


def _widen_half(lanes: Lanes, bits: str) -> str:
    if lanes.host.half:
        return lanes.convert(
            "fpext", "half", "float", lanes.convert("bitcast", "i16", "half", bits)
        )
    value = lanes.convert("zext", "i16", "i32", bits)
    size = lanes.op("and", "i32", value, lanes.constant("i32", 0x7FFF))
    sign = lanes.op("shl", "i32", lanes.op("xor", "i32", value, size), lanes.constant("i32", 16))
    moved = lanes.op("shl", "i32", size, lanes.constant("i32", 13))
    finite = lanes.op(  # the exponent's bias goes from 15 to 127; subnormal numbers come out right
        "fmul",
        "float",
        lanes.convert("bitcast", "i32", "float", moved),
        lanes.constant("float", 2.0**112),
    )
    special = lanes.op("or", "i32", moved, lanes.constant("i32", 0x7F800000))
    is_special = lanes.compare("uge", "i32", size, lanes.constant("i32", 0x7C00))
    finite_bits = lanes.convert("bitcast", "float", "i32", finite)
    chosen = lanes.select(is_special, "i32", special, finite_bits)
    return lanes.convert("bitcast", "i32", "float", lanes.op("or", "i32", chosen, sign))


def _narrow_to_half(lanes: Lanes, text: str) -> str:
    if lanes.host.half:
        return lanes.convert(
            "bitcast", "half", "i16", lanes.convert("fptrunc", "float", "half", text)
        )
    bits = lanes.convert("bitcast", "float", "i32", text)
    size = lanes.op("and", "i32", bits, lanes.constant("i32", 0x7FFFFFFF))
    sign = lanes.op("lshr", "i32", lanes.op("xor", "i32", bits, size), lanes.constant("i32", 16))
    odd = lanes.op("and", "i32", _shifted(lanes, size, 13), lanes.constant("i32", 1))
    rebased = lanes.op("add", "i32", size, lanes.constant("i32", 0xFFF - (112 << 23)))
    normal = _shifted(lanes, lanes.op("add", "i32", rebased, odd), 13)
    magic = lanes.constant("float", 0.5)  # its last bit is the smallest subnormal float16
    raised = lanes.op("fadd", "float", lanes.convert("bitcast", "i32", "float", size), magic)
    small = lanes.op(
        "sub",
        "i32",
        lanes.convert("bitcast", "float", "i32", raised),
        lanes.constant("i32", 0x3F000000),
    )
    is_small = lanes.compare("ult", "i32", size, lanes.constant("i32", 113 << 23))
    is_large = lanes.compare("uge", "i32", size, lanes.constant("i32", 143 << 23))
    is_nan = lanes.compare("ugt", "i32", size, lanes.constant("i32", 0x7F800000))
    limit = lanes.select(
        is_nan, "i32", lanes.constant("i32", 0x7E00), lanes.constant("i32", 0x7C00)
    )
    finite = lanes.select(is_small, "i32", small, normal)
    chosen = lanes.select(is_large, "i32", limit, finite)
    return lanes.convert("trunc", "i32", "i16", lanes.op("or", "i32", chosen, sign))


def _narrow_to_bfloat(lanes: Lanes, text: str) -> str:
    bits = lanes.convert("bitcast", "float", "i32", text)
    high = _shifted(lanes, bits, 16)
    odd = lanes.op("and", "i32", high, lanes.constant("i32", 1))
    half = lanes.op("add", "i32", odd, lanes.constant("i32", 0x7FFF))
    rounded = _shifted(lanes, lanes.op("add", "i32", bits, half), 16)
    quiet = lanes.op("or", "i32", high, lanes.constant("i32", 0x40))
    is_nan = lanes.compare("uno", "float", text, text)
    return lanes.convert("trunc", "i32", "i16", lanes.select(is_nan, "i32", quiet, rounded))


def _shifted(lanes: Lanes, text: str, n_bits: int) -> str:
    return lanes.op("lshr", "i32", text, lanes.constant("i32", n_bits))
