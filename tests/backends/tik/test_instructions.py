import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.emulate.support import check_support
from tilelang.backends.tik.instructions import (
    Binary,
    BinaryOp,
    Elementwise,
    Expr,
    InstructionProgram,
    Lanes,
    Name,
    Operand,
    TikType,
    Unary,
    UnaryOp,
    VectorOp,
    add,
    binary,
    multiply,
    unary,
)
from tilelang.backends.tik.soc import find_soc, machine_soc, soc_names
from tilelang.diagnostics import TileError
from tilelang.machines import machine_names

PLAIN = [
    BinaryOp.ADD,
    BinaryOp.SUB,
    BinaryOp.MUL,
    BinaryOp.BIT_AND,
    BinaryOp.BIT_OR,
    BinaryOp.BIT_XOR,
    BinaryOp.LT,
    BinaryOp.LE,
    BinaryOp.GT,
    BinaryOp.GE,
    BinaryOp.EQ,
    BinaryOp.NE,
]


@st.composite
def integer_expressions(draw: st.DrawFn, depth: int = 4) -> Expr:
    if depth == 0 or draw(st.booleans()):
        return draw(st.integers(-3, 9) | st.sampled_from([Name("a"), Name("b")]))
    inner = integer_expressions(depth - 1)
    if draw(st.integers(0, 4)) == 0:
        return unary(draw(st.sampled_from([UnaryOp.NEG, UnaryOp.INVERT])), draw(inner))
    return binary(draw(st.sampled_from(PLAIN)), draw(inner), draw(inner))


def value_of(expr: Expr, names: dict[str, int]) -> int | float:
    """Evaluate without the code under test, every operand in parentheses."""
    match expr:
        case int() | float():
            return expr
        case Name(name):
            return names[name]
        case Binary(op, left, right):
            return int(eval(f"({value_of(left, names)}) {op.value} ({value_of(right, names)})"))
        case Unary(op, value):
            return int(eval(f"{op.value} ({value_of(value, names)})"))
        case _:
            raise AssertionError("not drawn")


@given(integer_expressions(), st.integers(-5, 5), st.integers(-5, 5))
def test_text_means_what_the_expression_means(expr: Expr, a: int, b: int):
    text = Texts(InstructionProgram("empty", "Ascend910A", (), (), ())).value(expr)
    assert int(eval(text, {"a": a, "b": b})) == value_of(expr, {"a": a, "b": b})


def test_expressions_are_folded():
    i = Name("i")
    assert add(0, multiply(i, 1)) == i
    assert multiply(i, 0) == 0
    assert binary(BinaryOp.LT, 3, i) == binary(BinaryOp.GT, i, 3)
    assert binary(BinaryOp.DIV, -7, 2) == -3


@pytest.mark.parametrize("name", [name for name in machine_names() if name.startswith("ascend")])
def test_every_machine_has_a_chip(name: str):
    assert find_soc(machine_soc(name)).machine.name == name


def test_the_chip_called_910b_without_a_digit_is_of_the_first_generation():
    assert find_soc("Ascend910B").machine.name == "ascend910"
    assert find_soc("Ascend910B1").machine.name == "ascend910b"


@pytest.mark.parametrize("soc", soc_names())
def test_every_operation_is_judged_on_every_chip(soc: str):
    lanes = Lanes(Operand("x", TikType.FLOAT16))
    refused = set[VectorOp]()
    for op in VectorOp:
        if op is VectorOp.EXPM1:
            continue
        try:
            check_support(Elementwise(op, 1, lanes, (), 1), find_soc(soc))
        except TileError:
            refused.add(op)
    assert {VectorOp.AND, VectorOp.SHL} <= refused
    assert VectorOp.ADD not in refused
