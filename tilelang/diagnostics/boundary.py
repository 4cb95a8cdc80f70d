"""Where errors leave the package: their traceback then shows the user's code, and not how it works.

Python prints the frames between the user's call and the mistake; of ours only the door is left.
`TILELANG_TRACEBACK=full` keeps them all, for who works on the package itself.
"""

import os
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

from tilelang.diagnostics import Diagnostic, TileError, callsite
from tilelang.diagnostics.signatures import form, is_of_the_call, misfit

VARIABLE = "TILELANG_TRACEBACK"

_HINTS = {
    "kernel": 'write `@tl.kernel("x[M, N]: T -> y[M, N]: T")` above the function',
    "sweep": 'give the values to try as one mapping: `sweep({"m_tile": [16, 32]}, M=64, ...)`',
}

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def boundary(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate what users call, so that a `TileError` from it shows their frames.

    Arguments that it does not take are one too: E0819 where Python would raise TypeError.
    """

    @wraps(function)
    def call(*args: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        __tracebackhide__ = True  # pytest leaves this frame out as well
        try:
            return function(*args, **keywords)
        except TileError as error:
            raise without_internals(error) from None
        except TypeError as error:
            if not is_of_the_call(error):
                raise
            name = function.__qualname__.removeprefix("Kernel.")
            hint = _HINTS.get(name, f"it is called as `{form(name, function)}`")
            place = callsite.location(None)
            raise TileError(Diagnostic("E0819", misfit(name, error), place, hint)) from None

    return call


def without_internals(error: TileError) -> TileError:
    """Return `error` with the frames of the user's code alone in its traceback."""
    if os.environ.get(VARIABLE) != "full":
        error.__traceback__ = _users(error.__traceback__)
    return error


def _users(trace: TracebackType | None) -> TracebackType | None:
    frames: list[TracebackType] = []
    while trace is not None:
        if not callsite.is_internal(trace.tb_frame):
            frames.append(trace)
        trace = trace.tb_next
    kept: TracebackType | None = None
    for one in reversed(frames):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept
