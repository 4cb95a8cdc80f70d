"""Element-wise expressions: what a `Map` computes for each element of its destination.

An expression is a tree over regions of the unified buffer with numpy's broadcasting. Each operation
rounds to its own dtype; there is no promotion, so both sides of a binary operation have one dtype.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias, assert_never

from tilelang.dtypes import DType
from tilelang.ir.index import Index
from tilelang.ir.region import Region


class UnaryOp(Enum):
    """An operation on one element; the value is its name in the language."""

    NEGATE = "neg"
    EXP = "exp"
    LN = "ln"
    SQRT = "sqrt"
    RSQRT = "rsqrt"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    RELU = "relu"
    ABS = "abs"


class BinaryOp(Enum):
    """An operation on two elements of one dtype."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


class ComparisonOp(Enum):
    """A comparison of two elements of one dtype; its result is a bool."""

    LESS = "<"
    LESS_EQUAL = "<="
    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_EQUAL = ">="


class LogicOp(Enum):
    """An operation on two bools."""

    AND = "&"
    OR = "|"


class Rounding(Enum):
    """How a cast from float to integer rounds; every other cast rounds to nearest, ties to even.

    Casts to an integer saturate, and NaN becomes 0.
    """

    NEAREST = "nearest"
    FLOOR = "floor"
    CEIL = "ceil"
    TRUNCATE = "truncate"
    AWAY = "away"
    """To nearest, ties away from zero."""


@dataclass(frozen=True, slots=True)
class Load:
    """The elements of a region.

    Only a backend's own passes make one that hangs over its buffer: there it is `pad`.
    """

    region: Region
    pad: int | float = 0


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A number, rounded to `dtype` where it is used.

    Equality is of what is written: -0.0 and 0.0 differ, and NaN equals itself.
    """

    value: int | float | bool
    dtype: DType

    def __post_init__(self) -> None:
        """Make ints in float places floats."""
        if self.dtype.is_float:
            object.__setattr__(self, "value", float(self.value))

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is the same number of the same dtype."""
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        """Return a hash that goes with equality."""
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, DType]:
        return repr(self.value), self.dtype


@dataclass(frozen=True, slots=True)
class IndexValue:
    """The value of an index, the same for every element; its dtype is int32."""

    index: Index


@dataclass(frozen=True, slots=True)
class Position:
    """The element's own index along `axis` of the destination, from 0; its dtype is int32."""

    axis: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`op(x)`, in the dtype of `x`: any number for neg, relu and abs, else a float."""

    op: UnaryOp
    x: "Expr"


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`, in their common dtype; division is for floats only; integers wrap."""

    op: BinaryOp
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left op right` as a bool; any comparison with NaN but `!=` is false."""

    op: ComparisonOp
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Logic:
    """`left op right` on bools."""

    op: LogicOp
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class LogicNot:
    """The opposite bool."""

    x: "Expr"


@dataclass(frozen=True, slots=True)
class Where:
    """`then` where `condition` (a bool) holds, else `otherwise`; both have one dtype."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"


@dataclass(frozen=True, slots=True)
class Cast:
    """`x` converted to `dtype`; `rounding` matters from float to integer only."""

    x: "Expr"
    dtype: DType
    rounding: Rounding = Rounding.NEAREST


Expr: TypeAlias = (
    Load
    | Literal
    | IndexValue
    | Position
    | Unary
    | Binary
    | Comparison
    | Logic
    | LogicNot
    | Where
    | Cast
)

FLOAT_ONLY = frozenset(
    {UnaryOp.EXP, UnaryOp.LN, UnaryOp.SQRT, UnaryOp.RSQRT, UnaryOp.TANH, UnaryOp.SIGMOID}
)
"""Unary operations that integers do not have."""


def dtype_of(expr: Expr) -> DType:
    """Return the dtype of the result; BOOL for comparisons and logic."""
    match expr:
        case Load(region):
            return region.buffer.dtype
        case Literal(_, dtype) | Cast(_, dtype):
            return dtype
        case IndexValue() | Position():
            return DType.INT32
        case Unary(_, x):
            return dtype_of(x)
        case Binary(_, left, _):
            return dtype_of(left)
        case Where(_, then, _):
            return dtype_of(then)
        case Comparison() | Logic() | LogicNot():
            return DType.BOOL
        case _:
            assert_never(expr)


def children(expr: Expr) -> tuple[Expr, ...]:
    """Return the operands, left to right."""
    match expr:
        case Load() | Literal() | IndexValue() | Position():
            return ()
        case Unary(_, x) | LogicNot(x) | Cast(x, _):
            return (x,)
        case Binary(_, left, right) | Comparison(_, left, right) | Logic(_, left, right):
            return (left, right)
        case Where(condition, then, otherwise):
            return (condition, then, otherwise)
        case _:
            assert_never(expr)


def walk_expr(expr: Expr) -> Iterator[Expr]:
    """Yield `expr` and everything below it, parents first."""
    yield expr
    for child in children(expr):
        yield from walk_expr(child)


def loads(expr: Expr) -> Iterator[Region]:
    """Yield every region that `expr` reads, left to right."""
    for part in walk_expr(expr):
        if isinstance(part, Load):
            yield part.region


def rewrite_expr(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Return `expr` with `change` applied to every node, operands first."""
    match expr:
        case Load() | Literal() | IndexValue() | Position():
            return change(expr)
        case Unary() | LogicNot() | Cast():
            return change(replace(expr, x=rewrite_expr(expr.x, change)))
        case Binary() | Comparison() | Logic():
            left, right = rewrite_expr(expr.left, change), rewrite_expr(expr.right, change)
            return change(replace(expr, left=left, right=right))
        case Where(condition, then, otherwise):
            parts = (rewrite_expr(part, change) for part in (condition, then, otherwise))
            return change(Where(*parts))
        case _:
            assert_never(expr)
