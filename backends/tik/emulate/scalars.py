"""Scalar expressions as closures, and how values fit their types."""

import math
from collections.abc import Callable
from typing import TypeAlias, assert_never

import numpy as np

from tilelang.backends.tik.emulate.state import State, declared_note, number
from tilelang.backends.tik.instructions import (
    Binary,
    BinaryOp,
    Expr,
    Item,
    Load,
    Name,
    Operand,
    Scope,
    TikType,
    Unary,
    UnaryOp,
    calculate,
)
from tilelang.diagnostics import Diagnostic, Location, TileError

Number: TypeAlias = int | float
Thunk: TypeAlias = Callable[[], Number]


def compile_expr(expr: Expr, state: State, loc: Location) -> Thunk:
    """Return a closure that evaluates `expr` in `state`; `loc` is for its errors."""
    match expr:
        case int():
            number = int(expr)  # without its name, see `resolve`
            return lambda: number
        case float():
            return lambda: expr
        case Name(name):
            variables = state.variables
            return lambda: variables[name]
        case Item(array, index):
            return _item(array, compile_expr(index, state, loc), state, loc)
        case Load(operand):
            return _load(operand, state, loc)
        case Binary(op, left, right):
            return _binary(op, compile_expr(left, state, loc), compile_expr(right, state, loc))
        case Unary(op, value):
            return _unary(op, compile_expr(value, state, loc))
        case _:
            assert_never(expr)


def fit(value: Number, dtype: TikType) -> Number:
    """Return `value` as a variable of `dtype` holds it: rounded, truncated, wrapped; NaN is 0."""
    if dtype.is_float:
        with np.errstate(over="ignore"):
            return float(np.array(value, np.float64).astype(dtype.numpy).astype(np.float64))
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else 0
    if dtype is TikType.BOOL:
        return int(bool(value))
    bits = 8 * dtype.n_bytes
    wrapped = value & ((1 << bits) - 1)
    is_signed = np.issubdtype(dtype.numpy, np.signedinteger)
    return wrapped - (1 << bits) if is_signed and wrapped >> (bits - 1) else wrapped


def read_element(
    state: State, operand: Operand, offset: int, loc: Location, dtype: TikType | None = None
) -> Number:
    """Return the element of `operand` at `offset`, or the bits there as a value of `dtype`.

    Raises:
        TileError: E1205 for a memory that the scalar unit cannot read, E1203 behind the end, E1207
            for undefined bytes.
    """
    buffer = state.buffers[operand.tensor]
    wanted = dtype or operand.dtype
    start = offset * operand.dtype.n_bytes
    _check_scalar_memory(state, buffer.scope, operand, loc, "read")
    if start < 0 or start + wanted.n_bytes > buffer.data.size or start >= buffer.n_bytes:
        raise TileError(_element_overflow(state, operand, start, loc))
    if buffer.shadow[start : start + wanted.n_bytes].any():
        state.report(_undefined(state, operand, start, loc))
    raw = buffer.data[start : start + wanted.n_bytes].view(wanted.numpy)[0]
    return float(raw) if wanted.is_float else int(raw)


def write_element(
    state: State, operand: Operand, offset: int, value: Number, loc: Location
) -> None:
    """Set the element of `operand` at `offset`.

    Raises:
        TileError: E1205 for a memory that the scalar unit cannot write, E1203 behind the end.
    """
    buffer = state.buffers[operand.tensor]
    start = offset * operand.dtype.n_bytes
    _check_scalar_memory(state, buffer.scope, operand, loc, "write")
    if not 0 <= start <= buffer.n_bytes - operand.dtype.n_bytes:
        raise TileError(_element_overflow(state, operand, start, loc))
    end = start + operand.dtype.n_bytes
    element = np.array([fit(value, operand.dtype)]).astype(operand.dtype.numpy)
    buffer.data[start:end] = element.view(np.uint8)
    buffer.shadow[start:end] = 0


def _check_scalar_memory(
    state: State, scope: Scope, operand: Operand, loc: Location, verb: str
) -> None:
    # TIK reference, set_as: the first generation's scalar unit reaches UB only.
    reachable = (Scope.UB, Scope.GM) if state.soc.machine.is_split else (Scope.UB,)
    if scope not in reachable:
        raise TileError(
            Diagnostic(
                "E1205",
                f"set_as: the scalar unit of {state.soc.name} cannot {verb} {scope}, where "
                f"`{operand.tensor}` is",
                loc,
                hint="go through UB with data_move",
                notes=declared_note(state.buffers[operand.tensor]),
            )
        )


def _element_overflow(state: State, operand: Operand, start: int, loc: Location) -> Diagnostic:
    buffer, size = state.buffers[operand.tensor], operand.dtype.n_bytes
    n_elements = buffer.n_bytes // size
    return Diagnostic(
        "E1203",
        f"the scalar unit addresses element {start // size:,} of `{operand.tensor}`, which has "
        f"{n_elements:,} of {operand.dtype}",
        loc,
        hint=f"use an index from 0 to {n_elements - 1:,}",
        notes=declared_note(buffer),
    )


def _undefined(state: State, operand: Operand, start: int, loc: Location) -> Diagnostic:
    return Diagnostic(
        "E1207",
        f"the scalar unit reads byte {start:,} of `{operand.tensor}`, which is undefined",
        loc,
        hint="write it first: data_move, vector_dup, set_as",
        notes=declared_note(state.buffers[operand.tensor]),
    )


def _load(operand: Operand, state: State, loc: Location) -> Thunk:
    offset = compile_expr(operand.offset, state, loc)
    return lambda: read_element(state, operand, number(offset()), loc)


def _item(array: str, index: Thunk, state: State, loc: Location) -> Thunk:
    def read() -> Number:
        values, position = state.arrays[array], number(index())
        check_item(array, position, len(values), loc)
        return values[position]

    return read


def check_item(array: str, index: int, length: int, loc: Location) -> None:
    """Raise E1203 if a ScalarArray has no element `index`."""
    if not 0 <= index < length:
        message = f"element {index} of the ScalarArray `{array}`, which has {length}"
        raise TileError(Diagnostic("E1203", message, loc))


def _binary(op: BinaryOp, left: Thunk, right: Thunk) -> Thunk:
    match op:
        case BinaryOp.ADD:
            return lambda: left() + right()
        case BinaryOp.MUL:
            return lambda: left() * right()
        case BinaryOp.AND:
            return lambda: int(bool(left()) and bool(right()))
        case BinaryOp.OR:
            return lambda: int(bool(left()) or bool(right()))
        case _:
            return lambda: calculate(op, left(), right())


def _unary(op: UnaryOp, value: Thunk) -> Thunk:
    match op:
        case UnaryOp.NEG:
            return lambda: -value()
        case UnaryOp.INVERT:
            return lambda: ~int(value())
        case UnaryOp.NOT:
            return lambda: int(not value())
        case _:
            assert_never(op)
