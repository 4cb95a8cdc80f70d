"""Reads what declarations, loops and `BuildCCE` are given."""

from collections.abc import Sequence

from tilelang.backends.tik.instructions import Expr, TikType
from tilelang.backends.tik.recorder.arguments import Arguments
from tilelang.backends.tik.recorder.tensors import TensorValue
from tilelang.backends.tik.recorder.values import expression
from tilelang.backends.tik.recorder.variables import ScalarValue
from tilelang.diagnostics import Diagnostic, TileError


def dtype_of(call: Arguments, default: str | None = None) -> TikType:
    """Return the argument `dtype`, or `default` where there is none."""
    name = call.values["dtype"] if call.given("dtype") else default
    known = [dtype.value for dtype in TikType]
    if name not in known:
        raise call.error("dtype", f"one of {', '.join(known)}")
    return TikType(name)


def shape_of(call: Arguments) -> tuple[Expr, ...]:
    """Return the argument `shape`: extents, of which one may stand without a list."""
    return tuple(expression(extent) for extent in _listed(call.values["shape"]))


def flat_numbers(value: object) -> tuple[int | float, ...]:
    """Return the numbers in nested lists, in order."""
    if isinstance(value, int | float):
        return (value,)
    return tuple(number for item in _listed(value) for number in flat_numbers(item))


def whole_bound(bound: Expr) -> Expr:
    """Return a bound of a loop; TIK cuts off what follows the point."""
    return int(bound) if isinstance(bound, float) else bound


def check_loop(call: Arguments, begin: Expr, end: Expr, threads: int, blocks: Expr) -> None:
    """Raise E1201 or E1210 for a loop that runs backwards, or over cores from elsewhere than 0."""
    if isinstance(begin, int) and isinstance(end, int) and end < begin:
        raise call.error("endt", f"{begin} or more, which is where the loop begins")
    if blocks == 1:
        return
    if threads > 1:
        raise call.error("thread_num", "1 in a loop with block_num")
    if begin != 0 or end != blocks:
        message = "for_range: a loop with block_num runs from 0 to block_num"
        hint = "write for_range(0, cores, block_num=cores)"
        raise TileError(Diagnostic("E1210", message, call.loc, hint=hint))


def argument_names(call: Arguments, name: str) -> tuple[str, ...]:
    """Return the names of the tensors and InputScalars that `BuildCCE` is given as `name`."""
    value = call.values[name]
    if value is None:
        return ()
    items = _listed(value)
    arguments = [item for item in items if isinstance(item, TensorValue | ScalarValue)]
    if len(arguments) != len(items):
        raise call.error(name, "GM tensors and InputScalars")
    return tuple(dict.fromkeys(item.name for item in arguments))


def _listed(value: object) -> Sequence[object]:
    """Return a list or tuple as it is, anything else as the only item of one."""
    if isinstance(value, list | tuple):
        return [*value]  # pyright: ignore[reportUnknownVariableType]
    return (value,)
