"""What an exception of a user's file shows: the frames of that file, not those that ran it."""

import traceback
from types import TracebackType

from tilelang.diagnostics.callsite import is_internal


def show_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print `error` to the standard error; the process's `sys.excepthook`."""
    traceback.print_exception(kind, error, _from_users_file(trace))


def _from_users_file(trace: TracebackType | None) -> TracebackType | None:
    """Return the frames behind the last of ours; all of them if the exception is ours."""
    found = trace
    here = trace
    while here is not None:
        if is_internal(here.tb_frame):
            found = here.tb_next
        here = here.tb_next
    return found or trace
