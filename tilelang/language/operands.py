"""What the operands of element-wise expressions must be: numbers, masks, and not too many."""

from __future__ import annotations

import math

from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.language import mistakes
from tilelang.language.literals import plain_number

MOST_DEEP = 100
"""Operations inside each other: every backend walks expressions by recursion."""
MOST_OPERATIONS = 4096
"""Of one expression; `e = e * e` doubles it each time."""


def check_size(depth: int, n_operations: int) -> None:
    """Check how deep operations nest, and how many of them there are.

    Raises:
        TileError: E0143 for too many.
    """
    if depth <= MOST_DEEP and n_operations <= MOST_OPERATIONS:
        return
    found = f"nests {depth} operations, and at most {MOST_DEEP} can be"
    if n_operations > MOST_OPERATIONS:
        found = f"has {n_operations:,} operations, and at most {MOST_OPERATIONS:,} can be in one"
    raise mistakes.error(
        "E0143",
        f"this expression {found}; nothing of it is computed before it is stored",
        "store it on the way, and go on with the tile: `t[:] = e`; in a loop add up in place: "
        "`t += x`",
    )


def check_no_nan(*operands: object) -> None:
    """Check that a comparison can hold.

    Raises:
        TileError: E0115 if one of the operands is a plain NaN.
    """
    numbers = [plain_number(operand) for operand in operands]
    if any(number is not None and math.isnan(number) for number in numbers):
        raise mistakes.error(
            "E0115",
            "a tile is compared with NaN, which is neither less, nor equal, nor more than anything",
            "write `x != x`, a mask of the elements that are NaN",
        )


def check_mask(dtype: DType) -> None:
    """Check that an operand of `dtype` is a mask.

    Raises:
        TileError: E0115.
    """
    if dtype is not DType.BOOL:
        raise no_mask(str(dtype))


def no_mask(found: str) -> TileError:
    """Return the mistake of `found`, in words, where a mask is wanted."""
    return mistakes.error("E0115", f"{found} where a mask is wanted", "compare it first: `x > 0`")


def check_number(operation: str, dtype: DType) -> None:
    """Check that an operand of `dtype` is made of numbers.

    Raises:
        TileError: E0115 for a mask.
    """
    if dtype is DType.BOOL:
        raise mistakes.error(
            "E0115",
            f"`{operation}` of a mask, wanted numbers",
            'write `tl.where(mask, tl.cast(1, "float32"), 0)` to turn a mask into numbers',
        )
