"""The trace: what the body of a kernel has said so far.

The body runs once. Every tile operation records a statement in the innermost open scope; loops and
`if_scope` open and close scopes; a `cores` loop makes a stage of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CodeType

from tilelang.captured import Outside
from tilelang.diagnostics import Diagnostic, Location, Note, TileError, callsite
from tilelang.diagnostics.order import order
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Core, If, Stage, Stmt


@dataclass(eq=False, slots=True)
class Scope:
    """A body that is being recorded: of a stage, a loop or a branch."""

    loc: Location
    body: list[Stmt] = field(default_factory=list[Stmt])
    grid: list[Core] = field(default_factory=list[Core])
    n_cores_open: int = 0
    is_open: bool = True
    outer_reads: dict[str, tuple[Location, Location]] = field(
        default_factory=dict[str, tuple[Location, Location]]
    )
    """Buffers that recipes made before this loop read in it: where made, and where used."""
    chain: tuple[If, ...] = ()
    """The branches of the `If` recorded last, if an `elif_scope` or `else_scope` may follow."""

    @property
    def is_cores(self) -> bool:
        """Whether this is the body of a `cores` loop."""
        return bool(self.grid)


@dataclass(slots=True)
class Trace:
    """The recording of one run of a kernel's body, whose code object is `code`."""

    code: CodeType
    outside: Outside
    """The numbers that the body reads from outside itself."""
    parts: list[Alloc | Stage] = field(default_factory=list[Alloc | Stage])
    scopes: list[Scope] = field(default_factory=list[Scope])
    automatic: set[str] = field(default_factory=set[str])
    """Names of buffers whose layout is still to be inferred."""
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    stamp: int = 0
    """Counts the writes so far."""
    writes: dict[str, tuple[int, Location]] = field(default_factory=dict[str, tuple[int, Location]])
    names: set[str] = field(default_factory=set[str])
    loops: dict[str, tuple[Location, bool]] = field(
        default_factory=dict[str, tuple[Location, bool]]
    )
    """By variable: where its loop stands, and whether that is open."""

    def here(self) -> Location:
        """Return where the user's code is now."""
        return callsite.location(self.code)

    unopened: dict[int, tuple[str, Location]] = field(
        default_factory=dict[int, tuple[str, Location]]
    )
    """Branches that no `with` has opened, by the `id` of each: its keyword and place."""

    def unique_name(self, wish: str) -> str:
        """Return `wish`, with a number behind it if the program has that name already."""
        name, n = wish, 1
        while name in self.names:
            n += 1
            name = f"{wish}_{n}"
        self.names.add(name)
        return name

    left_early: Diagnostic | None = None
    """A `break` or `return` in a traced loop, raised at the next operation."""

    # Mistakes

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep a mistake that tracing can go on after."""
        self.diagnostics.append(diagnostic)

    def fail(self, diagnostic: Diagnostic) -> TileError:
        """Return the error that ends the trace, with what was reported before."""
        return TileError(*self.diagnostics, diagnostic)

    # Scopes

    @property
    def scope(self) -> Scope:
        """The innermost open scope; outside all loops, that of a stage of one core."""
        if not self.scopes:
            self.scopes.append(Scope(self.here()))
        return self.scopes[-1]

    @property
    def is_between_stages(self) -> bool:
        """Whether a stage may begin here."""
        return not self.scopes or (len(self.scopes) == 1 and not self.scopes[0].is_cores)

    def open(self, scope: Scope) -> Scope:
        """Begin a scope inside the innermost one."""
        self.scopes.append(scope)
        return scope

    def close(self) -> Scope:
        """End the innermost scope and return it."""
        scope = self.scopes.pop()
        scope.is_open = False
        return scope

    def check_innermost(self, scope: Scope) -> None:
        """Check that nothing in `scope`, which is about to end, is still open.

        Raises:
            TileError: E0125 for a loop that nobody resumed.
        """
        if self.scopes[-1] is not scope:
            raise self.fail(_left_open(self.scopes[-1].loc))

    def finish(self) -> None:
        """End the trace, when the kernel's body has returned.

        Raises:
            TileError: E0125 for a loop that is still open, E0129 for one that was left early, E0139
                for a branch that was not opened.
        """
        if self.left_early:
            raise self.fail(self.left_early)
        if not self.is_between_stages:
            raise self.fail(_left_open(self.scopes[-1].loc))
        for keyword, loc in self.unopened.values():
            self.report(branch_without_with(keyword, loc))
        self.finish_stage()

    def finish_stage(self) -> None:
        """End the stage that is being recorded, if one is."""
        if self.scopes:
            scope = self.close()
            self.parts.append(Stage(tuple(scope.grid), tuple(scope.body), scope.loc))

    def record(self, stmt: Stmt) -> None:
        """Append `stmt` to the innermost scope."""
        scope = self.scope
        if scope.n_cores_open < len(scope.grid):
            raise self.fail(
                Diagnostic(
                    "E0113",
                    "this stands between two nested `cores` loops, which must nest perfectly",
                    stmt.loc,
                    "move it into the inner loop, or write one loop: `for i, j in tl.cores(m, n):`",
                    (Note("the outer loop", scope.loc),),
                )
            )
        scope.body.append(stmt)
        scope.chain = ()

    def record_workspace(self, alloc: Alloc) -> None:
        """Put an allocation in GM between the stages, before the one that is being recorded."""
        self.parts.append(alloc)

    def record_write(self, name: str, loc: Location) -> None:
        """Note that the buffer `name` changed, which outdates the recipes that read it."""
        self.stamp += 1
        self.writes[name] = (self.stamp, loc)
        for scope in self.scopes:
            if name in scope.outer_reads:
                made, used = scope.outer_reads[name]
                raise self.fail(_stale_next_time(name, made, used, loc))

    # Indices

    def open_loop(self, var: str, loc: Location) -> None:
        """Make `var` usable."""
        self.loops[var] = (loc, True)

    def close_loop(self, var: str) -> None:
        """Make `var` unusable."""
        self.loops[var] = (self.loops[var][0], False)

    def check_index(self, *indices: ix.Index) -> None:
        """Raise E0107 if an index stands for a loop that is over.

        Raises:
            TileError: E0107.
        """
        for index in indices:
            for name in ix.free_variables(index):
                loop = self.loops.get(name)
                if loop is None or not loop[1]:
                    raise self.fail(_index_after_loop(name, loop and loop[0], self.here()))

    def check_condition(self, condition: cond.Condition) -> None:
        """Raise E0107 if a condition stands for a loop that is over."""
        self.check_index(*cond.indices(condition))


_active: ContextVar[Trace | None] = ContextVar("tilelang trace", default=None)


def current(operation: str) -> Trace:
    """Return the trace of the kernel whose body is running.

    Raises:
        TileError: E0101 outside a kernel; a mistake found when no operation was running.
    """
    trace = _active.get()
    if trace is None:
        raise TileError(
            Diagnostic(
                "E0101",
                f"`{operation}` is called outside a kernel",
                callsite.location(None),
                "call it in a function decorated with @tl.kernel, while that function is traced",
            )
        )
    if trace.left_early:
        raise trace.fail(trace.left_early)
    return trace


def active() -> Trace | None:
    """Return the running trace, or None."""
    return _active.get()


def record(trace: Trace) -> _Recording:
    """Return a context manager in which `trace` is the active one."""
    return _Recording(trace)


class _Recording:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        self._token = _active.set(self._trace)

    def __exit__(self, *exception: object) -> None:
        _active.reset(self._token)


def in_order(diagnostics: Iterable[Diagnostic], others: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return `diagnostics` and those of `others` on lines that had none: not a mistake's echo."""
    found = list(diagnostics)
    lines = {_line(diagnostic) for diagnostic in found}
    found += [other for other in others if other.location is None or _line(other) not in lines]
    return sorted(found, key=order)


def _line(diagnostic: Diagnostic) -> tuple[str, int]:
    location = diagnostic.location
    return (location.file, location.line) if location else ("", 0)


def _index_after_loop(name: str, loop: Location | None, loc: Location) -> Diagnostic:
    notes = (Note(f"the loop of `{name}`", loop),) if loop else ()
    return Diagnostic(
        "E0107",
        f"the index `{name}` is used after its loop",
        loc,
        f"use `{name}` inside its loop only; a plain number that both places need is a variable "
        "of its own",
        notes,
    )


def branch_without_with(keyword: str, loc: Location) -> Diagnostic:
    """Return the mistake of a branch whose condition would decide nothing."""
    return Diagnostic(
        "E0139",
        f"`tl.{keyword}(...)` stands without `with`, so it decides nothing",
        loc,
        f"write `with tl.{keyword}(...):` above the statements of the branch",
    )


def _left_open(loc: Location) -> Diagnostic:
    return Diagnostic(
        "E0125",
        "this loop never ends: its `for` was not resumed before the kernel returned",
        loc,
        "loop over it with a `for` that runs to its end, not with `next`",
    )


def _stale_next_time(name: str, made: Location, used: Location, loc: Location) -> Diagnostic:
    return Diagnostic(
        "E0109",
        f"this write of `{name}` outdates an expression that the next iteration uses again",
        loc,
        "make the expression inside the loop, or store it first: `t[:] = ...`",
        (Note("the expression is made", made), Note("and used in this loop", used)),
    )
