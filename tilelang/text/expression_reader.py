"""Element-wise expressions in the text form.

Numbers without a dtype are read as placeholders first; when the tree around them is known, they get
the dtype that `literal_dtypes` says.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from tilelang.diagnostics import TileError
from tilelang.dtypes import ELEMENT_TYPES, DType, find_dtype
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
    children,
)
from tilelang.text.calls import called_function, read_arguments
from tilelang.text.index_reader import read_index, read_number, read_whole
from tilelang.text.literal_dtypes import operand_dtypes
from tilelang.text.region_reader import is_region, read_region
from tilelang.text.scope import Scope
from tilelang.text.syntax import Node

_UNARY = {op.value: op for op in UnaryOp}
_BINARY = {op.value: op for op in BinaryOp}
_COMPARISON = {op.value: op for op in ComparisonOp}
_LOGIC = {op.value: op for op in LogicOp}
_ROUNDING = {rounding.value: rounding for rounding in Rounding}
_DTYPES = {dtype.value for dtype in ELEMENT_TYPES}
_FUNCTIONS = sorted(
    {*_UNARY, "maximum", "minimum", "where", "cast", "position", "index", "as_matrix", *_DTYPES}
)


def read_expression(node: Node, scope: Scope, dtype: DType) -> Expr:
    """Return the expression that `node` writes, for elements of `dtype`."""
    reader = _Reader(scope)
    return reader.settle(reader.read(node), dtype)


def read_dtype(node: Node, scope: Scope) -> DType:
    """Return the dtype that `node` names."""
    dtype = find_dtype(node.text) if node.kind == "name" else None
    if dtype is None:
        raise scope.unknown("E0505", "dtype", node, _DTYPES)
    return dtype


class _Reader:
    """Reads one expression and remembers where its plain numbers stand."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.plain: dict[int, Node] = {}
        """The nodes of the literals without a dtype, by the identity of the placeholder."""
        self.placeholders: list[Literal] = []

    def read(self, node: Node) -> Expr:
        """Return the expression with placeholders for plain numbers."""
        number = read_number(node)
        if number is not None:
            return self._placeholder(number, node)
        match node.kind:
            case "name" if node.text in ("True", "False"):
                return Literal(node.text == "True", DType.BOOL)
            case "unary":
                return self._read_unary(node)
            case "binary":
                return self._read_binary(node)
            case _ if is_region(node):
                return Load(read_region(node, self.scope))
            case "call" if called_function(node):
                return self._read_call(node, node.children[0])
            case _:
                message = f"`{self.scope.source.shown(node)}` stands where an expression is wanted"
                hint = "write a buffer, a number or a function of them: `exp(x) + 1.0`"
                raise self.scope.error("E0507", message, node, hint=hint)

    def settle(self, expr: Expr, wanted: DType | None) -> Expr:
        """Return `expr` with a dtype for every placeholder; `wanted` is that of a plain number."""
        if isinstance(expr, Literal):
            node = self.plain.get(id(expr))
            if node is None:
                return expr
            if wanted is None or wanted is DType.BOOL:
                raise self._no_dtype(node, wanted)
            return replace(expr, dtype=wanted)
        operands = zip(children(expr), operand_dtypes(expr, wanted), strict=True)
        return _with_operands(expr, [self.settle(child, dtype) for child, dtype in operands])

    def _placeholder(self, number: float, node: Node) -> Literal:
        literal = Literal(number, DType.BOOL)
        self.placeholders.append(literal)  # kept alive, so that its identity stays its own
        self.plain[id(literal)] = node
        return literal

    def _no_dtype(self, node: Node, wanted: DType | None) -> TileError:
        text = self.scope.source.shown(node)
        message = f"nothing beside `{text}` says what dtype it has"
        dtype = DType.FLOAT32 if isinstance(read_number(node), float) else DType.INT32
        hint = f"write it: `{dtype}({text})`"
        if wanted is DType.BOOL:
            message = f"`{text}` stands where a comparison or another bool is wanted"
            hint = "compare something: `x < 0.0`"
        return self.scope.error("E0510", message, node, hint=hint)

    def _read_unary(self, node: Node) -> Expr:
        symbol, operand = node.children
        x = self.read(operand)
        return Unary(UnaryOp.NEGATE, x) if symbol.text == "-" else LogicNot(x)

    def _read_binary(self, node: Node) -> Expr:
        left, right = self.read(node.children[0]), self.read(node.children[2])
        symbol = node.children[1]
        if symbol.text in _BINARY:
            return Binary(_BINARY[symbol.text], left, right)
        if symbol.text in _COMPARISON:
            return Comparison(_COMPARISON[symbol.text], left, right)
        if symbol.text in _LOGIC:
            return Logic(_LOGIC[symbol.text], left, right)
        message = f"tiles have no `{symbol.text}`"
        raise self.scope.error("E0505", message, symbol, hint=f"use one of: {', '.join(_BINARY)}")

    def _read_call(self, node: Node, function: Node) -> Expr:
        name = function.text
        match name:
            case "where":
                return Where(*self._operands(node, "condition", "then", "otherwise"))
            case "maximum" | "minimum":
                return Binary(_BINARY[name], *self._operands(node, "x", "y"))
            case "cast":
                return self._read_cast(node)
            case "position":
                axis = read_arguments(node, self.scope, ["axis"])["axis"]
                return Position(read_whole(axis, self.scope, least=0))
            case "index":
                value = read_arguments(node, self.scope, ["value"])["value"]
                return IndexValue(read_index(value, self.scope))
            case _ if name in _DTYPES:
                return self._read_typed_number(node, function)
            case _ if name in _UNARY:
                return Unary(_UNARY[name], *self._operands(node, "x"))
            case _:
                raise self.scope.unknown("E0505", "function", function, _FUNCTIONS)

    def _operands(self, node: Node, *names: str) -> list[Expr]:
        arguments = read_arguments(node, self.scope, names)
        return [self.read(arguments[name]) for name in names]

    def _read_cast(self, node: Node) -> Cast:
        arguments = read_arguments(node, self.scope, ["x", "dtype"], ["round"])
        rounding = arguments.get("round")
        if rounding is not None and rounding.text not in _ROUNDING:
            raise self.scope.unknown("E0505", "rounding", rounding, _ROUNDING)
        return Cast(
            self.read(arguments["x"]),
            read_dtype(arguments["dtype"], self.scope),
            _ROUNDING[rounding.text] if rounding else Rounding.NEAREST,
        )

    def _read_typed_number(self, node: Node, function: Node) -> Literal:
        value = read_arguments(node, self.scope, ["value"])["value"]
        number = read_number(value)
        if number is None:
            message = f"`{self.scope.source.shown(value)}` stands where a number is wanted"
            hint = f"write `cast(..., {function.text})` to convert what is not a number"
            raise self.scope.error("E0507", message, value, hint=hint)
        return Literal(number, read_dtype(function, self.scope))


def _with_operands(expr: Expr, operands: Sequence[Expr]) -> Expr:
    match expr:
        case Load() | Literal() | IndexValue() | Position():
            return expr
        case Unary() | LogicNot() | Cast():
            return replace(expr, x=operands[0])
        case Binary() | Comparison() | Logic():
            return replace(expr, left=operands[0], right=operands[1])
        case Where():
            return Where(*operands)
        case _:
            assert_never(expr)
