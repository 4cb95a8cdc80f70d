"""Numbers, indices and conditions in the text form."""

import math
import operator
from collections.abc import Callable

from tilelang.diagnostics import TileError
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.text.calls import called_function
from tilelang.text.scope import Scope
from tilelang.text.syntax import Node

_EXTREMES = {"minimum": ix.minimum, "maximum": ix.maximum}
_DIVISIONS = {"//": ix.floor_div, "%": ix.modulo}
_COMPARISONS: dict[str, Callable[[Index, Index], Condition]] = {
    "<": cond.less,
    "<=": cond.less_equal,
    ">": lambda left, right: cond.less(right, left),
    ">=": lambda left, right: cond.less_equal(right, left),
    "==": cond.equal,
    "!=": cond.not_equal,
}
_CHAINS = {"&": cond.conjunction, "|": cond.disjunction}
_CONSTANTS = {"inf": math.inf, "nan": math.nan}


def read_index(node: Node, scope: Scope) -> Index:
    """Return the index that `node` writes."""
    match node.kind:
        case "whole":
            return ix.constant(int(node.text))
        case "name":
            scope.check_variable(node)
            return ix.variable(node.text)
        case "unary" if node.children[0].text == "-":
            return ix.scale(read_index(node.children[1], scope), -1)
        case "binary" if node.children[1].text in ("+", "-", "*", "//", "%"):
            return _read_arithmetic(node, scope)
        case "call":
            return _read_extreme(node, scope)
        case _:
            raise _no_index(node, scope)


def read_whole(node: Node, scope: Scope, *, least: int | None = None) -> int:
    """Return the whole number that `node` writes, computed if it is arithmetic."""
    value = read_index(node, scope)
    wanted = "a whole number" if least is None else f"a whole number of {least} or more"
    if not value.is_constant or (least is not None and value.constant < least):
        message = f"`{scope.source.shown(node)}` stands where {wanted} is wanted"
        raise scope.error("E0507", message, node, hint=f"write {wanted}")
    return value.constant


def read_number(node: Node) -> int | float | None:
    """Return the literal number that `node` writes, None if it is none; `-1.0` is one."""
    match node.kind:
        case "whole":
            return int(node.text)
        case "fraction":
            return float(node.text)
        case "name":
            return _CONSTANTS.get(node.text)
        case "unary" if node.children[0].text == "-" and node.children[1].kind != "unary":
            value = read_number(node.children[1])
            return None if value is None else operator.neg(value)
        case _:
            return None


def read_condition(node: Node, scope: Scope) -> Condition:
    """Return the condition that `node` writes."""
    match node.kind:
        case "name" if node.text in ("True", "False"):
            return cond.TRUE if node.text == "True" else cond.FALSE
        case "unary" if node.children[0].text == "~":
            return cond.negate(read_condition(node.children[1], scope))
        case "binary":
            return _read_comparison(node, scope)
        case _:
            raise _no_condition(node, scope)


def _read_arithmetic(node: Node, scope: Scope) -> Index:
    left, symbol, right = node.children
    first, second = read_index(left, scope), read_index(right, scope)
    match symbol.text:
        case "+":
            return ix.add(first, second)
        case "-":
            return ix.subtract(first, second)
        case "*":
            return _multiply(node, first, second, scope)
        case division:
            if not second.is_constant or second.constant <= 0:
                message = f"`{scope.source.shown(right)}` divides, and a positive number is wanted"
                hint = "divide an index by a number, as in `i//4`"
                raise scope.error("E0508", message, right, hint=hint)
            return _DIVISIONS[division](first, second.constant)


def _multiply(node: Node, first: Index, second: Index, scope: Scope) -> Index:
    if first.is_constant:
        return ix.scale(second, first.constant)
    if second.is_constant:
        return ix.scale(first, second.constant)
    message = "two indices are multiplied, and one of them must be a number"
    raise scope.error("E0508", message, node, hint="write a number on one side, as in `16*i`")


def _read_extreme(node: Node, scope: Scope) -> Index:
    function = called_function(node)
    if function is None or any(part.kind == "keyword" for part in node.children):
        raise _no_index(node, scope)
    if function.text not in _EXTREMES:
        raise scope.unknown("E0505", "function of indices", function, _EXTREMES)
    if len(node.children) == 1:
        message = f"`{function.text}` needs at least one index"
        raise scope.error("E0506", message, node, hint=f"write `{function.text}(i, 8)`")
    return _EXTREMES[function.text](*(read_index(part, scope) for part in node.children[1:]))


def _read_comparison(node: Node, scope: Scope) -> Condition:
    left, symbol, right = node.children
    if symbol.text in _COMPARISONS:
        return _COMPARISONS[symbol.text](read_index(left, scope), read_index(right, scope))
    if symbol.text in _CHAINS:
        return _CHAINS[symbol.text](read_condition(left, scope), read_condition(right, scope))
    raise _no_condition(node, scope)


def _no_index(node: Node, scope: Scope) -> TileError:
    message = f"`{scope.source.shown(node)}` stands where an index is wanted"
    hint = "an index is made of loop variables and whole numbers: `128*i + 3`, `minimum(i, 8)`"
    return scope.error("E0507", message, node, hint=hint)


def _no_condition(node: Node, scope: Scope) -> TileError:
    message = f"`{scope.source.shown(node)}` stands where a condition is wanted"
    hint = "a condition compares indices: `k == 0`, `(i < 3) & ~(j == k)`"
    return scope.error("E0507", message, node, hint=hint)
