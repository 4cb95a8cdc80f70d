"""The user's Python variables around a traced body, which has one value of each.

A body is traced once, so a counter that it moves on would silently begin every iteration at the
same number. What a branch sets would hold below it whatever its condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tilelang.diagnostics import Location, callsite, flow
from tilelang.language import mistakes
from tilelang.language.tensors import Tensor
from tilelang.language.trace import Trace
from tilelang.language.vector import Expression


class Variables:
    """Python's variables as they are where the body of a loop or a branch begins."""

    def __init__(self, trace: Trace) -> None:
        """Read those of the user's function, and what the kernel reads from outside itself."""
        self._locals = flow.read_locals(callsite.user_frame())
        self._outside = trace.outside.read()
        self._trace = trace

    def check_carried(self, loop: Location) -> None:
        """Report what one iteration of the loop that has just ended would leave for the next."""
        found = list(flow.carried(callsite.user_frame(), self._locals))
        for change in [*found, *self._changed_outside(found, loop)]:
            if not _is_over(change.before):  # else the body cannot have read it
                mistakes.report_loop_variable(change, loop)

    def check_left_behind(self, begin: int, branch: Location) -> None:
        """Report what a branch, begun at instruction `begin`, leaves for the statements below."""
        found = list(flow.left_behind(callsite.user_frame(), self._locals, begin))
        for change in [*found, *self._changed_outside(found, branch)]:
            if not _is_over(change.after):  # else a use below says so better
                mistakes.report_branch_variable(change, branch)

    def _changed_outside(
        self, found: Sequence[flow.Change], loc: Location
    ) -> Iterator[flow.Change]:
        """Yield the changes of globals, attributes and the like that are not `found` already."""
        names = {change.name for change in found}
        frame = callsite.user_frame()
        for name, before, after in self._trace.outside.changes(self._outside):
            if name not in names:
                yield flow.Change(name, before, after, flow.place_of_store(frame, name) or loc)


def _is_over(value: object) -> bool:
    """Return whether `value` belongs to a body that is over, so that using it is an error."""
    match value:
        case Tensor():
            return value.scope is not None and not value.scope.is_open
        case Expression():
            return bool(value.scopes) and not value.scopes[-1].is_open
        case _:
            return False
