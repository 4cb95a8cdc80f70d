"""Plain numbers, dtypes and conditions as they enter element-wise expressions."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from tilelang.dtypes import ELEMENT_TYPES, DType, DTypeLike, find_dtype
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
    return isinstance(value, Real) or (isinstance(value, np.generic) and value.ndim == 0)


def literal(value: object, dtype: DType) -> Literal:
    """Return a plain number as a literal of `dtype`.

    Raises:
        TileError: E0117 if `dtype` cannot hold it.
    """
    number = _python_number(value)
    if dtype.is_integer:
        limits = np.iinfo(dtype.name.lower())
        fits = float(number).is_integer() and limits.min <= number <= limits.max
        number = int(number) if fits else 0
    else:
        fits = dtype is not DType.BOOL or isinstance(number, bool)
    if not fits:
        mistakes.report(
            "E0117",
            f"{value!r} is not a value of {dtype}",
            f"write a number that {dtype} holds, or cast the tile to a wider type",
        )
    return Literal(number, dtype)


def _python_number(value: Any) -> int | float | bool:
    return value.item() if hasattr(value, "item") else value


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape that numpy broadcasts `shapes` to, or None."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def want_dtype(like: DTypeLike) -> DType:
    """Return the element type `like` names.

    Raises:
        TileError: E0116 if there is none.
    """
    try:
        dtype = find_dtype(like)
    except TypeError:
        dtype = None
    if dtype is None:
        names = ", ".join(dtype.value for dtype in ELEMENT_TYPES)
        raise mistakes.error("E0116", f"{like!r} is not an element type", f"use one of {names}")
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
