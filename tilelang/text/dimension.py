"""Sizes as a signature writes them: numbers, names and arithmetic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, assert_never

from tilelang.text.syntax import Node


class DimOp(Enum):
    """An operation on two sizes; the value is how it is written."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    FLOOR_DIVIDE = "//"


@dataclass(frozen=True, slots=True)
class DimSize:
    """A number."""

    value: int


@dataclass(frozen=True, slots=True)
class DimName:
    """The dimension or attribute called `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class DimNegative:
    """`-x`."""

    x: "Dim"


@dataclass(frozen=True, slots=True)
class DimArithmetic:
    """`left op right`; division rounds down, as Python's does."""

    op: DimOp
    left: "Dim"
    right: "Dim"


Dim: TypeAlias = DimSize | DimName | DimNegative | DimArithmetic

_ARITHMETIC = {
    "dim_add": DimOp.ADD,
    "dim_subtract": DimOp.SUBTRACT,
    "dim_multiply": DimOp.MULTIPLY,
    "dim_floor_divide": DimOp.FLOOR_DIVIDE,
}

_SUM, _PRODUCT, _FACTOR = range(3)


def read_dim(node: Node) -> Dim:
    """Return the dimension that a tree of the grammar's rule `dim` stands for."""
    match node.kind:
        case "dim_size":
            return DimSize(int(node.text))
        case "dim_name":
            return DimName(node.text)
        case "dim_negative":
            return DimNegative(read_dim(node.children[0]))
        case kind:
            left, right = node.children
            return DimArithmetic(_ARITHMETIC[kind], read_dim(left), read_dim(right))


def dim_text(dim: Dim) -> str:
    """Return `dim` as a signature writes it, with no more brackets than it needs."""
    return _text(dim, _SUM)


def dim_names(dim: Dim) -> Iterator[str]:
    """Yield the names in `dim`, left to right."""
    match dim:
        case DimSize():
            return
        case DimName(name):
            yield name
        case DimNegative(x):
            yield from dim_names(x)
        case DimArithmetic(_, left, right):
            yield from dim_names(left)
            yield from dim_names(right)
        case _:
            assert_never(dim)


def evaluate_dim(dim: Dim, values: Mapping[str, int]) -> int:
    """Return the value of `dim`; KeyError for a missing name, ZeroDivisionError for `x // 0`."""
    match dim:
        case DimSize(value):
            return value
        case DimName(name):
            return values[name]
        case DimNegative(x):
            return -evaluate_dim(x, values)
        case DimArithmetic(op, left, right):
            return _compute(op, evaluate_dim(left, values), evaluate_dim(right, values))
        case _:
            assert_never(dim)


def _compute(op: DimOp, left: int, right: int) -> int:
    match op:
        case DimOp.ADD:
            return left + right
        case DimOp.SUBTRACT:
            return left - right
        case DimOp.MULTIPLY:
            return left * right
        case DimOp.FLOOR_DIVIDE:
            return left // right
        case _:
            assert_never(op)


def _text(dim: Dim, place: int) -> str:
    """Return `dim`, in brackets if it binds less tightly than its `place` demands."""
    match dim:
        case DimSize(value):
            return str(value)
        case DimName(name):
            return name
        case DimNegative(x):
            return f"-{_text(x, _FACTOR)}"
        case DimArithmetic(DimOp.ADD | DimOp.SUBTRACT as op, left, right):
            text = f"{_text(left, _SUM)} {op.value} {_text(right, _PRODUCT)}"
            return f"({text})" if place > _SUM else text
        case DimArithmetic(op, left, right):
            text = f"{_text(left, _PRODUCT)}{op.value}{_text(right, _FACTOR)}"
            return f"({text})" if place > _PRODUCT else text
        case _:
            assert_never(dim)
