"""Finds the line of a script that called the recorder."""

import sys
from itertools import islice
from pathlib import Path
from types import FrameType

from tilelang.diagnostics import UNKNOWN, Location

_PACKAGE = str(Path(__file__).parents[1])
_MAX_CALLERS = 4


def caller() -> Location:
    """Return the innermost line outside this package, with its callers in the same file."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    return _location(frame, _MAX_CALLERS) if frame is not None else UNKNOWN


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith(_PACKAGE) or name.endswith("contextlib.py")


def _location(frame: FrameType, n_callers: int) -> Location:
    code = frame.f_code
    line, end_line, column, end_column = next(
        islice(code.co_positions(), frame.f_lasti // 2, None), (frame.f_lineno, None, None, None)
    )
    back = frame.f_back
    if back is None or n_callers == 0 or back.f_code.co_filename != code.co_filename:
        outer = None
    else:
        outer = _location(back, n_callers - 1)
    return Location(
        code.co_filename, line or frame.f_lineno, column, end_column, end_line, called_from=outer
    )
