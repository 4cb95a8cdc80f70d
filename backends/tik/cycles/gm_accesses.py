"""Where all cores touch GM, as arrays over all iterations at once.

The text is walked once; a loop variable is an array along an axis of its own, so every address is
computed for all iterations and cores by whole numpy operations. Conditions are taken to hold.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    FRACTAL_BYTES,
    Binary,
    BinaryOp,
    Body,
    DataMove,
    DataMovePad,
    Expr,
    Fixpipe,
    ForRange,
    InstructionProgram,
    Item,
    Load,
    Load2d,
    Name,
    Scalar,
    ScalarFunction,
    ScalarOp,
    Scope,
    SetScalar,
    Unary,
    UnaryOp,
    bodies,
)

Array: TypeAlias = NDArray[np.int64]

_MOST_ELEMENTS = 1 << 18
"""Of one array of addresses; longer loops are cut, which leaves their beginning."""


@dataclass(frozen=True, slots=True)
class Access:
    """Addresses [core, step ...] that one instruction starts at in GM, and bytes of one move."""

    tensor: str
    addresses: Array
    n_bytes: float


def gm_accesses(
    program: InstructionProgram,
    scopes: Mapping[str, Scope],
    scalars: Mapping[str, int | float],
    n_cores: int,
) -> list[Access]:
    """Return the accesses of `n_cores` iterations of block loops, where addresses are known."""
    known = {name: np.array([int(value)]) for name, value in scalars.items()}
    cores = np.arange(min(n_cores, _MOST_ELEMENTS), dtype=np.int64)
    return list(_walk(program.body, known, [cores.size], scopes, cores))


def _walk(
    body: Body,
    known: dict[str, Array],
    shape: list[int],
    scopes: Mapping[str, Scope],
    cores: Array,
) -> Iterator[Access]:
    for item in body:
        match item:
            case ForRange():
                inner = _enter(item, known, shape, cores)
                if inner is not None:
                    yield from _walk(item.body, known, inner, scopes, cores)
            case Scalar(name, init=init):
                _assign(known, name, _evaluate(init or 0, known))
            case SetScalar(Name(name), value):
                _assign(known, name, _evaluate(value, known))
            case ScalarFunction(op, Name(name), args):
                _assign(known, name, _function(op, [_evaluate(arg, known) for arg in args]))
            case DataMove() | DataMovePad() | Fixpipe() | Load2d():
                yield from _access(item, known, shape, scopes)
            case _:
                for inside in bodies(item):
                    yield from _walk(inside, known, shape, scopes, cores)


def _assign(known: dict[str, Array], name: str, value: Array | None) -> None:
    known.pop(name, None)
    if value is not None:
        known[name] = value


def _enter(
    loop: ForRange, known: dict[str, Array], shape: list[int], cores: Array
) -> list[int] | None:
    """Give the variable of `loop` its values; return the shape inside; None if nothing runs."""
    if loop.is_block_loop:
        known[loop.var] = cores
        return shape
    begin, end = _evaluate(loop.begin, known), _evaluate(loop.end, known)
    if begin is None or end is None:
        return None
    count = min(int(end.max()) - int(begin.min()), max(_MOST_ELEMENTS // int(np.prod(shape)), 1))
    if count <= 0:
        return None
    steps = np.arange(count, dtype=np.int64).reshape([1] * len(shape) + [count])
    known[loop.var] = _apply(np.add, begin, steps)
    return [*shape, count]


def _access(
    item: DataMove | DataMovePad | Fixpipe | Load2d,
    known: Mapping[str, Array],
    shape: list[int],
    scopes: Mapping[str, Scope],
) -> Iterator[Access]:
    n_bytes = _n_bytes(item, known)
    for end in (item.src, item.dst):
        if scopes[end.tensor] is Scope.GM:
            start = _evaluate(end.offset, known)
            if start is not None and n_bytes:
                start = start * end.dtype.n_bytes
                start = start.reshape([*start.shape, *[1] * (len(shape) - start.ndim)])
                yield Access(end.tensor, np.broadcast_to(start, shape), n_bytes)


def _n_bytes(item: DataMove | DataMovePad | Fixpipe | Load2d, known: Mapping[str, Array]) -> float:
    """Return the bytes of one move, on average; 0 if that is not known."""
    match item:
        case DataMove(n_burst=n_burst, burst=burst) | Fixpipe(n_burst=n_burst, burst=burst):
            parts = (n_burst, burst, BLOCK_BYTES)
        case DataMovePad(n_burst=n_burst, burst=burst):
            parts = (n_burst, burst)
        case Load2d(repeat=repeat):
            parts = (repeat, FRACTAL_BYTES)
        case _:
            assert_never(item)
    total = 1.0
    for part in parts:
        values = _evaluate(part, known)
        total *= 0.0 if values is None else float(values.mean())
    return total


def _evaluate(expr: Expr, known: Mapping[str, Array]) -> Array | None:
    """Return the values of `expr` for all iterations; None if they depend on data."""
    match expr:
        case int() | float():
            return np.array([int(expr)], np.int64)
        case Name(name):
            return known.get(name)
        case Item() | Load():
            return None
        case Binary(op, left, right):
            first, second = _evaluate(left, known), _evaluate(right, known)
            if first is None or second is None:
                return None
            return _apply(_FUNCTIONS[op], first, second)
        case Unary(op, value):
            inner = _evaluate(value, known)
            return None if inner is None else _unary(op, inner)
        case _:
            assert_never(expr)


def _apply(function: Callable[..., Any], left: Array, right: Array) -> Array:
    """Return `function` of two arrays whose *first* axes correspond."""
    n_axes = max(left.ndim, right.ndim)
    left, right = (
        array.reshape([*array.shape, *[1] * (n_axes - array.ndim)]) for array in (left, right)
    )
    return np.asarray(function(left, right)).astype(np.int64)


def _unary(op: UnaryOp, value: Array) -> Array:
    match op:
        case UnaryOp.NEG:
            return -value
        case UnaryOp.INVERT:
            return ~value
        case UnaryOp.NOT:
            return (value == 0).astype(np.int64)
        case _:
            assert_never(op)


def _function(op: ScalarOp, args: list[Array | None]) -> Array | None:
    known = [arg for arg in args if arg is not None]
    if len(known) < len(args):
        return None
    match op:
        case ScalarOp.MAX:
            return _apply(np.maximum, known[0], known[1])
        case ScalarOp.MIN:
            return _apply(np.minimum, known[0], known[1])
        case ScalarOp.CONVERT:
            return known[0]
        case _:
            return None


def _quotient(left: Array, right: Array) -> Array:
    return np.where(right == 0, 0, left // np.where(right == 0, 1, right))


def _remainder(left: Array, right: Array) -> Array:
    return np.where(right == 0, 0, left % np.where(right == 0, 1, right))


_FUNCTIONS: dict[BinaryOp, Callable[..., Any]] = {
    BinaryOp.ADD: np.add,
    BinaryOp.SUB: np.subtract,
    BinaryOp.MUL: np.multiply,
    BinaryOp.DIV: _quotient,
    BinaryOp.TRUE_DIV: _quotient,
    BinaryOp.MOD: _remainder,
    BinaryOp.SHL: np.left_shift,
    BinaryOp.SHR: np.right_shift,
    BinaryOp.BIT_AND: np.bitwise_and,
    BinaryOp.BIT_OR: np.bitwise_or,
    BinaryOp.BIT_XOR: np.bitwise_xor,
    BinaryOp.LT: np.less,
    BinaryOp.LE: np.less_equal,
    BinaryOp.GT: np.greater,
    BinaryOp.GE: np.greater_equal,
    BinaryOp.EQ: np.equal,
    BinaryOp.NE: np.not_equal,
    BinaryOp.AND: np.logical_and,
    BinaryOp.OR: np.logical_or,
}
