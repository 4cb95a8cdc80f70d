"""Branches: context managers that open a scope of the trace, and record it as an `If`."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, Self

from tilelang.diagnostics import Diagnostic, Location, callsite, flow
from tilelang.ir import condition as cond
from tilelang.ir.nodes import If
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.handles import ConditionLike, as_condition, is_condition
from tilelang.language.trace import Scope, Trace
from tilelang.language.variables import Variables


class _Branch:
    """The body of one branch; on leaving it the `If` is recorded, or completed."""

    def __init__(self, trace: Trace, condition: cond.Condition | None, keyword: str) -> None:
        self._trace = trace
        self._condition = condition
        self._keyword = keyword
        self._chain: tuple[If, ...] = ()
        self._before: Variables | None = None
        self._begin = 0
        self._loc = trace.here()
        trace.unopened[id(self)] = (keyword, self._loc)

    def __bool__(self) -> NoReturn:
        """Refuse: a branch is opened by `with`."""
        raise mistakes.branch_without_with(self._keyword, self._loc)

    def __enter__(self) -> Self:
        loc = self._trace.here()
        self._trace.unopened.pop(id(self), None)
        if self._keyword != "if_scope":
            self._chain = _take_chain(self._trace, self._keyword, loc)
        _ = self._trace.scope
        self._trace.open(Scope(loc))
        self._before, self._begin = Variables(self._trace), callsite.user_frame().f_lasti
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        trace, frame = self._trace, callsite.user_frame()
        scope = trace.close()
        if error is not None or flow.is_left_early(frame, self._begin):
            trace.left_early = trace.left_early or _left_early(error, trace.here())
            return
        assert self._before is not None, "a `with` is entered before it is left"
        self._before.check_left_behind(self._begin, scope.loc)
        self._record(scope)

    def _record(self, scope: Scope) -> None:
        body = tuple(scope.body)
        if self._condition is None:
            links, last = self._chain[:-1], self._chain[-1]
            stmt = If(last.condition, last.then, body, last.loc)
        else:
            links, stmt = self._chain, If(self._condition, body, (), scope.loc)
        branches = (*links, stmt)
        for link in reversed(links):
            stmt = If(link.condition, link.then, (stmt,), link.loc)
        self._trace.record(stmt)
        self._trace.scope.chain = () if self._condition is None else branches


def if_scope(condition: ConditionLike) -> _Branch:
    """Open a branch that runs where `condition`, over indices, holds: `with tl.if_scope(k == 0):`.

    Conditions compare indices, and combine by `&`, `|` and `~`. Every branch is traced; of plain
    Python values an `if` decides, while the kernel is traced.

    Example:
        for k in tl.for_range(4):
            with tl.if_scope((k == 0) | (k > 2)):
                t[:] = 0
            with tl.elif_scope(k == 1):
                t += u
            with tl.else_scope():
                t -= u

    Raises:
        TileError: E0127 if `condition` is not one.
    """
    return _branch("if_scope", condition)


def elif_scope(condition: ConditionLike) -> _Branch:
    """Open a branch that runs where `condition` holds and none before it did.

    Example:
        for k in tl.for_range(4):
            with tl.if_scope(k == 0):
                t[:] = 0
            with tl.elif_scope(k == 1):
                t += u

    Raises:
        TileError: E0127, E0128 if no branch comes directly before.
    """
    return _branch("elif_scope", condition)


def else_scope() -> _Branch:
    """Open the branch that runs where no condition before it held.

    Example:
        for k in tl.for_range(4):
            with tl.if_scope(k == 0):
                t[:] = u
            with tl.else_scope():
                t += u

    Raises:
        TileError: E0128 if no branch comes directly before.
    """
    return _Branch(tracing.current("tl.else_scope"), None, "else_scope")


def _branch(keyword: str, condition: ConditionLike) -> _Branch:
    trace = tracing.current(f"tl.{keyword}")
    if not is_condition(condition):
        raise mistakes.error(
            "E0127",
            f"`{keyword}` is given {condition!r}, wanted a condition over indices",
            "compare loop indices: `k == 0`; values of tiles decide nothing, use `tl.where`",
        )
    node = as_condition(condition)
    trace.check_condition(node)
    return _Branch(trace, node, keyword)


def _take_chain(trace: Trace, keyword: str, loc: Location) -> tuple[If, ...]:
    """Remove the `If` recorded last and return its branches, the outermost first."""
    body, chain = trace.scope.body, trace.scope.chain
    if not chain:
        raise trace.fail(
            Diagnostic(
                "E0128",
                f"`{keyword}` does not follow an `if_scope` or `elif_scope`",
                loc,
                "put it directly below the branch that it continues",
            )
        )
    body.pop()
    trace.scope.chain = ()
    return chain


def _left_early(error: BaseException | None, branch: Location) -> Diagnostic:
    if error is not None:
        return Diagnostic(
            "E0129",
            f"an exception ({type(error).__name__}) leaves this branch, which is then not traced",
            branch,
            "catch it inside the branch, or do not catch it",
        )
    return Diagnostic(
        "E0129",
        "`continue` or `return` leaves this branch early: as every branch is traced, whatever its "
        "condition, what stands below it is then skipped in every iteration",
        branch,
        "put what the other iterations do into `with tl.else_scope():`",
    )
