"""Conversions between dtypes, and between a dtype and how it is stored."""

from tilelang.backends.llvm.storage import Storage, plain
from tilelang.backends.llvm.vectors.narrow_floats import narrow, wide
from tilelang.backends.llvm.vectors.values import Lanes, Value, register_type
from tilelang.dtypes import DType
from tilelang.ir.expression import Rounding


def cast(lanes: Lanes, value: Value, dtype: DType, rounding: Rounding = Rounding.NEAREST) -> Value:
    """Return `value` converted to `dtype` as the language's `Cast` does."""
    if value.dtype is dtype:
        return value
    if value.dtype.is_float:
        if dtype.is_float:
            return narrow(lanes, wide(lanes, value), dtype)
        if dtype is DType.BOOL:
            zero = lanes.constant("float", 0)
            return Value(dtype, lanes.compare("une", "float", wide(lanes, value), zero))
        return Value(dtype, _to_integer(lanes, wide(lanes, value), dtype, rounding))
    if dtype.is_float:
        if (value.dtype, dtype) == (DType.INT32, DType.BFLOAT16):
            value = Value(DType.INT32, _sticky(lanes, value.text))
        return narrow(lanes, _from_integer(lanes, value), dtype)
    return Value(dtype, _between_integers(lanes, _saturated(lanes, value, dtype), dtype))


def from_storage(lanes: Lanes, raw: str, storage: Storage, dtype: DType) -> Value:
    """Return the elements of `dtype` that `raw`, as loaded, stands for."""
    if storage is plain(dtype):
        return Value(dtype, raw)
    match storage:
        case Storage.F32:
            return narrow(lanes, raw, dtype)
        case Storage.I32:
            return Value(dtype, lanes.convert("trunc", "i32", "i8", raw))
        case Storage.I8_BIASED:
            return Value(dtype, lanes.op("xor", "i8", raw, lanes.constant("i8", -128)))
        case _:
            raise AssertionError(f"{storage} never holds {dtype}")


def to_storage(lanes: Lanes, value: Value, storage: Storage) -> str:
    """Return what is stored for `value`."""
    if storage is plain(value.dtype):
        return value.text
    match storage:
        case Storage.F32:
            return wide(lanes, value)
        case Storage.I32:
            return _between_integers(lanes, value, DType.INT32)
        case Storage.I8_BIASED:
            return lanes.op("xor", "i8", value.text, lanes.constant("i8", -128))
        case _:
            raise AssertionError(f"{storage} never holds {value.dtype}")


def round_to_integral(lanes: Lanes, text: str, rounding: Rounding) -> str:
    """Return a float32 vector rounded to integral values."""
    if lanes.host.rounding:
        return lanes.call(_ROUND[rounding], "float", text)
    return _round_by_adding(lanes, text, rounding)


_ROUND = {
    Rounding.NEAREST: "roundeven",
    Rounding.FLOOR: "floor",
    Rounding.CEIL: "ceil",
    Rounding.TRUNCATE: "trunc",
    Rounding.AWAY: "round",
}


_LIMITS = {
    DType.INT8: (-128, 127),
    DType.UINT8: (0, 255),
    DType.INT32: (-(2**31), 2**31 - 1),
}


_LARGE = 2.0**23
"""From here on every float32 is integral."""


def _round_by_adding(lanes: Lanes, text: str, rounding: Rounding) -> str:
    """Round without an instruction for it: adding 2**23 leaves no room for a fraction."""
    size = lanes.call("fabs", "float", text)
    large = lanes.constant("float", _LARGE)
    near = lanes.op("fsub", "float", lanes.op("fadd", "float", size, large), large)
    fraction = lanes.op("fsub", "float", size, near)  # in -0.5 .. 0.5, exact
    half, one = lanes.constant("float", 0.5), lanes.constant("float", 1.0)
    zero = lanes.constant("float", 0.0)
    negative = lanes.compare("olt", "float", text, zero)
    match rounding:
        case Rounding.NEAREST:
            up = down = "zeroinitializer"
        case Rounding.AWAY:
            up, down = lanes.compare("oeq", "float", fraction, half), "zeroinitializer"
        case Rounding.TRUNCATE:
            up, down = "zeroinitializer", lanes.compare("olt", "float", fraction, zero)
        case Rounding.FLOOR | Rounding.CEIL:
            above = lanes.compare("ogt", "float", fraction, zero)
            below = lanes.compare("olt", "float", fraction, zero)
            away = negative if rounding is Rounding.FLOOR else _not(lanes, negative)
            up = lanes.op("and", "i1", above, away)
            down = lanes.op("and", "i1", below, _not(lanes, away))
    near = lanes.op("fadd", "float", near, lanes.select(up, "float", one, zero))
    near = lanes.op("fsub", "float", near, lanes.select(down, "float", one, zero))
    small = lanes.compare("olt", "float", size, large)
    signed = lanes.call("copysign", "float", near, text)
    return lanes.select(small, "float", signed, text)


def _not(lanes: Lanes, mask: str) -> str:
    return lanes.op("xor", "i1", mask, lanes.constant("i1", 1))


def _to_integer(lanes: Lanes, text: str, dtype: DType, rounding: Rounding) -> str:
    """Return a float32 vector rounded and saturated; NaN becomes 0."""
    rounded = round_to_integral(lanes, text, rounding)
    kind, source = lanes.type("i32"), lanes.type("float")
    name = f"llvm.fptosi.sat.{lanes.suffix('i32')}.{lanes.suffix('float')}"
    lanes.code.declare(kind, name, source)
    whole = lanes.code.pure(f"call {kind} @{name}({source} {rounded})", rounded)
    if dtype is DType.INT32:
        return whole
    low, high = _LIMITS[dtype]
    clipped = lanes.call("smax", "i32", whole, lanes.constant("i32", low))
    clipped = lanes.call("smin", "i32", clipped, lanes.constant("i32", high))
    return lanes.convert("trunc", "i32", "i8", clipped)


def _sticky(lanes: Lanes, text: str) -> str:
    """Return int32 numbers with the bits that float32 has no room for rounded to odd.

    Rounding to bfloat16 afterwards is then as good as rounding once.
    """
    low = lanes.op("and", "i32", text, lanes.constant("i32", 0xFF))
    inexact = lanes.compare("ne", "i32", low, lanes.constant("i32", 0))
    odd = lanes.op("or", "i32", text, lanes.constant("i32", 0x100))
    rounded = lanes.select(inexact, "i32", odd, text)
    rounded = lanes.op("and", "i32", rounded, lanes.constant("i32", ~0xFF))
    raised = lanes.op("add", "i32", text, lanes.constant("i32", 2**24))
    fits = lanes.compare("ult", "i32", raised, lanes.constant("i32", 2**25))
    return lanes.select(fits, "i32", text, rounded)


def _saturated(lanes: Lanes, value: Value, dtype: DType) -> Value:
    """Return integers clipped to what `dtype` holds; bools as they are."""
    if not (value.dtype.is_integer and dtype.is_integer):
        return value
    own, limits = _LIMITS[value.dtype], _LIMITS[dtype]
    element, text = register_type(value.dtype), value.text
    sign = "u" if value.dtype is DType.UINT8 else "s"
    if limits[0] > own[0]:
        text = lanes.call(f"{sign}max", element, text, lanes.constant(element, limits[0]))
    if limits[1] < own[1]:
        text = lanes.call(f"{sign}min", element, text, lanes.constant(element, limits[1]))
    return Value(value.dtype, text)


def _from_integer(lanes: Lanes, value: Value) -> str:
    element = register_type(value.dtype)
    signed = value.dtype in (DType.INT8, DType.INT32)
    return lanes.convert("sitofp" if signed else "uitofp", element, "float", value.text)


def _between_integers(lanes: Lanes, value: Value, dtype: DType) -> str:
    """Return integers or bools as another kind of integer; what does not fit wraps."""
    source, target = register_type(value.dtype), register_type(dtype)
    if dtype is DType.BOOL:
        return lanes.compare("ne", source, value.text, lanes.constant(source, 0))
    if source == target:
        return value.text
    if int(source[1:]) > int(target[1:]):
        return lanes.convert("trunc", source, target, value.text)
    signed = value.dtype is DType.INT8
    return lanes.convert("sext" if signed else "zext", source, target, value.text)
