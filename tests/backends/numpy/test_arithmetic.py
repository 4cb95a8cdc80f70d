"""What operations compute, against exact fractions rounded by hand."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tilelang.backends.numpy.arithmetic import ROUNDED, neutral_values
from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.ir.expression import BinaryOp, Rounding, UnaryOp
from tilelang.ir.nodes import ReduceOp

Array = NDArray[Any]

FLOATS = (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32)
INTEGERS = (DType.INT8, DType.UINT8, DType.INT32)
FORMATS = {
    DType.FLOAT16: (11, -14, 15),
    DType.BFLOAT16: (8, -126, 127),
    DType.FLOAT32: (24, -126, 127),
}
"""Bits of the significand, and the least and the greatest exponent."""

RANGES = {DType.INT8: (-128, 127), DType.UINT8: (0, 255), DType.INT32: (-(2**31), 2**31 - 1)}

TO_WHOLE: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.NEAREST: round,
    Rounding.FLOOR: math.floor,
    Rounding.CEIL: math.ceil,
    Rounding.TRUNCATE: math.trunc,
    Rounding.AWAY: lambda x: (1 if x > 0 else -1) * math.floor(abs(x) + Fraction(1, 2)),
}


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Keep numpy silent, as the executor does around every run."""
    with np.errstate(all="ignore"):
        yield


def nearest(exact: Fraction, dtype: DType) -> float:
    """Round to the nearest number of a float type, ties to even."""
    if exact == 0:
        return 0.0
    bits, lowest, highest = FORMATS[dtype]
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent
    ulp = Fraction(2) ** (max(exponent, lowest) - bits + 1)
    rounded = round(exact / ulp) * ulp
    if abs(rounded) >= Fraction(2) ** (highest + 1):
        return math.inf if exact > 0 else -math.inf
    return float(rounded)


def converted(value: float, target: DType, rounding: Rounding) -> float:
    """Convert a number as the language says."""
    if target.is_float:
        return nearest(Fraction(value), target) if math.isfinite(value) else value
    low, high = RANGES[target]
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return low if value < 0 else high
    return min(max(TO_WHOLE[rounding](Fraction(value)), low), high)


def samples(dtype: DType) -> Array:
    """Return numbers of a type: special ones, ties, and random ones of all sizes."""
    random = np.random.default_rng(7)
    if dtype.is_integer:
        low, high = RANGES[dtype]
        edges = [
            low,
            low + 1,
            high - 1,
            high,
            0,
            1,
            127,
            16777217 % (high + 1),
            33685505 % (high + 1),
        ]
        return np.concatenate([edges, random.integers(low, high, 50)]).astype(dtype.numpy)
    ties = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 254.5, 255.5, -128.5, 0.49999997, -0.0]
    special = [math.inf, -math.inf, math.nan, 65504, 65519, 65520, 1e-8, 6e-8, 3e38, 2.0**31, 1e-40]
    spread = random.standard_normal(80) * 2.0 ** random.integers(-30, 40, 80)
    return np.concatenate([ties, special, spread]).astype(np.float32).astype(dtype.numpy)


def same(found: Array, wanted: list[float], dtype: DType) -> None:
    """Assert that two lists of numbers are equal, NaN being equal to NaN."""
    assert found.dtype == dtype.numpy
    np.testing.assert_array_equal(found.astype(np.float64), np.array(wanted, np.float64))


@pytest.mark.parametrize("source", ELEMENT_TYPES, ids=str)
@pytest.mark.parametrize("target", ELEMENT_TYPES, ids=str)
def test_casts_round_once_and_saturate(source: DType, target: DType):
    values = samples(source)
    for rounding in Rounding:
        found = ROUNDED.cast(source, target, rounding)(values)
        same(found, [converted(float(value), target, rounding) for value in values], target)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_casts_from_and_to_bool(dtype: DType):
    bools = np.array([True, False])
    same(ROUNDED.cast(DType.BOOL, dtype, Rounding.NEAREST)(bools), [1, 0], dtype)
    numbers = np.array([0, 2, 1]).astype(dtype.numpy)
    assert ROUNDED.cast(dtype, DType.BOOL, Rounding.NEAREST)(numbers).tolist() == [
        False,
        True,
        True,
    ]


@settings(deadline=None)
@given(st.floats(width=64), st.sampled_from(FLOATS))
def test_a_literal_is_rounded_once(value: float, dtype: DType):
    found = ROUNDED.literal(value, dtype)
    wanted = nearest(Fraction(value), dtype) if math.isfinite(value) else value
    same(found.reshape(1), [wanted], dtype)
    assert bool(np.signbit(found)) == (math.copysign(1, value) < 0) or math.isnan(value)


def test_a_literal_near_a_tie_of_bfloat16_is_not_rounded_twice():
    assert float(ROUNDED.literal(1 + 2**-8 + 2**-30, DType.BFLOAT16)) == 1 + 2**-7
    assert float(ROUNDED.literal(1 + 2**-8, DType.BFLOAT16)) == 1.0


EXACT: dict[BinaryOp, Callable[[Fraction, Fraction], Fraction]] = {
    BinaryOp.ADD: lambda x, y: x + y,
    BinaryOp.SUBTRACT: lambda x, y: x - y,
    BinaryOp.MULTIPLY: lambda x, y: x * y,
    BinaryOp.DIVIDE: lambda x, y: x / y,
    BinaryOp.MAXIMUM: max,
    BinaryOp.MINIMUM: min,
}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", BinaryOp, ids=str)
def test_operations_on_floats_round_once(op: BinaryOp, dtype: DType):
    values = samples(dtype)
    values = values[np.isfinite(values.astype(np.float32)) & (values != 0)]
    left, right = values[:, None], values[None, :]
    found = ROUNDED.binary(op, dtype)(left, right)
    fractions = [Fraction(float(value)) for value in values]
    wanted = [nearest(EXACT[op](x, y), dtype) for x in fractions for y in fractions]
    same(found.reshape(-1), wanted, dtype)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("op", [op for op in BinaryOp if op is not BinaryOp.DIVIDE], ids=str)
def test_operations_on_integers_wrap(op: BinaryOp, dtype: DType):
    values = samples(dtype)
    found = ROUNDED.binary(op, dtype)(values[:, None], values[None, :])
    low, high = RANGES[dtype]
    exact = [int(EXACT[op](Fraction(int(x)), Fraction(int(y)))) for x in values for y in values]
    same(found.reshape(-1), [(x - low) % (high - low + 1) + low for x in exact], dtype)


def test_the_lowest_integer_is_its_own_opposite_and_size():
    lowest = np.array([-128, -127], np.int8)
    assert ROUNDED.unary(UnaryOp.NEGATE, DType.INT8)(lowest).tolist() == [-128, 127]
    assert ROUNDED.unary(UnaryOp.ABS, DType.INT8)(lowest).tolist() == [-128, 127]


MATHS: dict[UnaryOp, Callable[[float], float]] = {
    UnaryOp.NEGATE: lambda x: -x,
    UnaryOp.EXP: lambda x: math.exp(x) if x < 700 else math.inf,
    UnaryOp.LN: lambda x: math.log(x) if x > 0 else -math.inf if x == 0 else math.nan,
    UnaryOp.SQRT: lambda x: math.sqrt(x) if x >= 0 else math.nan,
    UnaryOp.RSQRT: lambda x: (
        1 / math.sqrt(x) if x > 0 else math.nan if x else math.copysign(math.inf, x)
    ),
    UnaryOp.TANH: math.tanh,
    UnaryOp.SIGMOID: lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0,
    UnaryOp.RELU: lambda x: max(x, 0.0),
    UnaryOp.ABS: abs,
}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", UnaryOp, ids=str)
def test_functions_are_at_most_one_unit_in_the_last_place_off(op: UnaryOp, dtype: DType):
    values = np.concatenate([samples(dtype), np.linspace(-9, 9, 200).astype(dtype.numpy)])
    values = values[np.isfinite(values.astype(np.float32))]
    found = ROUNDED.unary(op, dtype)(values)
    assert found.dtype == dtype.numpy
    for x, y in zip(values.tolist(), found.tolist(), strict=True):
        exact = MATHS[op](float(x))
        wanted = nearest(Fraction(exact), dtype) if math.isfinite(exact) else exact
        if y == wanted or (math.isnan(wanted) and math.isnan(y)):
            continue
        around = np.array(wanted, np.float64).astype(dtype.numpy)
        up = np.nextafter(around, np.array(math.inf, dtype.numpy))
        down = np.nextafter(around, np.array(-math.inf, dtype.numpy))
        assert y in (float(up), float(down)), (op, x, y, wanted)


def test_the_table_of_oracles_is_complete():
    assert set(MATHS) == set(UnaryOp)
    assert set(EXACT) == set(BinaryOp)
    assert set(TO_WHOLE) == set(Rounding)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_relu_keeps_nan_and_has_no_negative_zero(dtype: DType):
    found = ROUNDED.unary(UnaryOp.RELU, dtype)(np.array([math.nan, -0.0, -1]).astype(dtype.numpy))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0, 0]
    assert not np.signbit(found[1:]).any()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_sigmoid_of_large_negative_numbers_does_not_overflow(dtype: DType):
    x = np.array([-80.0, -1000.0, 1000.0, math.inf, -math.inf]).astype(dtype.numpy)
    found = ROUNDED.unary(UnaryOp.SIGMOID, dtype)(x).astype(np.float64)
    assert found.tolist()[1:] == [0, 1, 1, 0]
    assert found[0] == np.array(math.exp(-80)).astype(dtype.numpy)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", [BinaryOp.MAXIMUM, BinaryOp.MINIMUM], ids=str)
def test_nan_wins_in_maxima_and_minima(op: BinaryOp, dtype: DType):
    nan, one = (np.array([value]).astype(dtype.numpy) for value in (math.nan, 1.0))
    function = ROUNDED.binary(op, dtype)
    assert np.isnan(function(nan, one))[0]
    assert np.isnan(function(one, nan))[0]
    reduction = ROUNDED.reduction(ReduceOp.MAX if op is BinaryOp.MAXIMUM else ReduceOp.MIN, dtype)
    assert np.isnan(reduction(np.concatenate([one, nan, one]), 0))[0]


@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.BFLOAT16], ids=str)
def test_narrow_floats_are_summed_in_float32(dtype: DType):
    x = np.full((3, 4099), 1, dtype.numpy)
    x[:, 0] = 2.0**-10
    total = ROUNDED.reduction(ReduceOp.SUM, dtype)(x, 1)
    assert total.dtype == np.float32
    assert total.tolist() == [[4098 + 2.0**-10]] * 3


def test_narrow_integers_are_summed_in_int32_and_sums_wrap():
    for dtype, high in ((DType.INT8, 127), (DType.UINT8, 255)):
        total = ROUNDED.reduction(ReduceOp.SUM, dtype)(np.full((17, 2), high, dtype.numpy), 0)
        assert total.dtype == np.int32
        assert total.tolist() == [[17 * high] * 2]
    most = np.full(2, 2**31 - 1, np.int32)
    assert ROUNDED.reduction(ReduceOp.SUM, DType.INT32)(most, 0).tolist() == [-2]


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_reductions_of_nothing_are_what_changes_nothing(dtype: DType):
    nothing = np.zeros((2, 0), dtype.numpy)
    for op in ReduceOp:
        found = ROUNDED.reduction(op, dtype)(nothing, 1)
        assert found.shape == (2, 1)
        assert float(found[0, 0]) == neutral_values(op, dtype)[0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_the_lowest_finite_number_counts_as_neutral_for_a_maximum(dtype: DType):
    bits, _, highest = FORMATS[dtype]
    largest = (2 - 2.0 ** (1 - bits)) * 2.0**highest
    assert neutral_values(ReduceOp.MAX, dtype) == (-math.inf, -largest)
    assert neutral_values(ReduceOp.MIN, dtype) == (math.inf, largest)


@pytest.mark.parametrize("types", [(DType.INT8, DType.INT8), (DType.UINT8, DType.INT8)], ids=str)
@pytest.mark.parametrize("k", [0, 1, 511, 512, 513, 2600])
def test_integer_products_are_exact(types: tuple[DType, DType], k: int):
    a, b = (
        np.full(shape, RANGES[one][1], one.numpy)
        for one, shape in zip(types, [(3, k), (k, 2)], strict=True)
    )
    b[:] = -128
    if k:
        a[0, 0] = b[0, 0] = 1  # makes the sum odd, which float32 could not hold
    found = ROUNDED.product(*types)(a, b)
    assert found.dtype == np.int32
    assert (
        found.tolist() == (a.astype(object) @ b.astype(object)).tolist() if k else not found.any()
    )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_products_of_narrow_floats_are_exact(dtype: DType):
    a = np.array([[1 + 2.0**-7, 65504 if dtype is DType.FLOAT16 else 65280]]).astype(dtype.numpy)
    found = ROUNDED.product(dtype, dtype)(a, a.T)
    assert found.dtype == np.float32
    exact = sum((Fraction(float(x)) ** 2 for x in a[0]), Fraction(0))
    assert float(found[0, 0]) == nearest(exact, DType.FLOAT32)
