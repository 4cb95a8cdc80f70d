"""Symbolic integers and conditions: what loops yield, and what is computed from it.

`Index` and `Condition` wrap nodes of the IR; their operators build new ones. Neither has a value
while the kernel is traced, so asking for one is an error that says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, SupportsIndex, TypeAlias, TypeGuard

import numpy as np

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.named import NamedInt, as_int
from tilelang.language import mistakes, questions

IndexLike: TypeAlias = "Index | int"


class Index:
    """An integer that a loop yields, or that is computed from such: it has no value while tracing.

    It may be added to others, multiplied by plain ints, divided by them with `//` and `%`, and go
    through `tl.minimum`, `tl.maximum` and `tl.ceildiv`. Comparisons of indices are conditions. In
    an expression it is a number of int32.

    Example:
        for k in tl.for_range(4):
            tl.data_move(t, x[(k + 1) % 4 * 16, 0])
            t += tl.cast(k, t.dtype)
    """

    __slots__ = ("node",)
    __array_ufunc__ = None

    def __init__(self, node: ix.Index) -> None:
        """Wrap `node`."""
        self.node = node

    def __hash__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise mistakes.key("an index")

    def __repr__(self) -> str:
        """Return the expression."""
        from tilelang.text.printer import print_index

        return print_index(self.node)

    def __add__(self, other: IndexLike) -> Index:
        """Return the sum."""
        if not is_index(other):
            return _other_operand(self, "+", other)
        return Index(ix.add(self.node, as_node(other)))

    def __radd__(self, other: int) -> Index:
        """Return the sum."""
        return self + other

    def __neg__(self) -> Index:
        """Return the negative."""
        return Index(ix.scale(self.node, -1))

    def __pos__(self) -> Index:
        """Return the index."""
        return self

    def __abs__(self) -> Index:
        """Return the larger of the index and its negative."""
        return nested(ix.maximum(self.node, ix.scale(self.node, -1)))

    def __sub__(self, other: IndexLike) -> Index:
        """Return the difference."""
        if not is_index(other):
            return _other_operand(self, "-", other)
        return Index(ix.subtract(self.node, as_node(other)))

    def __rsub__(self, other: int) -> Index:
        """Return the difference."""
        if not is_index(other):
            return _other_operand(self, "-", other)
        return Index(ix.subtract(as_node(other), self.node))

    def __mul__(self, other: IndexLike) -> Index:
        """Return the product; one of the two is a plain number."""
        if not is_index(other):
            return _other_operand(self, "*", other)
        node = as_node(other)
        if node.is_constant:
            return Index(ix.scale(self.node, node.constant))
        if self.node.is_constant:
            return Index(ix.scale(node, self.node.constant))
        raise mistakes.product_of_indices(self, other)

    def __rmul__(self, other: int) -> Index:
        """Return the product."""
        return self * other

    def __floordiv__(self, other: int) -> Index:
        """Return `self // other`, rounded down; `other` is a plain positive number."""
        return nested(ix.floor_div(self.node, _divisor(other, "//")))

    def __mod__(self, other: int) -> Index:
        """Return `self % other`, from 0 to `other - 1`; `other` is a plain positive number."""
        return nested(ix.modulo(self.node, _divisor(other, "%")))

    def __rfloordiv__(self, other: object) -> NoReturn:
        """Refuse to divide by an index."""
        raise mistakes.divisor(self, "//")

    def __rmod__(self, other: object) -> NoReturn:
        """Refuse to divide by an index."""
        raise mistakes.divisor(self, "%")

    def __truediv__(self, other: object) -> NoReturn:
        """Refuse a division that is not whole."""
        raise mistakes.true_division()

    __rtruediv__ = __truediv__

    def __lt__(self, other: IndexLike) -> Condition:
        """Return the condition."""
        return _comparison(cond.less, "<", self, other)

    def __le__(self, other: IndexLike) -> Condition:
        """Return the condition."""
        return _comparison(cond.less_equal, "<=", self, other)

    def __gt__(self, other: IndexLike) -> Condition:
        """Return the condition."""
        return _comparison(lambda a, b: cond.less(b, a), ">", self, other)

    def __ge__(self, other: IndexLike) -> Condition:
        """Return the condition."""
        return _comparison(lambda a, b: cond.less_equal(b, a), ">=", self, other)

    def __eq__(self, other: object) -> Condition:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the condition."""
        return _comparison(cond.equal, "==", self, other)

    def __ne__(self, other: object) -> Condition:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the condition."""
        return _comparison(cond.not_equal, "!=", self, other)

    def __bool__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.truth_value("an index")

    def __index__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.number_of_index(self)

    __int__ = __index__
    __float__ = __index__
    __round__ = __index__

    def __iter__(self) -> NoReturn:
        """Refuse: an index is one number."""
        raise mistakes.unpacked_index(self)


MOST_NESTED = 32
"""Of `//`, `%`, min and max inside each other: every pass walks them by recursion."""


def nested(node: ix.Index) -> Index:
    """Return the handle of a `//`, `%`, min or max.

    Raises:
        TileError: E0143 if too many of them stand inside each other.
    """
    depth = ix.nesting(node)
    if depth > MOST_NESTED:
        raise mistakes.error(
            "E0143",
            f"this index nests {depth} of `//`, `%`, min and max, and at most {MOST_NESTED} can be",
            "compute it from the loop's index in fewer steps",
        )
    return Index(node)


class Condition:
    """A comparison of indices, or several combined with `&`, `|` and `~`.

    It opens a branch (`tl.if_scope`), starts a sum (`init=`), and is a mask in an expression.

    Example:
        for k in tl.for_range(4):
            t[:] = tl.where((k == 0) & (tl.position(0) < 8), 0, t)
    """

    __slots__ = ("node",)
    __array_ufunc__ = None

    def __init__(self, node: cond.Condition) -> None:
        """Wrap `node`."""
        self.node = node

    def __hash__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise mistakes.key("an index")

    def __repr__(self) -> str:
        """Return the condition."""
        from tilelang.text.printer import print_condition

        return print_condition(self.node)

    def __and__(self, other: ConditionLike) -> Condition:
        """Return the condition that both hold."""
        if not is_condition(other):
            return _other_operand(self, "&", other)
        return _combined(cond.conjunction(self.node, as_condition(other)))

    def __or__(self, other: ConditionLike) -> Condition:
        """Return the condition that one of the two holds."""
        if not is_condition(other):
            return _other_operand(self, "|", other)
        return _combined(cond.disjunction(self.node, as_condition(other)))

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> Condition:
        """Return the opposite condition."""
        return Condition(cond.negate(self.node))

    def __eq__(self, other: object) -> Any:
        """Refuse: Python would compare identities."""
        return _other_operand(self, "==", other)

    def __ne__(self, other: object) -> Any:
        """Refuse: Python would compare identities."""
        return _other_operand(self, "!=", other)

    def __bool__(self) -> NoReturn:
        """Refuse: there is no value yet."""
        raise questions.truth_value("a condition")


ConditionLike: TypeAlias = "Condition | bool"


def _combined(node: cond.Condition) -> Condition:
    depth = cond.nesting(node)
    if depth > MOST_NESTED:
        raise mistakes.error(
            "E0143",
            f"this condition nests {depth} of `&`, `|` and `~`, and at most {MOST_NESTED} can be",
            "combine with `&` alone or with `|` alone, which does not nest, or compute it in "
            "Python from plain numbers",
        )
    return Condition(node)


def is_index(value: object) -> TypeGuard[IndexLike]:
    """Return whether `value` is a symbolic or a plain integer (numpy's count; bools do not)."""
    if isinstance(value, Index):
        return True
    if type(value) in (int, NamedInt):
        return True
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return False
    try:
        value.__index__()
    except TypeError:  # arrays have the method; only those of one integer have the value
        return False
    return True


def is_condition(value: object) -> TypeGuard[ConditionLike]:
    """Return whether `value` is a symbolic or a plain condition (numpy's bool counts)."""
    return isinstance(value, Condition | bool | np.bool_)


def as_node(value: IndexLike) -> ix.Index:
    """Return the IR's form of an index."""
    return value.node if isinstance(value, Index) else ix.constant(as_int(value))


def as_condition(value: ConditionLike) -> cond.Condition:
    """Return the IR's form of a condition."""
    return value.node if isinstance(value, Condition) else cond.Truth(bool(value))


def _comparison(
    compare: Callable[[ix.Index, ix.Index], cond.Condition],
    operator: str,
    left: Index,
    right: object,
) -> Condition:
    if not is_index(right):
        return _other_operand(left, operator, right)
    return Condition(compare(left.node, as_node(right)))


def _other_operand(left: Index | Condition, operator: str, right: object) -> Any:
    """Leave the operation to a tile on the right; refuse everything else.

    Python would decide `k == 0.0` by identity if nobody refused it.
    """
    if hasattr(right, "recipe"):
        return NotImplemented
    raise mistakes.no_operation(left, operator, right)


def _refusal(operator: str) -> Callable[[Any, Any], Any]:
    """Return the method for an operator that is only refused."""

    def refuse(self: Index | Condition, other: object = None) -> Any:
        return _other_operand(self, operator, other)

    return refuse


def _refuse(kind: type[Index | Condition], names: Mapping[str, str]) -> None:
    for name, operator in names.items():
        setattr(kind, f"__{name}__", _refusal(operator))
        setattr(kind, f"__r{name}__", _refusal(operator))


_refuse(Index, {"pow": "**", "lshift": "<<", "rshift": ">>", "divmod": "divmod"})
_refuse(Index, {"and": "&", "or": "|", "xor": "^"})
_refuse(Condition, {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "xor": "^"})


def _divisor(value: object, operator: str) -> int:
    if is_index(value) and not isinstance(value, Index) and value > 0:
        return as_int(value)
    raise mistakes.divisor(value, operator)
