"""How messages name things."""

import pytest

from tests.verify.writing import F32, I8, part, tensor, tile, transposed
from tilelang.dtypes import DType
from tilelang.ir import index as ix
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    Expr,
    IndexValue,
    Literal,
    Load,
    LogicNot,
    Position,
    Unary,
    UnaryOp,
    Where,
)
from tilelang.ir.index import Index
from tilelang.ir.region import AsMatrix, Memory, Permute, Region, whole
from tilelang.layouts import LayoutKind, layout_for
from tilelang.verify.numbers import number_fault
from tilelang.verify.wording import either, expr_text, index_text, region_text, values_text

i, k = ix.variable("i"), ix.variable("k")
x, t = tensor("x", (64, 64)), tile("t", Memory.UB, (4, 64))
w = tensor("w", (16, 16, 3, 3), layout=layout_for(LayoutKind.FRACTAL_Z, DType.FLOAT16))


def plus(*indices: Index | int) -> Index:
    return ix.add(*(ix.constant(one) if isinstance(one, int) else one for one in indices))


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (ix.ZERO, "0"),
        (ix.constant(-3), "-3"),
        (plus(ix.scale(i, 16), k, -1), "16*i + k - 1"),
        (plus(ix.scale(i, -1), 8), "-i + 8"),
        (ix.floor_div(k, 4), "k // 4"),
        (ix.scale(ix.modulo(plus(k, 1), 2), 3), "3*((k + 1) % 2)"),
        (ix.minimum(ix.scale(i, 16), ix.constant(100)), "min(16*i, 100)"),
        (ix.scale(ix.maximum(i, k), -2), "-2*max(i, k)"),
        (ix.scale(ix.floor_div(k, 4), -1), "-(k // 4)"),
    ],
)
def test_an_index_is_written_as_python(index: Index, text: str):
    scope = {"i": 7, "k": 13, "min": min, "max": max}
    assert index_text(index) == text
    assert eval(text, {}, scope) == ix.evaluate(index, {"i": 7, "k": 13})


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (whole(x), "x"),
        (part(x, 0, 0, extent=(16, 16)), "x"),
        (part(x, ix.scale(i, 16), 0, extent=(16, 16)), "x[16*i, 0]"),
        (part(x, i, ix.ZERO, extent=(None, 64)), "x[i, :]"),
        (part(x, i, 8, extent=(None, 4), step=(1, 2)), "x[i, 8::2]"),
        (part(t, 0, 0, extent=(1, 64)), "t[0, 0]"),
        (transposed(t), "t.T"),
        (part(w, 0, 0, extent=(144, 16), view=AsMatrix()), "w as a matrix"),
        (part(x, 3, extent=(9,), view=Permute(((0, 1),))), "x.view((0, 1))[3]"),
    ],
)
def test_a_region_is_written_as_in_a_kernel(region: Region, text: str):
    assert region_text(region) == text


y = Load(whole(tile("y", Memory.UB, (16,), F32)))
one = Literal(1, F32)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Unary(UnaryOp.NEGATE, y), "-y"),
        (Unary(UnaryOp.EXP, Unary(UnaryOp.NEGATE, y)), "tl.exp(...)"),
        (Binary(BinaryOp.SUBTRACT, y, one), "y - 1.0"),
        (Binary(BinaryOp.MAXIMUM, y, one), "tl.maximum(y, 1.0)"),
        (LogicNot(Comparison(ComparisonOp.LESS, y, one)), "~..."),
        (Where(Comparison(ComparisonOp.LESS, y, one), y, one), "tl.where(..., y, 1.0)"),
        (Cast(Position(1), F32), 'tl.cast(tl.position(1), "float32")'),
        (IndexValue(ix.scale(k, 2)), "2*k"),
    ],
)
def test_an_expression_is_written_as_in_a_kernel(expr: Expr, text: str):
    assert expr_text(expr) == text


def test_alternatives_and_values_read_as_sentences():
    assert either(["a"]) == "a"
    assert either(["a", "b"]) == "a or b"
    assert either(["a", "b", "c"]) == "a, b or c"
    assert values_text({"i": 3, "k": 0}) == " where i = 3 and k = 0"
    assert values_text({}) == values_text(None) == ""


@pytest.mark.parametrize(
    ("value", "dtype", "write"),
    [
        (-300, I8, "-128"),
        (300, I8, "127"),
        (float("inf"), I8, "127"),
        (float("-inf"), I8, "-128"),
        (1.6, I8, "2"),
        (float("nan"), I8, "a whole number"),
        (-1e39, F32, "-3.40282e+38 or an infinity"),
    ],
)
def test_a_number_without_a_value_is_replaced_by_the_nearest(
    value: float, dtype: DType, write: str
):
    fault = number_fault(value, dtype)
    assert fault is not None
    assert fault[1] == write
