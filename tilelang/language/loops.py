"""Loops: generators that open a scope of the trace, and record it where the body has ended."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import overload

from tilelang.diagnostics import Diagnostic, Location, Note, callsite
from tilelang.ir import index as ix
from tilelang.ir.named import as_int
from tilelang.ir.nodes import Core, Loop, LoopKind
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.handles import Index, IndexLike, is_index
from tilelang.language.tensors import Tensor, index_of
from tilelang.language.trace import Scope, Trace
from tilelang.language.variables import Variables


@dataclass(frozen=True, slots=True)
class LoopHeader:
    """What a loop over a body says before its body is known."""

    kind: LoopKind
    extent: ix.Index
    stages: int
    loc: Location


@overload
def cores(extent: int, /) -> Iterator[Index]: ...
@overload
def cores(extent: int, second: int, /, *more: int) -> Iterator[tuple[Index, ...]]: ...
def cores(*extents: int) -> Iterator[Index] | Iterator[tuple[Index, ...]]:
    """Loop over the grid of a stage; its points are independent and run in any order, or at once.

    One extent yields an index, several yield a tuple of them. A kernel is a sequence of stages,
    each one such loop, or statements without (one core); what a stage writes to global memory is
    visible to the next stage. Two cores must not write one element.

    Example:
        for i, j in tl.cores(4, 2):
            v = tl.alloc_ub((16, 32), x.dtype)
            tl.data_move(v, x[i * 16, j * 32])
            v[:] = tl.relu(v)
            tl.data_move(y[i * 16, j * 32], v)

    Raises:
        TileError: E0123 inside another loop or branch, E0124 for an extent that is not a number.
    """
    trace = _start("tl.cores")
    for extent in extents:
        if not is_index(extent) or isinstance(extent, Index) or extent < 0:
            wanted = "compute it from shapes and tile parameters: `tl.ceildiv(M, m_tile)`"
            hint = mistakes.whole_number([extent], wanted)
            if isinstance(extent, tuple | list):
                hint = "write the extents one by one: `for i, j in tl.cores(m, n):`"
            message = f"a `cores` extent is {extent!r}, wanted a plain int of 0 or more"
            raise mistakes.error("E0124", message, hint)
    if not extents:
        raise mistakes.error("E0124", "`cores` needs an extent", "write `for i in tl.cores(n):`")
    return _cores(trace, [as_int(extent) for extent in extents], trace.here())


def for_range(
    begin: IndexLike, end: IndexLike | None = None, *, stages: int = 1
) -> Iterator[Index]:
    """Loop in order over `0 .. begin - 1`, or over `begin .. end - 1`; the body is traced once.

    Bounds are ints, or indices of loops around. `stages=2` keeps every buffer of the body twice, so
    that moves of the next iteration may start early (TIK's `thread_num=2`); it never changes the
    result. Python's own `range` is unrolled.

    Example:
        for k in tl.for_range(4, stages=2):
            v = tl.alloc_ub((16, 64), x.dtype)
            tl.data_move(v, x[k * 16, 0])
            t += v

    Raises:
        TileError: E0124 for bounds that are not integers, E0125 if it is not a `for` that loops.
    """
    trace = _start("tl.for_range")
    first, last = (0, begin) if end is None else (begin, end)
    for bound in (first, last):
        if not is_index(bound):
            raise mistakes.error(
                "E0124",
                f"a bound of `for_range` is {bound!r}, wanted an int or a loop index",
                mistakes.whole_number([bound], "write `tl.for_range(n)` or `(begin, end)`"),
            )
    if not is_index(stages) or isinstance(stages, Index) or stages not in (1, 2, 3, 4):
        raise mistakes.error(
            "E0124",
            f"stages={stages!r}, wanted 1 to 4",
            "write stages=2 for double buffering (TIK's thread_num)",
        )
    start = index_of(first)
    extent = ix.subtract(index_of(last), start)
    header = LoopHeader(LoopKind.SERIAL, extent, int(stages), trace.here())
    return _loop(trace, header, start=start)


def chunks(tile: Tensor, rows: int) -> Iterator[Index]:
    """Loop over independent blocks of `rows` rows of `tile`, yielding each block's first row.

    An epilogue then need not hold a whole accumulator in the unified buffer.

    Example:
        for r in tl.chunks(t, rows=8):
            v = tl.alloc_ub((8, 64), "float32")
            v[:] = tl.cast(t[r:r + 8, :], "float32")
            t[r:r + 8, :] = tl.cast(tl.exp(v), t.dtype)

    Raises:
        TileError: E0126 if `rows` does not divide the tile's rows.
    """
    trace = _start("tl.chunks")
    if not isinstance(tile, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistakes.error(
            "E0122",
            f"`tl.chunks` is given {mistakes.shown(tile)}, wanted a tile",
            "give a buffer from `tl.alloc_...`, whole: `for r in tl.chunks(acc, rows=32):`",
        )
    n_rows = tile.shape[-2] if tile.ndim > 1 else tile.shape[0]
    if not is_index(rows) or isinstance(rows, Index) or rows < 1 or n_rows % rows:
        divisors = [n for n in range(16, n_rows + 1, 16) if n_rows % n == 0] or [n_rows]
        raise mistakes.error(
            "E0126",
            f"chunks of {rows!r} rows do not divide the {n_rows} rows of `{tile.name}`",
            f"use rows={' or '.join(map(str, divisors))}",
            Note(f"`{tile.name}` is allocated", tile.buffer.loc),
        )
    extent = ix.constant(n_rows // rows)
    header = LoopHeader(LoopKind.CHUNKS, extent, 1, trace.here())
    return _loop(trace, header, start=ix.ZERO, step=as_int(rows))


def _start(operation: str) -> Trace:
    """Return the trace, after checking that the call running is what a `for` loops over."""
    trace = tracing.current(operation)
    if not callsite.is_iterated_by_for(callsite.user_frame()):
        raise mistakes.error(
            "E0125",
            f"`{operation}` is not what a `for` loops over, so its body would not be traced",
            f"write `for i in {operation}(...):` without enumerate, zip, list or next around it",
        )
    return trace


def _loop(
    trace: Trace, header: LoopHeader, *, start: ix.Index, step: int = 1
) -> Generator[Index, None, None]:
    frame = callsite.user_frame()
    loc = header.loc
    var = trace.unique_name((callsite.assigned_names(frame) or ["i"])[0])
    _ = trace.scope
    scope = trace.open(Scope(loc))
    trace.open_loop(var, loc)
    before = Variables(trace)
    try:
        yield Index(ix.add(start, ix.scale(ix.variable(var), step)))
    except GeneratorExit:
        _left_early(trace, scope, loc)
        raise
    trace.check_innermost(scope)
    before.check_carried(loc)
    trace.close_loop(var)
    trace.close()
    trace.record(Loop(var, header.extent, header.kind, header.stages, tuple(scope.body), loc))


def _cores(
    trace: Trace, extents: list[int], loc: Location
) -> Generator[Index, None, None] | Generator[tuple[Index, ...], None, None]:
    frame = callsite.user_frame()
    scope = _open_grid(trace, loc)
    names = callsite.assigned_names(frame, len(extents))
    wishes = names if len(names) == len(extents) else [f"core_{n}" for n in range(len(extents))]
    variables = [trace.unique_name(wish) for wish in wishes]
    scope.grid += [Core(var, extent) for var, extent in zip(variables, extents, strict=True)]
    scope.n_cores_open = len(scope.grid)
    for var in variables:
        trace.open_loop(var, loc)
    handles = tuple(Index(ix.variable(var)) for var in variables)
    before = Variables(trace)
    try:
        yield handles if len(variables) > 1 else handles[0]  # pyright: ignore[reportReturnType, reportGeneralTypeIssues]
    except GeneratorExit:
        _left_early(trace, scope, loc)
        raise
    trace.check_innermost(scope)
    before.check_carried(loc)
    for var in variables:
        trace.close_loop(var)
    scope.n_cores_open -= len(variables)
    if scope.n_cores_open == 0:
        trace.finish_stage()


def _open_grid(trace: Trace, loc: Location) -> Scope:
    """Return the scope of a new stage, or that of the `cores` loop directly around."""
    if trace.is_between_stages:
        trace.finish_stage()
        return trace.open(Scope(loc))
    scope = trace.scope
    if len(trace.scopes) == 1 and not scope.body and scope.n_cores_open == len(scope.grid):
        return scope
    raise trace.fail(
        Diagnostic(
            "E0123",
            "a `cores` loop stands inside another loop or branch, or below a statement of one",
            loc,
            "make `cores` the outermost loops, directly nested: `for i, j in tl.cores(m, n):`",
            (Note("inside this", scope.loc),),
        )
    )


def _left_early(trace: Trace, scope: Scope, loc: Location) -> None:
    """Report that the user's code left a loop by `break` or `return`.

    It is only reported: an exception raised here, where Python drops the generator, would be lost.
    """
    while trace.scopes and scope.is_open:
        trace.close()
    trace.left_early = trace.left_early or Diagnostic(
        "E0129",
        "this leaves a traced loop early, but the loop's body is traced only once",
        trace.here(),
        "use `with tl.if_scope(...):` around what some iterations skip",
        (Note("the loop", loc),),
    )
