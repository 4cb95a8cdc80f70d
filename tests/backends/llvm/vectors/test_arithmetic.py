"""Operations that round once: the same bits as numpy, at the numbers where they go wrong."""

import numpy as np
import pytest

from tests.backends.llvm.elementwise import Array, both, load, special_values, tile
from tests.backends.llvm.running import assert_same
from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.ir import index as ix
from tilelang.ir.expression import (
    FLOAT_ONLY,
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    IndexValue,
    Literal,
    Logic,
    LogicNot,
    LogicOp,
    Position,
    Rounding,
    Unary,
    UnaryOp,
    Where,
)

BINARY = [
    (op, dtype)
    for op in BinaryOp
    for dtype in ELEMENT_TYPES
    if dtype.is_float or op is not BinaryOp.DIVIDE
]
UNARY = [
    (op, dtype)
    for op in UnaryOp
    for dtype in ELEMENT_TYPES
    if op not in FLOAT_ONLY or (op is UnaryOp.SQRT and dtype.is_float)
]
CASTS = [
    (source, target, rounding)
    for source in ELEMENT_TYPES
    for target in ELEMENT_TYPES
    for rounding in Rounding
    if rounding is Rounding.NEAREST or (source.is_float and target.is_integer)
]


def pairs(dtype: DType) -> list[Array]:
    """Return every pair of special numbers, and random ones, as two arrays."""
    rng = np.random.default_rng(0)
    values = special_values(dtype)
    left, right = (grid.ravel() for grid in np.meshgrid(values, values))
    drawn = rng.standard_normal((2, 300)) * 10
    with np.errstate(invalid="ignore"):
        more = drawn.astype(np.int8 if dtype.is_integer else dtype.numpy).astype(dtype.numpy)
    return [np.concatenate([left, more[0]])[None], np.concatenate([right, more[1]])[None]]


@pytest.mark.parametrize(("op", "dtype"), BINARY, ids=str)
def test_binary_operations(op: BinaryOp, dtype: DType):
    arrays = pairs(dtype)
    x, z = (tile(name, dtype, arrays[0].shape) for name in "xz")
    found, wanted = both(Binary(op, load(x), load(z)), [x, z], arrays)
    assert_same(found, wanted)


@pytest.mark.parametrize(("op", "dtype"), UNARY, ids=str)
def test_unary_operations(op: UnaryOp, dtype: DType):
    values = pairs(dtype)[0]
    x = tile("x", dtype, values.shape)
    found, wanted = both(Unary(op, load(x)), [x], [values])
    assert_same(found, wanted)


@pytest.mark.parametrize(("source", "target", "rounding"), CASTS, ids=str)
def test_casts(source: DType, target: DType, rounding: Rounding):
    values = pairs(source)[0]
    x = tile("x", source, values.shape)
    found, wanted = both(Cast(load(x), target, rounding), [x], [values])
    assert_same(found, wanted)


def test_every_float16_is_widened_and_every_float32_pattern_narrowed_right():
    bits = np.arange(1 << 16, dtype=np.uint16)
    for dtype in (DType.FLOAT16, DType.BFLOAT16):
        values = bits.view(dtype.numpy).reshape(64, 1024)
        x = tile("x", dtype, values.shape)
        found, wanted = both(Cast(load(x), DType.FLOAT32), [x], [values])
        assert_same(found, wanted)
        patterns: Array = np.asarray(np.linspace(0, 2**32 - 1, 1 << 17), np.uint32)
        dense: Array = patterns.view(np.float32)
        x = tile("x", DType.FLOAT32, (128, 1024))
        found, wanted = both(Cast(load(x), dtype), [x], [dense.reshape(128, 1024)])
        assert_same(found, wanted)


def test_large_integers_become_bfloat16_in_one_rounding():
    rng = np.random.default_rng(1)
    values = rng.integers(-(2**31), 2**31, (16, 1024)).astype(np.int32)
    x = tile("x", DType.INT32, values.shape)
    found, wanted = both(Cast(load(x), DType.BFLOAT16), [x], [values])
    assert_same(found, wanted)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_comparisons_and_choices(dtype: DType):
    arrays = pairs(dtype)
    x, z = (tile(name, dtype, arrays[0].shape) for name in "xz")
    for op in ComparisonOp:
        mask = Comparison(op, load(x), load(z))
        other = Logic(LogicOp.OR, LogicNot(mask), Comparison(ComparisonOp.EQUAL, load(x), load(z)))
        for condition in (mask, other, Logic(LogicOp.AND, mask, other)):
            expr = Where(condition, load(x), Literal(3, dtype))
            found, wanted = both(expr, [x, z], arrays)
            assert_same(found, wanted)


def test_broadcasting_and_positions():
    values = [np.arange(n).reshape(s).astype(np.int32) for n, s in ((85, (5, 17)), (17, (17,)))]
    values.append(np.arange(5, dtype=np.int32)[:, None])
    x, row, column = (tile(f"x{n}", DType.INT32, v.shape) for n, v in enumerate(values))
    expr = Binary(BinaryOp.ADD, Binary(BinaryOp.MULTIPLY, load(x), load(row)), load(column))
    for extra in (Position(0), Position(1), IndexValue(ix.constant(-3))):
        expr = Binary(BinaryOp.SUBTRACT, expr, extra)
    found, wanted = both(expr, [x, row, column], values)
    assert_same(found, wanted)
