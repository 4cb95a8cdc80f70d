"""Values of scalar expressions while a program is unrolled; what depends on data has none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeAlias, assert_never

from tilelang.backends.tik.instructions import (
    Binary,
    Expr,
    Item,
    Load,
    Name,
    Operand,
    Unary,
    calculate,
    unary,
)

Number: TypeAlias = int | float
Thunk: TypeAlias = Callable[[], Number]


_EXPRESSIONS = frozenset((Name, Item, Load, Binary, Unary))
_PLAIN = frozenset((int, float, str, bool, type(None)))


class Unknown(Exception):
    """An expression depends on what tensors hold, or on an argument that was not given."""


@dataclass(slots=True)
class Values:
    """What scalars hold: of names and of arrays; a name that is missing has no known value."""

    of: dict[str, Number] = field(default_factory=lambda: {})
    arrays: dict[str, dict[int, Number]] = field(default_factory=lambda: {})

    def set(self, target: Name | Item, value: Thunk, index: Thunk | None) -> None:
        """Set a scalar; one whose value is not known is forgotten."""
        try:
            number = value()
        except Unknown:
            self._forget(target)
            return
        if isinstance(target, Name):
            self.of[target.name] = number
            return
        try:
            self.arrays[target.array][int(index() if index else 0)] = number
        except Unknown:
            self._forget(target)

    def _forget(self, target: Name | Item) -> None:
        if isinstance(target, Name):
            self.of.pop(target.name, None)
        else:
            self.arrays[target.array] = {}


def compile_value(expr: Expr, values: Values) -> Thunk:
    """Return a closure that evaluates `expr`; it raises Unknown."""
    match expr:
        case int() | float():
            return lambda: expr
        case Name(name):
            return _read_name(name, values)
        case Item(array, index):
            return _read_item(array, compile_value(index, values), values)
        case Load():
            return _unknown
        case Binary(op, left, right):
            first, second = compile_value(left, values), compile_value(right, values)
            return lambda: calculate(op, first(), second())
        case Unary(op, inner):
            operand = compile_value(inner, values)
            return lambda: _number(unary(op, operand()))
        case _:
            assert_never(expr)


def _read_name(name: str, values: Values) -> Thunk:
    of = values.of

    def read() -> Number:
        if name not in of:
            raise Unknown(f"the scalar `{name}`")
        return of[name]

    return read


def _read_item(array: str, index: Thunk, values: Values) -> Thunk:
    def read() -> Number:
        position = int(index())
        if position not in values.arrays.get(array, {}):
            raise Unknown(f"the scalar array `{array}`")
        return values.arrays[array][position]

    return read


def _unknown() -> Number:
    raise Unknown("an element of a tensor")


def _number(expr: Expr) -> Number:
    assert isinstance(expr, int | float)
    return expr


@cache
def compared_fields(kind: type) -> tuple[str, ...]:
    """Return the fields of a node's class that say what it does; of anything else, none."""
    if not is_dataclass(kind):
        return ()
    return tuple(part.name for part in fields(kind) if part.compare)


def expressions(node: Any) -> Iterator[Expr]:
    """Yield every expression in `node`, a node or a tuple of nodes, that is not a number."""
    kind = node.__class__
    if kind in _EXPRESSIONS:
        yield node
    elif kind is tuple:
        items: tuple[Any, ...] = node
        for item in items:
            yield from expressions(item)
    elif kind not in _PLAIN:
        for name in compared_fields(kind):
            yield from expressions(getattr(node, name))


def names(expr: Expr) -> frozenset[str]:
    """Return the names of the scalars and scalar arrays in `expr`."""
    match expr:
        case int() | float():
            return frozenset()
        case Name(name):
            return frozenset((name,))
        case Item(array, index):
            return names(index) | {array}
        case Load(operand):
            return names(operand.offset)
        case Binary(_, left, right):
            return names(left) | names(right)
        case Unary(_, value):
            return names(value)
        case _:
            assert_never(expr)


def n_operations(expr: Expr) -> int:
    """Return how many operations of the scalar unit evaluate `expr`."""
    match expr:
        case int() | float() | Name():
            return 0
        case Item(_, index):
            return n_operations(index)
        case Load(operand):
            return n_operations(operand.offset)
        case Binary(_, left, right):
            return 1 + n_operations(left) + n_operations(right)
        case Unary(_, value):
            return 1 + n_operations(value)
        case _:
            assert_never(expr)


def loads(expr: Expr) -> Iterator[Operand]:
    """Yield the tensor elements that evaluating `expr` reads."""
    match expr:
        case int() | float() | Name():
            return
        case Item(_, index):
            yield from loads(index)
        case Load(operand):
            yield operand
        case Binary(_, left, right):
            yield from loads(left)
            yield from loads(right)
        case Unary(_, value):
            yield from loads(value)
        case _:
            assert_never(expr)
