"""Element-wise expressions as Triton expressions, each operation rounded to its own type.

Functions of float16 and bfloat16 are computed in float32 and rounded once; addition, subtraction
and multiplication are exact enough as they are. What takes more than a call is a function at the
top of the generated file (`functions.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from tilelang.backends.triton.blocks import Operand
from tilelang.backends.triton.dtype_text import TRITON, Types, number, shape_text, variable
from tilelang.backends.triton.functions import Functions
from tilelang.backends.triton.index_text import IndexText
from tilelang.backends.triton.names import has_lanes, lane_axes
from tilelang.dtypes import DType
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    Expr,
    IndexValue,
    Literal,
    Load,
    Logic,
    LogicNot,
    Position,
    Rounding,
    Unary,
    UnaryOp,
    Where,
    children,
    dtype_of,
    walk_expr,
)
from tilelang.ir.region import Region

_CALLS = {UnaryOp.EXP: "tl.exp", UnaryOp.LN: "tl.log", UnaryOp.RSQRT: "tl.rsqrt"}
_HELPERS = {
    UnaryOp.TANH: "tanh",
    UnaryOp.SIGMOID: "sigmoid",
    UnaryOp.SQRT: "square_root",
}
_ROUNDING = {
    Rounding.NEAREST: "round_nearest",
    Rounding.AWAY: "round_away",
    Rounding.TRUNCATE: "truncate",
}


@dataclass(frozen=True, slots=True)
class ExpressionText:
    """How the expression of one `Assign` is written: its operands, the indices, the functions."""

    operands: Mapping[Region, Operand]
    shape: tuple[int, ...]
    indices: IndexText
    functions: Functions
    types: Types

    def block(self, expr: Expr) -> str:
        """Return the text of `expr` as a block of `shape`."""
        found = self.shape_of(expr)
        text = bare(self.text(expr))
        if isinstance(expr, Literal | IndexValue) and not _varies(expr):
            return f"tl.full({shape_text(self.shape)}, {text}, {self.types.name(dtype_of(expr))})"
        if found != self.shape:
            return f"tl.broadcast_to({text}, {shape_text(self.shape)})"
        return text

    def shape_of(self, expr: Expr) -> tuple[int, ...]:
        """Return the shape that the loads and positions of `expr` broadcast to."""
        shapes: list[tuple[int, ...]] = [()]
        for part in walk_expr(expr):
            if isinstance(part, Load):
                shapes.append(self.operands[part.region].shape)
            if isinstance(part, IndexValue):
                axes = lane_axes(part.index, len(self.shape))
                if axes:
                    sizes = enumerate(self.shape)
                    shapes.append(tuple(size if axis in axes else 1 for axis, size in sizes))
        return np.broadcast_shapes(*shapes)

    def text(self, expr: Expr) -> str:
        """Return the text of `expr`, which may stand anywhere in an expression."""
        match expr:
            case Load() | Literal() | IndexValue() | Position():
                return self._leaf(expr)
            case Unary(op, x):
                return self._unary(op, self._tensor(x), dtype_of(x))
            case Binary(op, left, right):
                return self._binary(op, *self._pair(left, right), dtype_of(left))
            case Comparison(op, left, right):
                first, second = self._pair(left, right)
                return f"({first} {op.value} {second})"
            case Logic(op, left, right):
                return f"({self._tensor(left)} {op.value} {self._tensor(right)})"
            case LogicNot(x):
                return f"({self._tensor(x)} == 0)"
            case Where():
                parts = ", ".join(bare(self._tensor(part)) for part in children(expr))
                return f"tl.where({parts})"
            case Cast(x, dtype, rounding):
                return self._cast(self._tensor(x), dtype_of(x), dtype, rounding)
            case _:
                assert_never(expr)

    def _leaf(self, expr: Load | Literal | IndexValue | Position) -> str:
        match expr:
            case Load(region):
                return self._load(self.operands[region])
            case Literal(value, dtype):
                return number(value, dtype)
            case IndexValue(index):
                return self.indices.factor(index)
            case Position():
                raise AssertionError("positions are lanes by now")
            case _:
                assert_never(expr)

    def _pair(self, left: Expr, right: Expr) -> tuple[str, str]:
        """Return two operands: numbers and indices as they are, for they follow a block.

        Two of them are made blocks of one element: the interpreter mistakes scalars for bools.
        """
        if _varies(left) or _varies(right):
            return self.text(left), self.text(right)
        return self._tensor(left), self._tensor(right)

    def _tensor(self, expr: Expr) -> str:
        """Return `expr` as a tensor of its type, also where it is a number."""
        match expr:
            case Literal() | IndexValue() if not _varies(expr):
                ones, kind = shape_text((1,) * len(self.shape)), self.types.name(dtype_of(expr))
                return f"tl.full({ones}, {bare(self.text(expr))}, {kind})"
            case _:
                return self.text(expr)

    def _load(self, operand: Operand) -> str:
        text = operand_text(operand, self.indices)
        missing = len(self.shape) - len(operand.shape)
        if not missing or not operand.shape:
            return text
        return f"{text}[{', '.join(['None'] * missing + [':'] * len(operand.shape))}]"

    def _unary(self, op: UnaryOp, x: str, dtype: DType) -> str:
        match op:
            case UnaryOp.NEGATE:
                return f"({x} * -1.0)" if dtype.is_float else f"(-{x})"
            case UnaryOp.ABS:
                return f"tl.abs({bare(x)})"
            case UnaryOp.RELU:
                return f"{self.functions.use('relu')}({bare(x)})"
            case _:
                call = _CALLS.get(op) or self.functions.use(_HELPERS[op])
                return self._in_float32(f"{call}({{}})", dtype, x)

    def _binary(self, op: BinaryOp, left: str, right: str, dtype: DType) -> str:
        match op:
            case BinaryOp.ADD | BinaryOp.SUBTRACT | BinaryOp.MULTIPLY:
                return self._rounded(f"({left} {op.value} {right})", dtype)
            case BinaryOp.DIVIDE:
                return self._in_float32("tl.div_rn({}, {})", dtype, left, right)
            case BinaryOp.MAXIMUM | BinaryOp.MINIMUM:
                nan = ", propagate_nan=tl.PropagateNan.ALL" if dtype.is_float else ""
                text = f"tl.{op.value}({bare(left)}, {bare(right)}{nan})"
                return self._narrow(text, dtype) if dtype is DType.BFLOAT16 else text
            case _:
                assert_never(op)

    def _cast(self, x: str, source: DType, target: DType, rounding: Rounding) -> str:
        if source is target:
            return x
        if target is DType.BOOL:
            return f"({x} != 0)"
        if not target.is_integer or source is DType.BOOL:
            return self._narrow(x, target)
        if source.is_float:
            return self._to_integer(x, target, rounding)
        return _narrowed(x, source, target)

    def _to_integer(self, x: str, target: DType, rounding: Rounding) -> str:
        """Return a float, whose type float32 holds, as an integer: rounded, saturated, no NaN."""
        wide = f"{x}.to(tl.float32)"
        match rounding:
            case Rounding.FLOOR | Rounding.CEIL:
                whole = f"tl.{rounding.value}({wide})"
            case Rounding.NEAREST | Rounding.AWAY | Rounding.TRUNCATE:
                whole = f"{self.functions.use(_ROUNDING[rounding])}({wide})"
            case _:
                assert_never(rounding)
        least, most = _range(target)
        saturate = self.functions.use("saturate")
        return f"{saturate}({whole}, {least}, {most}).to({TRITON[target]})"

    def _in_float32(self, call: str, dtype: DType, *args: str) -> str:
        if dtype is DType.FLOAT32:
            return call.format(*map(bare, args))
        wide = (arg if _is_number(arg) else f"{arg}.to(tl.float32)" for arg in args)
        return self._narrow(call.format(*wide), dtype)

    def _narrow(self, text: str, dtype: DType) -> str:
        return self._rounded(f"{text}.to({self.types.name(dtype)})", dtype)

    def _rounded(self, text: str, dtype: DType) -> str:
        """Return a result of `dtype`, rounded by hand where its type is not its own."""
        if not self.types.rounds(dtype):
            return text
        return f"{self.functions.use('round_bfloat16')}({bare(text)})"


def operand_text(operand: Operand, indices: IndexText) -> str:
    """Return the text of a block that is read."""
    tiles = operand.slot.tiles
    known = operand.slot.known
    if known is not None:
        text = variable(known.name)
    else:
        which = indices.index(operand.slot.which)
        text = variable(tiles[-1].name)
        for number_, tile in reversed(list(enumerate(tiles[:-1]))):
            text = f"tl.where({which} == {number_}, {variable(tile.name)}, {text})"
    shape = tuple(operand.slot.tile.shape[axis] for axis in operand.order)
    if operand.order != tuple(range(len(operand.order))):
        swaps = operand.order == (1, 0) and text.isidentifier()
        text = f"{text}.T" if swaps else f"tl.permute({text}, {shape_text(operand.order)})"
    return text if shape == operand.shape else f"tl.reshape({text}, {shape_text(operand.shape)})"


def bare(text: str) -> str:
    """Return `text` without parentheses around all of it."""
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]


def _varies(expr: Expr) -> bool:
    """Return whether `expr` has one tensor at least."""
    return any(
        isinstance(part, Load) or (isinstance(part, IndexValue) and has_lanes(part.index))
        for part in walk_expr(expr)
    )


def _is_number(text: str) -> bool:
    return text.startswith('float("') or text.lstrip("-")[:1].isdigit()


def _range(dtype: DType) -> tuple[int, int]:
    found = np.iinfo(dtype.value)
    return int(found.min), int(found.max)


def _narrowed(x: str, source: DType, target: DType) -> str:
    (least, most), (low, high) = _range(source), _range(target)
    if least < low:
        x = f"tl.maximum({x}, {low})"
    if most > high:
        x = f"tl.minimum({x}, {high})"
    return f"{x}.to({TRITON[target]})"
