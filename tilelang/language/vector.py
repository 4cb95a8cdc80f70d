"""Element-wise expressions: recipes that run when they are assigned to a tile.

`h[:] = tl.sigmoid(o) * tl.tanh(c)` records one `Map`. An expression only names what it reads, so it
is used before any of that changes, and in the body where it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import numpy as np

from tilelang.diagnostics import Location, Note, callsite, flow
from tilelang.dtypes import DType
from tilelang.ir.expression import (
    FLOAT_ONLY,
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    Expr,
    IndexValue,
    Literal,
    Logic,
    LogicNot,
    LogicOp,
    Unary,
    UnaryOp,
    loads,
)
from tilelang.ir.nodes import ReduceOp
from tilelang.ir.region import Region
from tilelang.language import mistakes, questions
from tilelang.language import trace as tracing
from tilelang.language.handles import Condition, Index
from tilelang.language.literals import (
    broadcast_hint,
    broadcast_shapes,
    condition_mask,
    is_number,
    literal,
)
from tilelang.language.operands import check_mask, check_no_nan, check_number, check_size
from tilelang.language.refusals import NoValues
from tilelang.language.spellings import unknown_attribute


class Operand(NoValues):
    """What may stand in an element-wise expression: a tensor, a region of one, an expression."""

    __slots__ = ()

    def recipe(self) -> Expression:
        """Return this as an expression; reading it starts now."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # type checkers know the attributes

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse what arrays elsewhere have, and say what it is here."""
            if name.startswith("__"):  # Python and numpy look for what an object can do
                raise AttributeError(name)
            raise unknown_attribute(mistakes.shown(self), name, dir(type(self)))

    def __add__(self, other: OperandLike) -> Expression:
        """Return `self + other`, element by element."""
        return binary(BinaryOp.ADD, self, other)

    def __radd__(self, other: OperandLike) -> Expression:
        """Return `other + self`."""
        return binary(BinaryOp.ADD, other, self)

    def __sub__(self, other: OperandLike) -> Expression:
        """Return `self - other`, element by element."""
        return binary(BinaryOp.SUBTRACT, self, other)

    def __rsub__(self, other: OperandLike) -> Expression:
        """Return `other - self`."""
        return binary(BinaryOp.SUBTRACT, other, self)

    def __mul__(self, other: OperandLike) -> Expression:
        """Return `self * other`, element by element."""
        return binary(BinaryOp.MULTIPLY, self, other)

    def __rmul__(self, other: OperandLike) -> Expression:
        """Return `other * self`."""
        return binary(BinaryOp.MULTIPLY, other, self)

    def __truediv__(self, other: OperandLike) -> Expression:
        """Return `self / other`, element by element; floats only."""
        return binary(BinaryOp.DIVIDE, self, other)

    def __rtruediv__(self, other: OperandLike) -> Expression:
        """Return `other / self`."""
        return binary(BinaryOp.DIVIDE, other, self)

    def __neg__(self) -> Expression:
        """Return `-self`."""
        return unary(UnaryOp.NEGATE, self)

    def __abs__(self) -> Expression:
        """Return the absolute value."""
        return unary(UnaryOp.ABS, self)

    def __lt__(self, other: OperandLike) -> Expression:
        """Return `self < other`, a mask for `tl.where`."""
        return comparison(ComparisonOp.LESS, self, other)

    def __le__(self, other: OperandLike) -> Expression:
        """Return `self <= other`, a mask."""
        return comparison(ComparisonOp.LESS_EQUAL, self, other)

    def __gt__(self, other: OperandLike) -> Expression:
        """Return `self > other`, a mask."""
        return comparison(ComparisonOp.GREATER, self, other)

    def __ge__(self, other: OperandLike) -> Expression:
        """Return `self >= other`, a mask."""
        return comparison(ComparisonOp.GREATER_EQUAL, self, other)

    def __eq__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return `self == other`, a mask."""
        return comparison(ComparisonOp.EQUAL, self, other)

    def __ne__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return `self != other`, a mask."""
        return comparison(ComparisonOp.NOT_EQUAL, self, other)

    def __and__(self, other: OperandLike) -> Expression:
        """Return the mask that both hold."""
        return logic(LogicOp.AND, self, other)

    __rand__ = __and__

    def __or__(self, other: OperandLike) -> Expression:
        """Return the mask that one of the two holds."""
        return logic(LogicOp.OR, self, other)

    __ror__ = __or__

    def __invert__(self) -> Expression:
        """Return the opposite mask."""
        operand = as_expression(self, None)
        check_mask(operand.dtype)
        return combine(LogicNot(operand.node), operand)

    def __pos__(self) -> Expression:
        """Return the elements as they are."""
        return self.recipe()

    def __array_ufunc__(
        self, function: np.ufunc, method: str, *operands: OperandLike, **keywords: object
    ) -> Expression:
        """Do what numpy's scalars ask for, `np.float32(2) * x`; refuse functions of numpy."""
        name = function.__name__
        if method == "__call__" and name in OF_NUMPY and not keywords:
            return OF_NUMPY[name](*operands)
        raise questions.numpy_function(name)


@dataclass(slots=True, eq=False, repr=False)
class Expression(Operand):
    """A recipe of numbers, made by operators and functions on tiles; it runs where it is stored.

    Operators: `+ - * /` and unary `-`, on numbers; `< <= > >= == !=`, which give masks; `& | ~`, on
    masks. Shapes broadcast as in numpy. Nothing is promoted: a plain number takes the dtype beside
    it, and two dtypes want a `cast`. Each operation rounds to its dtype. An expression reads its
    tiles when it is stored, so it is stored before they change.

    Example:
        e = (t + 2 * u) / 3 - abs(t)
        t[:] = e
        t += tl.where((t > 0) & ~(u == 0), t, -u)
    """

    node: Expr
    shape: tuple[int, ...]
    dtype: DType
    loc: Location
    stamp: int
    scopes: tuple[tracing.Scope, ...]
    """The bodies that were open; the innermost must still be open where the recipe is used."""
    depth: int = 1
    """Operations on the longest way from the result to what is read."""
    n_operations: int = 1
    """All of them; an expression that is used twice is computed twice."""

    def __repr__(self) -> str:
        """Return what it makes."""
        return f"an expression of {self.dtype}{list(self.shape)}"

    def recipe(self) -> Expression:
        """Return this expression."""
        return self


@dataclass(slots=True, eq=False, repr=False)
class Reduction:
    """A recipe for a `Reduce`: the right side of an assignment, and nothing else."""

    op: ReduceOp
    src: Region
    axis: int
    dtype: DType
    loc: Location
    source: Expression
    """The read of `src`, which is checked where the reduction is stored."""

    def __repr__(self) -> str:
        """Return what it makes."""
        return f"a reduction to {self.dtype}"

    def _refuse(self, *_: object) -> NoReturn:
        raise mistakes.error(
            "E0114",
            f"a reduction (reduce_{self.op.value}) is used inside an expression",
            f"store it first: `m[:] = tl.reduce_{self.op.value}(...)`, with a tile `m` of size 1 "
            "along that axis, then use `m`",
            Note("the reduction", self.loc),
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _refuse
    __rtruediv__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _refuse
    __abs__ = __pos__ = __invert__ = __bool__ = __iter__ = __len__ = __getitem__ = _refuse
    __pow__ = __floordiv__ = __mod__ = __matmul__ = __and__ = __or__ = __float__ = _refuse
    __hash__ = None  # pyright: ignore[reportAssignmentType]
    __array_ufunc__ = None


OperandLike: TypeAlias = "Operand | Index | Condition | int | float"


def read(region: Region, node: Expr) -> Expression:
    """Return the recipe that reads `region`, starting now."""
    trace = tracing.current("an expression")
    return Expression(
        node, region.shape, region.buffer.dtype, trace.here(), trace.stamp, tuple(trace.scopes)
    )


def unary(op: UnaryOp, x: OperandLike) -> Expression:
    """Return `op(x)`, element by element.

    Raises:
        TileError: E0115 if `x` has a dtype that does not know `op`.
    """
    operand = as_expression(x, None)
    check_number(op.value, operand.dtype)
    if op in FLOAT_ONLY and not operand.dtype.is_float:
        raise mistakes.error(
            "E0115",
            f"`{op.value}` of {operand.dtype}, wanted a float",
            f'write `tl.{op.value}(tl.cast(x, "float32"))`',
        )
    return combine(Unary(op, operand.node), operand)


def binary(op: BinaryOp, left: OperandLike, right: OperandLike) -> Expression:
    """Return `left op right`, element by element.

    Raises:
        TileError: E0110 for two dtypes, E0111 for two shapes that do not broadcast, E0115.
    """
    a, b = as_pair(left, right)
    check_number(op.value, a.dtype)
    if op is BinaryOp.DIVIDE and not a.dtype.is_float:
        raise mistakes.error(
            "E0115",
            f"`/` of {a.dtype}, wanted floats",
            'write `tl.cast(x, "float32") / ...`, and cast back with the rounding you want',
        )
    return combine(Binary(op, a.node, b.node), a, b)


def comparison(op: ComparisonOp, left: object, right: object) -> Expression:
    """Return `left op right` as a mask.

    Raises:
        TileError: as `binary`; E0115 for a comparison with NaN, which decides nothing.
    """
    a, b = as_pair(left, right)
    check_no_nan(left, right)
    return combine(Comparison(op, a.node, b.node), a, b, dtype=DType.BOOL)


def logic(op: LogicOp, left: object, right: object) -> Expression:
    """Return `left op right` on masks."""
    a, b = as_pair(left, right)
    check_mask(a.dtype)
    return combine(Logic(op, a.node, b.node), a, b)


def as_pair(left: object, right: object) -> tuple[Expression, Expression]:
    """Return both sides as expressions of one dtype; a plain number takes the other's.

    Raises:
        TileError: E0110 for two dtypes, E0112 for two plain numbers.
    """
    left_number, right_number = is_number(left), is_number(right)
    if left_number and right_number:
        raise mistakes.error(
            "E0112",
            f"{left!r} and {right!r} are both plain numbers, so neither has a dtype",
            f'give one a dtype: `tl.cast({left!r}, "float32")`',
        )
    if left_number:
        b = as_expression(right, None)
        return as_expression(left, b.dtype), b
    a = as_expression(left, None)
    b = as_expression(right, a.dtype if right_number else None)
    if a.dtype is not b.dtype:
        hint = f'write `tl.cast(x, "{a.dtype}")` for the {b.dtype} side, or the other way round'
        for index, other in ((left, b), (right, a)):
            if isinstance(index, Index):
                hint = f'write `tl.cast({index}, "{other.dtype}")` for the index'
        if DType.BOOL in (a.dtype, b.dtype):
            hint = "write `tl.where(mask, x, y)`: a mask chooses, and is no number"
        mistakes.report(
            "E0110", f"the two sides are {a.dtype} and {b.dtype}, wanted one dtype", hint
        )
        b.node, b.dtype = Cast(b.node, a.dtype), a.dtype
    return a, b


def as_expression(value: object, dtype: DType | None) -> Expression:
    """Return `value` as an expression; a plain number becomes a literal of `dtype`.

    Raises:
        TileError: E0112 for something else.
    """
    if isinstance(value, Operand):
        return value.recipe()
    if isinstance(value, Reduction):
        value._refuse()  # pyright: ignore[reportPrivateUsage]
    trace = tracing.current("an expression")
    if isinstance(value, Index):
        trace.check_index(value.node)
        node: Expr = IndexValue(value.node)
    elif isinstance(value, Condition):
        trace.check_condition(value.node)
        node = condition_mask(value.node)
    elif is_number(value) and dtype is not None:
        node = literal(value, dtype)
    else:
        hint = "use tiles in the unified buffer, indices, or plain numbers beside a tile"
        if hasattr(value, "shape") or type(value) in (list, tuple):
            hint = "give the numbers to the kernel as another input, and move them into a tile"
        message = f"{mistakes.shown(value)} cannot stand in an element-wise expression"
        raise mistakes.error("E0112", message, hint)
    kind = dtype if isinstance(node, Literal) and dtype else None
    kind = kind or (DType.INT32 if isinstance(node, IndexValue) else DType.BOOL)
    return Expression(node, (), kind, trace.here(), trace.stamp, tuple(trace.scopes))


def check_fresh(expression: Expression, trace: tracing.Trace) -> None:
    """Check that what the recipe reads is as it was when the recipe was made.

    Raises:
        TileError: E0108 if a body it needs closed, E0109 if something it reads was written.
    """
    if expression.scopes and not expression.scopes[-1].is_open:
        raise mistakes.error(
            "E0108",
            "this expression was made in a body that is over, so it cannot run here",
            "make it where it is used, or store it there: `t[:] = ...`",
            Note("the expression is made", expression.loc),
        )
    inner = [scope for scope in trace.scopes if scope not in expression.scopes]
    for region in loads(expression.node):
        name = region.buffer.name
        written = trace.writes.get(name)
        if written and written[0] > expression.stamp:
            raise mistakes.error(
                "E0109",
                f"this expression reads `{name}`, which was written after the expression was made",
                "store the expression before that line: `t[:] = ...`, and use `t` here",
                Note("the expression is made", expression.loc),
                Note(f"`{name}` is written", written[1]),
            )
        for scope in inner:
            scope.outer_reads.setdefault(name, (expression.loc, trace.here()))


def combine(node: Expr, *operands: Expression, dtype: DType | None = None) -> Expression:
    """Return `node` over `operands`, which are fresh now, however old.

    Raises:
        TileError: E0108 and E0109 for what is stale, E0111 for shapes, E0143 for too much.
    """
    trace = tracing.current("an expression")
    shape = broadcast_shapes(*(operand.shape for operand in operands))
    if shape is None:
        mistakes.report(
            "E0111",
            "the shapes "
            + " and ".join(str(list(operand.shape)) for operand in operands if operand.shape)
            + " do not broadcast to one shape",
            broadcast_hint(*(operand.shape for operand in operands)),
        )
        shape = operands[0].shape
    for operand in operands:
        check_fresh(operand, trace)
    check_kept("expression")
    innermost = max((operand.scopes for operand in operands), key=len)
    dtype = dtype or operands[0].dtype
    depth = 1 + max(operand.depth for operand in operands)
    n_operations = 1 + sum(operand.n_operations for operand in operands)
    check_size(depth, n_operations)
    return Expression(node, shape, dtype, trace.here(), trace.stamp, innermost, depth, n_operations)


def check_kept(what: str) -> None:
    """Report an expression or a reduction that the user's code throws away."""
    if flow.is_dropped(callsite.user_frame()):
        mistakes.report(
            "E0141",
            f"this {what} is thrown away: it computes nothing until it is stored",
            "store it: `t[:] = ...`; nothing but an assignment changes a tile in place",
        )


OF_NUMPY: Mapping[str, Callable[..., Expression]] = {
    "add": partial(binary, BinaryOp.ADD),
    "subtract": partial(binary, BinaryOp.SUBTRACT),
    "multiply": partial(binary, BinaryOp.MULTIPLY),
    "divide": partial(binary, BinaryOp.DIVIDE),
    "less": partial(comparison, ComparisonOp.LESS),
    "less_equal": partial(comparison, ComparisonOp.LESS_EQUAL),
    "greater": partial(comparison, ComparisonOp.GREATER),
    "greater_equal": partial(comparison, ComparisonOp.GREATER_EQUAL),
    "equal": partial(comparison, ComparisonOp.EQUAL),
    "not_equal": partial(comparison, ComparisonOp.NOT_EQUAL),
    "bitwise_and": partial(logic, LogicOp.AND),
    "bitwise_or": partial(logic, LogicOp.OR),
}
"""What the operators of numpy's scalars call when a tile stands on their right."""
