"""Plain numbers, dtypes and conditions as they enter element-wise expressions."""

from __future__ import annotations

from numbers import Real
from typing import Any

import ml_dtypes
import numpy as np

from tilelang.dtypes import DType, DTypeLike, dtype_hint, find_dtype
from tilelang.ir import condition as cond
from tilelang.ir.expression import (
    Comparison,
    ComparisonOp,
    Expr,
    IndexValue,
    Literal,
    Logic,
    LogicNot,
    LogicOp,
)
from tilelang.language import mistakes


def is_number(value: object) -> bool:
    """Return whether `value` is a plain number, numpy's scalars included."""
    return plain_number(value) is not None


def plain_number(value: object) -> int | float | bool | None:
    """Return a plain number as Python's own; None for anything else.

    An int that no float holds stays an int; every other number becomes a float.
    """
    if isinstance(value, int | float):
        return value
    number: Any = value
    if isinstance(value, _ARRAYS):
        number = number[()] if number.ndim == 0 else None
    if isinstance(number, _WHOLE_NUMBERS):
        return number.item()
    return float(number) if isinstance(number, _REAL_NUMBERS) else None


_ARRAYS: tuple[type[Any], ...] = (np.ndarray,)
_WHOLE_NUMBERS: tuple[type[Any], ...] = (np.integer, np.bool_)
_REAL_NUMBERS: tuple[type[Any], ...] = (Real, ml_dtypes.bfloat16)


def literal(value: object, dtype: DType) -> Literal:
    """Return a plain number as a literal of `dtype`.

    Raises:
        TileError: E0117 if `dtype` cannot hold it.
    """
    number = plain_number(value)
    assert number is not None, "only plain numbers become literals"
    whole = isinstance(number, int) or number.is_integer()
    if dtype.is_integer:
        limits = np.iinfo(dtype.name.lower())
        fits = whole and limits.min <= number <= limits.max
        number = int(number) if fits else 0
    elif dtype is DType.BOOL:
        fits = isinstance(number, bool)
    else:
        fits = isinstance(number, float) or abs(number) < _PAST_FLOATS
        number = number if fits else 0
    if not fits:
        mistakes.report(
            "E0117",
            f"{mistakes.shown(value)} is not a value of {dtype}",
            "write True or False, or compare: `x > 0`"
            if dtype is DType.BOOL
            else f"write a number that {dtype} holds, or cast the tile to a wider type",
        )
    return Literal(number, dtype)


_PAST_FLOATS = 2**1023
"""Python cannot convert ints much past this to a float."""


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape that numpy broadcasts `shapes` to, or None."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def broadcast_hint(*shapes: tuple[int, ...]) -> str:
    """Return what to write where `shapes` do not broadcast."""
    rows = {shape[-2] for shape in shapes if len(shape) > 1}
    if flat := next((shape for shape in shapes if len(shape) == 1 and shape[0] in rows), None):
        return f"allocate the {list(flat)} as ({flat[0]}, 1): axes meet from the last, as in numpy"
    return "make the sizes equal, or 1 where one repeats along an axis, as in numpy"


def want_dtype(like: DTypeLike) -> DType:
    """Return the element type `like` names.

    Raises:
        TileError: E0116 if there is none.
    """
    dtype = find_dtype(like)
    if dtype is None:
        message = f"{mistakes.shown(like)} is not an element type"
        raise mistakes.error("E0116", message, dtype_hint(like))
    return dtype


def condition_mask(condition: cond.Condition) -> Expr:
    """Return a condition over indices as a mask that is the same for every element."""
    relations = {
        cond.Relation.LESS: ComparisonOp.LESS,
        cond.Relation.EQUAL: ComparisonOp.EQUAL,
        cond.Relation.NOT_EQUAL: ComparisonOp.NOT_EQUAL,
    }
    match condition:
        case cond.Truth(value):
            return Literal(value, DType.BOOL)
        case cond.Compare(relation, index):
            return Comparison(relations[relation], IndexValue(index), Literal(0, DType.INT32))
        case cond.And(args) | cond.Or(args):
            op = LogicOp.AND if isinstance(condition, cond.And) else LogicOp.OR
            mask = condition_mask(args[0])
            for arg in args[1:]:
                mask = Logic(op, mask, condition_mask(arg))
            return mask
        case cond.Not(arg):
            return LogicNot(condition_mask(arg))
