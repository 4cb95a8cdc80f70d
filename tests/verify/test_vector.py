"""Vector work: Map and Reduce."""

import math

import pytest

from tests.golden import Golden
from tests.verify.writing import (
    F16,
    F32,
    I8,
    I32,
    NZ16,
    Source,
    alloc,
    check_message,
    codes,
    message,
    part,
    program,
    serial,
    spot,
    tensor,
    tile,
    transposed,
)
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
    Logic,
    LogicNot,
    LogicOp,
    Position,
    Rounding,
    Unary,
    UnaryOp,
    Where,
)
from tilelang.ir.nodes import Map, Move, Program, Reduce, ReduceOp
from tilelang.ir.region import Buffer, Memory, Region, whole
from tilelang.layouts import Layout

U8 = DType.UINT8


class Sheet:
    """Tiles of UB, filled from GM, and one statement about them."""

    def __init__(self) -> None:
        self.source = Source()
        self.inputs: list[Buffer] = []
        self.tiles: list[Buffer] = []

    def tile(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DType = F16,
        *,
        memory: Memory = Memory.UB,
        layout: Layout | None = None,
    ) -> Buffer:
        loc = self.source.line(f"{name} = tl.alloc_{memory.value}({shape}, tl.{dtype})")
        self.tiles.append(tile(name, memory, shape, dtype, layout=layout, loc=loc))
        self.inputs.append(tensor(f"gm_{name}", shape, dtype))
        return self.tiles[-1]

    def done(self, stmt: Map | Reduce) -> Program:
        pairs = zip(self.tiles, self.inputs, strict=True)
        fills = (Move(whole(buffer), whole(gm)) for buffer, gm in pairs)
        return program(*alloc(*self.tiles), *fills, stmt, inputs=self.inputs)

    def map(self, text: str, dst: Buffer | Region, expr: Expr) -> Program:
        """Return the program that ends in the line `text`, which is `dst[:] = expr`."""
        loc = self.source.line(text)
        region = whole(dst, spot(loc, dst.name)) if isinstance(dst, Buffer) else dst
        return self.done(Map(region, expr, loc))

    def reduce(self, text: str, dst: Buffer, op: ReduceOp, src: Buffer, axis: int) -> Program:
        """Return the program that ends in the line `text`, a reduction."""
        loc = self.source.line(text)
        return self.done(Reduce(whole(dst), op, whole(src), axis, loc))


def load(buffer: Buffer) -> Expr:
    return Load(whole(buffer))


def add(left: Expr, right: Expr) -> Expr:
    return Binary(BinaryOp.ADD, left, right)


def test_vector_work_reads_ub(golden: Golden):
    sheet = Sheet()
    y, a1 = sheet.tile("y", (16, 16)), sheet.tile("a1", (16, 16), memory=Memory.L1)
    check_message(
        golden, "E0340-reads-l1", sheet.map("y[:] = -a1", y, Unary(UnaryOp.NEGATE, load(a1)))
    )


def test_vector_work_writes_ub(golden: Golden):
    sheet = Sheet()
    a1, y = sheet.tile("a1", (16, 16), memory=Memory.L1), sheet.tile("y", (16, 16))
    check_message(golden, "E0340-writes-l1", sheet.map("a1[:] = tl.exp(y)", a1, load(y)))


def test_dtypes_do_not_mix(golden: Golden):
    sheet = Sheet()
    y, o, c = sheet.tile("y", (16,), F32), sheet.tile("o", (16,)), sheet.tile("c", (16,), F32)
    wrong = sheet.map("y[:] = o + c", y, add(load(o), load(c)))
    assert set(codes(wrong)) == {"E0341", "E0343"}
    fine = sheet.map("y[:] = tl.cast(o) + c", y, add(Cast(load(o), F32), load(c)))
    assert not codes(fine)
    swapped = sheet.map("y[:] = c + o", y, add(load(c), load(o)))
    check_message(golden, "E0341-mixed", swapped)


def test_deep_operands_are_shortened():
    sheet = Sheet()
    y, c = sheet.tile("y", (16,)), sheet.tile("c", (16,), F32)
    deep = Unary(UnaryOp.EXP, Unary(UnaryOp.NEGATE, load(c)))
    said = message(sheet.map("y[:] = y * tl.exp(-c)", y, add(load(y), deep)))
    assert "float16 `y` meets float32 `tl.exp(...)` in `+`" in said


@pytest.mark.parametrize("other", [I32, F16])
def test_branches_of_a_choice_have_one_dtype(other: DType):
    sheet = Sheet()
    y, z = sheet.tile("y", (16,), F32), sheet.tile("z", (16,), other)
    positive = Comparison(ComparisonOp.LESS, Literal(0, F32), load(y))
    assert codes(sheet.map("y[:] = ...", y, Where(positive, load(y), load(z)))) == ["E0341"]
    assert not codes(sheet.map("y[:] = ...", y, Where(positive, load(y), Cast(load(z), F32))))


def test_functions_are_for_floats(golden: Golden):
    sheet = Sheet()
    n = sheet.tile("n", (16,), I32)
    check_message(
        golden, "E0342-exp", sheet.map("n[:] = tl.exp(n)", n, Unary(UnaryOp.EXP, load(n)))
    )


def test_division_is_for_floats(golden: Golden):
    sheet = Sheet()
    n = sheet.tile("n", (16,), I32)
    wrong = sheet.map("n[:] = n / 2", n, Binary(BinaryOp.DIVIDE, load(n), Literal(2, I32)))
    check_message(golden, "E0342-division", wrong)


def test_conditions_are_no_numbers(golden: Golden):
    sheet = Sheet()
    y = sheet.tile("y", (16,))
    less = Comparison(ComparisonOp.LESS, load(y), Literal(1, F16))
    wrong = sheet.map("y[:] = (y < 1) + (y < 1)", y, Cast(add(less, less), F16))
    assert set(codes(wrong)) == {"E0342"}
    check_message(
        golden, "E0342-cast-of-a-condition", sheet.map("y[:] = y < 1", y, Cast(less, F16))
    )


def test_numbers_are_no_conditions(golden: Golden):
    sheet = Sheet()
    y = sheet.tile("y", (16,))
    wrong = sheet.map(
        "y[:] = tl.where(y, 1, 0)", y, Where(load(y), Literal(1, F16), Literal(0, F16))
    )
    check_message(golden, "E0342-where", wrong)


def number(dtype: DType) -> Expr:
    return Literal(1, dtype)


TRUE = Literal(True, DType.BOOL)
ONE = Literal(1, F16)


@pytest.mark.parametrize(
    "expr",
    [
        Logic(LogicOp.AND, TRUE, ONE),
        LogicNot(ONE),
        Comparison(ComparisonOp.EQUAL, TRUE, TRUE),
        Unary(UnaryOp.NEGATE, TRUE),
        Unary(UnaryOp.RELU, TRUE),
        Unary(UnaryOp.TANH, Literal(1, I8)),
        Binary(BinaryOp.MAXIMUM, TRUE, TRUE),
        Cast(ONE, DType.BOOL),
    ],
)
def test_operations_know_what_they_are_for(expr: Expr):
    sheet = Sheet()
    y = sheet.tile("y", (16,))
    chosen = Where(TRUE, ONE, ONE)
    hidden = Where(Comparison(ComparisonOp.EQUAL, chosen, ONE), chosen, chosen)
    assert not codes(sheet.map("y[:] = ...", y, hidden))
    assert "E0342" in codes(sheet.map("y[:] = ...", y, expr))


@pytest.mark.parametrize("dtype", [F16, F32, I8, U8, I32])
def test_arithmetic_is_for_every_number(dtype: DType):
    sheet = Sheet()
    y = sheet.tile("y", (64,), dtype)
    positive = Unary(UnaryOp.RELU, Unary(UnaryOp.ABS, Unary(UnaryOp.NEGATE, load(y))))
    expr: Expr = Binary(BinaryOp.MINIMUM, positive, Literal(1, dtype))
    for op in (BinaryOp.ADD, BinaryOp.SUBTRACT, BinaryOp.MULTIPLY):
        expr = Binary(op, expr, load(y))
    assert not codes(sheet.map("y[:] = ...", y, expr))


def test_the_result_has_the_dtype_of_its_tile(golden: Golden):
    sheet = Sheet()
    y, c = sheet.tile("y", (16,)), sheet.tile("c", (16,), F32)
    wrong = sheet.map("y[:] = tl.tanh(c)", y, Unary(UnaryOp.TANH, load(c)))
    check_message(golden, "E0343-float16-from-float32", wrong)


def test_a_comparison_is_no_result():
    sheet = Sheet()
    y = sheet.tile("y", (16,))
    assert codes(sheet.map("y[:] = y < y", y, Comparison(ComparisonOp.LESS, load(y), load(y)))) == [
        "E0343"
    ]


def test_shapes_broadcast_or_are_equal(golden: Golden):
    sheet = Sheet()
    y, bias = sheet.tile("y", (16, 64)), sheet.tile("bias", (48,))
    loc = sheet.source.line("y[:] = y + bias")
    expr = add(load(y), Load(whole(bias, spot(loc, "bias"))))
    check_message(golden, "E0344-bias", sheet.done(Map(whole(y), expr, loc)))


@pytest.mark.parametrize(
    ("shape", "fine"),
    [
        ((16, 64), True),
        ((64,), True),
        ((1, 64), True),
        ((16, 1), True),
        ((1,), True),
        ((16,), False),
        ((2, 64), False),
        ((1, 16, 64), False),
    ],
)
def test_broadcasting_is_that_of_numpy(shape: tuple[int, ...], fine: bool):
    sheet = Sheet()
    y, z = sheet.tile("y", (16, 64)), sheet.tile("z", shape)
    found = codes(sheet.map("y[:] = y + z", y, add(load(y), load(z))))
    assert found == ([] if fine else ["E0344"])


def test_the_result_is_never_broadcast():
    sheet = Sheet()
    y, z = sheet.tile("y", (1, 64)), sheet.tile("z", (16, 64))
    assert codes(sheet.map("y[:] = z", y, load(z))) == ["E0344"]


def test_source_and_result_do_not_half_overlap(golden: Golden):
    sheet = Sheet()
    y = sheet.tile("y", (64,))
    loc = sheet.source.line("y[16:] = y[0:48] + 1")
    src = part(y, 0, extent=(48,), loc=spot(loc, "y[0:48]"))
    wrong = Map(part(y, 16, extent=(48,)), add(Load(src), Literal(1, F16)), loc)
    check_message(golden, "E0345-half", sheet.done(wrong))


def test_a_tile_is_not_transposed_in_place():
    sheet = Sheet()
    y = sheet.tile("y", (16, 16))
    assert codes(sheet.map("y[:] = y.T", y, Load(transposed(y)))) == ["E0345"]
    z = sheet.tile("z", (16, 16))
    assert not codes(sheet.map("z[:] = y.T", z, Load(transposed(y))))


def test_the_same_elements_are_updated_in_place():
    sheet = Sheet()
    y = sheet.tile("y", (4, 64))
    k = ix.variable("k")
    row = part(y, k, 0, extent=(1, 64))
    update = Map(row, add(Load(row), Literal(1, F16)))
    one = part(y, 0, 0, extent=(1, 64))
    reading = Map(row, add(Load(row), Load(one)))
    made = sheet.done(update)
    fills = made.stages[0].body[:-1]
    assert not codes(program(*fills, serial("k", 4, update), inputs=made.inputs))
    assert codes(program(*fills, serial("k", 4, reading), inputs=made.inputs)) == ["E0345"]


def test_a_position_is_an_axis_of_the_result(golden: Golden):
    sheet = Sheet()
    n = sheet.tile("n", (16, 64), I32)
    check_message(golden, "E0346-position", sheet.map("n[:] = tl.position(2)", n, Position(2)))
    assert not codes(sheet.map("n[:] = tl.position(1)", n, add(Position(1), IndexValue(ix.ZERO))))


def test_a_reduction_goes_along_an_axis(golden: Golden):
    sheet = Sheet()
    s, x = sheet.tile("s", (16, 1)), sheet.tile("x", (16, 64))
    text = "tl.reduce_max(s, x, axis=-1)"
    check_message(golden, "E0346-reduce", sheet.reduce(text, s, ReduceOp.MAX, x, -1))


def test_a_reduction_keeps_its_axis(golden: Golden):
    sheet = Sheet()
    s, x = sheet.tile("s", (16,)), sheet.tile("x", (16, 64))
    text = "s[:] = tl.reduce_max(x, 1)"
    check_message(golden, "E0347-dropped-axis", sheet.reduce(text, s, ReduceOp.MAX, x, 1))


@pytest.mark.parametrize(
    ("op", "dtype", "result"),
    [
        (ReduceOp.SUM, F16, F32),
        (ReduceOp.SUM, F32, F32),
        (ReduceOp.SUM, I8, I32),
        (ReduceOp.SUM, U8, I32),
        (ReduceOp.SUM, I32, I32),
        (ReduceOp.MAX, F16, F16),
        (ReduceOp.MIN, I8, I8),
    ],
)
def test_reductions_have_a_dtype_of_their_own(op: ReduceOp, dtype: DType, result: DType):
    for axis, shape in enumerate(((1, 64), (16, 1))):
        for found in (F16, F32, I8, U8, I32):
            sheet = Sheet()
            s, x = sheet.tile("s", shape, found), sheet.tile("x", (16, 64), dtype)
            expected = [] if found is result else ["E0349"]
            assert codes(sheet.reduce("s[:] = ...", s, op, x, axis)) == expected


def test_a_sum_of_float16_is_float32(golden: Golden):
    sheet = Sheet()
    s, x = sheet.tile("s", (16, 1)), sheet.tile("x", (16, 64))
    text = "s[:] = tl.reduce_sum(x, 1)"
    check_message(golden, "E0349-sum", sheet.reduce(text, s, ReduceOp.SUM, x, 1))


def test_a_reduction_does_not_write_what_it_reads():
    sheet = Sheet()
    x = sheet.tile("x", (16, 64))
    column = part(x, 0, 0, extent=(16, 1))
    assert codes(sheet.done(Reduce(column, ReduceOp.MAX, whole(x), 1))) == ["E0345"]


def test_a_reduction_stays_in_ub():
    sheet = Sheet()
    s, x = sheet.tile("s", (16, 1)), sheet.tile("x", (16, 64), memory=Memory.L1)
    assert codes(sheet.reduce("s[:] = ...", s, ReduceOp.MAX, x, 1)) == ["E0340"]


def test_a_number_has_a_value_in_the_dtype_of_the_tile(golden: Golden):
    sheet = Sheet()
    y = sheet.tile("y", (16,))
    wrong = sheet.map("y[:] = y + 1e6", y, add(load(y), Literal(1e6, F16)))
    check_message(golden, "E0348-too-large", wrong)


def test_an_infinity_is_a_float():
    sheet = Sheet()
    y, n = sheet.tile("y", (16,)), sheet.tile("n", (16,), I32)
    assert not codes(sheet.map("y[:] = -inf", y, Literal(-math.inf, F16)))
    assert codes(sheet.map("n[:] = 0.5", n, Literal(0.5, I32))) == ["E0348"]
    rounded = Cast(Literal(0.5, F32), I32, Rounding.FLOOR)
    assert not codes(sheet.map("n[:] = ...", n, rounded))


def test_one_operation_works_on_one_layout(golden: Golden):
    sheet = Sheet()
    y = sheet.tile("y", (16, 64), F32, layout=NZ16)
    mask = sheet.tile("mask", (16, 64), F32)
    wrong = sheet.map("y[:] = y * mask", y, add(load(y), load(mask)))
    check_message(golden, "E0361-map", wrong)


def test_vectors_broadcast_without_a_layout():
    sheet = Sheet()
    y = sheet.tile("y", (16, 64), F32, layout=NZ16)
    for name, shape in (("row", (1, 64)), ("column", (16, 1)), ("flat", (64,))):
        other = sheet.tile(name, shape, F32)
        assert not codes(sheet.map("y[:] = ...", y, add(load(y), load(other))))
    top = sheet.tile("top", (16, 1), F32)
    assert not codes(sheet.reduce("top[:] = ...", top, ReduceOp.MAX, y, 1))
