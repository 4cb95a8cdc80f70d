"""exp, ln, tanh, sigmoid and rsqrt of float32 vectors, without a call.

Largest error over all float32 inputs, in units of the last place: exp 1.5, ln 1.5, sigmoid 2.5,
rsqrt 1.5, tanh 4.5 (6 on hosts without fused multiply-add). Infinities and NaN are as in the
mathematics library. Coefficients: ln from Cephes (S. Moshier, logf.c); tanh is the rational
approximation of degree 13 by 6 in Eigen's MathFunctionsImpl.h; exp is fitted here.
"""

from collections.abc import Sequence

from tilelang.backends.llvm.vectors.values import Lanes, fused
from tilelang.ir.expression import UnaryOp

FUNCTION_ULPS = {
    UnaryOp.EXP: 1.5,
    UnaryOp.LN: 1.5,
    UnaryOp.SQRT: 0.0,
    UnaryOp.RSQRT: 1.5,
    UnaryOp.TANH: 6.0,
    UnaryOp.SIGMOID: 2.5,
}
"""The errors above, of the worst host: what a check allows."""

_EXP_LEAST = -104.0
"""Below it exp is 0."""
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_LOG2_E = 1.44269504088896341
_MAGIC = 1.5 * 2.0**23
"""Added to a small number it leaves the nearest integer in the last bits."""
_EXP = (1.381446717e-3, 8.368780479e-3, 4.166839421e-2, 0.1666652011, 0.4999999341)
"""`(exp(r) - 1 - r) / r**2` on +-ln(2)/2, relative error of exp below 0.06 * 2**-24 (own fit)."""
_LN = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_TANH_ABOVE = (
    -2.76076847742355e-16,
    2.00018790482477e-13,
    -8.60467152213735e-11,
    5.12229709037114e-08,
    1.48572235717979e-05,
    6.37261928875436e-04,
    4.89352455891786e-03,
)
_TANH_BELOW = (
    1.19825839466702e-06,
    1.18534705686654e-04,
    2.26843463243900e-03,
    4.89352518554385e-03,
)
_TANH_LIMIT = 7.90531110763549805
_TANH_TINY = 0.0004
_SQRT_HALF_BITS = 0x3F3504F3


def exp(lanes: Lanes, x: str) -> str:
    """Return e to the power of `x`."""
    return _exp_of_finite(lanes, _clamp(lanes, x, _EXP_LEAST, 89.0))


def _exp_of_finite(lanes: Lanes, x: str) -> str:
    """Return e to the power of `x` between the limits of `exp`; NaN stays."""
    shifted = fused(lanes, x, _f(lanes, _LOG2_E), _f(lanes, _MAGIC))
    n = lanes.op("fsub", "float", shifted, _f(lanes, _MAGIC))
    rest = fused(lanes, n, _f(lanes, -_LN2_HIGH), x)
    rest = fused(lanes, n, _f(lanes, -_LN2_LOW), rest)
    square = lanes.op("fmul", "float", rest, rest)
    tail = lanes.op("fadd", "float", rest, _f(lanes, 1.0))
    return _scale(lanes, fused(lanes, _polynomial(lanes, _EXP, rest), square, tail), shifted, n)


def ln(lanes: Lanes, x: str) -> str:
    """Return the natural logarithm of `x`: -inf of 0, NaN below."""
    zero = _f(lanes, 0.0)
    is_tiny = lanes.compare("olt", "float", x, _f(lanes, 2.0**-126))
    normal = lanes.select(is_tiny, "float", lanes.op("fmul", "float", x, _f(lanes, 2.0**23)), x)
    bits = lanes.convert("bitcast", "float", "i32", normal)
    above = lanes.op("sub", "i32", bits, lanes.constant("i32", _SQRT_HALF_BITS))
    exponent = lanes.op("ashr", "i32", above, lanes.constant("i32", 23))
    moved = lanes.op("shl", "i32", exponent, lanes.constant("i32", 23))
    mantissa = lanes.convert("bitcast", "i32", "float", lanes.op("sub", "i32", bits, moved))
    f = lanes.op("fsub", "float", mantissa, _f(lanes, 1.0))
    power = lanes.convert("sitofp", "i32", "float", exponent)
    shift = lanes.select(is_tiny, "float", _f(lanes, 23.0), zero)
    power = lanes.op("fsub", "float", power, shift)
    square = lanes.op("fmul", "float", f, f)
    cube = lanes.op("fmul", "float", f, square)
    tail = lanes.op("fmul", "float", power, _f(lanes, _LN2_LOW))
    tail = fused(lanes, cube, _polynomial(lanes, _LN, f), tail)
    tail = fused(lanes, square, _f(lanes, -0.5), tail)
    result = fused(lanes, power, _f(lanes, _LN2_HIGH), lanes.op("fadd", "float", f, tail))
    return _ln_of_special(lanes, x, result)


def tanh(lanes: Lanes, x: str) -> str:
    """Return the hyperbolic tangent of `x`."""
    clamped = _clamp(lanes, x, -_TANH_LIMIT, _TANH_LIMIT)
    square = lanes.op("fmul", "float", clamped, clamped)
    above = lanes.op("fmul", "float", clamped, _polynomial(lanes, _TANH_ABOVE, square))
    ratio = lanes.op("fdiv", "float", above, _polynomial(lanes, _TANH_BELOW, square))
    size = lanes.call("fabs", "float", x)
    is_tiny = lanes.compare("olt", "float", size, _f(lanes, _TANH_TINY))
    return lanes.select(is_tiny, "float", x, ratio)


def sigmoid(lanes: Lanes, x: str) -> str:
    """Return `1 / (1 + exp(-x))`, from `exp(-|x|)` so that nothing overflows or is lost."""
    negative = lanes.op("fneg", "float", lanes.call("fabs", "float", x))
    small = _exp_of_finite(lanes, _at_least(lanes, negative, _EXP_LEAST))
    one = _f(lanes, 1.0)
    is_negative = lanes.compare("olt", "float", x, _f(lanes, 0.0))
    above = lanes.select(is_negative, "float", small, one)
    return lanes.op("fdiv", "float", above, lanes.op("fadd", "float", small, one))


def rsqrt(lanes: Lanes, x: str) -> str:
    """Return `1 / sqrt(x)`: both operations rounded correctly."""
    return lanes.op("fdiv", "float", _f(lanes, 1.0), lanes.call("sqrt", "float", x))


def _f(lanes: Lanes, value: float) -> str:
    return lanes.constant("float", value)


def _clamp(lanes: Lanes, x: str, low: float, high: float) -> str:
    """Return `x` between the limits; NaN stays."""
    raised = _at_least(lanes, x, low)
    above = lanes.compare("ogt", "float", raised, _f(lanes, high))
    return lanes.select(above, "float", _f(lanes, high), raised)


def _at_least(lanes: Lanes, x: str, low: float) -> str:
    below = lanes.compare("olt", "float", x, _f(lanes, low))
    return lanes.select(below, "float", _f(lanes, low), x)


def _polynomial(lanes: Lanes, coefficients: Sequence[float], x: str) -> str:
    total = _f(lanes, coefficients[0])
    for coefficient in coefficients[1:]:
        total = fused(lanes, total, x, _f(lanes, coefficient))
    return total


def _scale(lanes: Lanes, y: str, shifted: str, n: str) -> str:
    """Return `y` times 2 to the power of `n`, the integer in the last bits of `shifted`."""
    if lanes.host.avx512 and lanes.n == 16:
        kind = lanes.type("float")
        name = "llvm.x86.avx512.mask.scalef.ps.512"
        lanes.code.declare(kind, name, kind, kind, kind, "i16", "i32")
        args = f"{kind} {y}, {kind} {n}, {kind} {y}, i16 -1, i32 4"
        return lanes.code.pure(f"call {kind} @{name}({args})", y, n)
    bits = lanes.convert("bitcast", "float", "i32", shifted)
    whole = lanes.op("sub", "i32", bits, lanes.constant("i32", 0x4B400000))
    first = lanes.op("ashr", "i32", whole, lanes.constant("i32", 1))
    second = lanes.op("sub", "i32", whole, first)
    for half in (first, second):  # 2**n itself may overflow or be subnormal
        biased = lanes.op("add", "i32", half, lanes.constant("i32", 127))
        power = lanes.op("shl", "i32", biased, lanes.constant("i32", 23))
        y = lanes.op("fmul", "float", y, lanes.convert("bitcast", "i32", "float", power))
    return y


def _ln_of_special(lanes: Lanes, x: str, result: str) -> str:
    """Return `result` but for 0, infinity, NaN and what is below 0."""
    zero, infinity = _f(lanes, 0.0), _f(lanes, float("inf"))
    in_range = lanes.compare("olt", "float", x, infinity)
    result = lanes.select(in_range, "float", result, x)  # infinity and NaN are their own
    is_zero = lanes.compare("oeq", "float", x, zero)
    result = lanes.select(is_zero, "float", _f(lanes, float("-inf")), result)
    is_negative = lanes.compare("olt", "float", x, zero)
    return lanes.select(is_negative, "float", _f(lanes, float("nan")), result)
