"""What `tik.all`, `tik.any` and `tik.negate` return: Python's own words cannot be recorded."""

from tilelang.backends.tik.instructions import BinaryOp, UnaryOp, all_of, unary
from tilelang.backends.tik.recorder.values import Like, Value, expression


def every(*conditions: Like) -> Value:
    """Return the condition that all `conditions` hold: `tik.all`."""
    return Value(all_of(BinaryOp.AND, *(expression(item) for item in conditions)))


def some(*conditions: Like) -> Value:
    """Return the condition that one of `conditions` holds: `tik.any`."""
    return Value(all_of(BinaryOp.OR, *(expression(item) for item in conditions)))


def negate(condition: Like) -> Value:
    """Return the condition that `condition` does not hold: `tik.negate`."""
    return Value(unary(UnaryOp.NOT, expression(condition)))
