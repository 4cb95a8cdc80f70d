"""Rules of tensors in GM: results are written, inputs are not, and nothing is read before."""

from collections.abc import Iterator
from math import prod

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note
from tilelang.ir.nodes import Move, Program, Stmt
from tilelang.ir.region import Memory, Region
from tilelang.ir.walk import reads, walk, walk_program, written
from tilelang.verify.wording import ALLOCATORS, declared, place, region_text


def result_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the results that no statement writes."""
    names = {region.buffer.name for _, region in _writes(walk_program(program))}
    for result in program.results:
        if result.name not in names and prod(result.shape):
            yield Diagnostic(
                "E0370",
                f"`{program.name}` never writes its result `{result.name}`",
                program.loc if program.loc != UNKNOWN else result.loc,
                f"move tiles of it out: `tl.data_move({result.name}[...], tile)`",
                declared(result),
            )


def input_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the statements that write an input."""
    inputs = {buffer.name for buffer in program.inputs}
    for stmt, region in _writes(walk_program(program)):
        if region.buffer.name in inputs:
            yield Diagnostic(
                "E0371",
                f"`{region_text(region)}` is an input, and this writes it",
                place(region, stmt.loc),
                _input_hint(stmt),
                declared(region.buffer),
            )


def _input_hint(stmt: Stmt) -> str:
    hint = f"make it a result, after `->`, or write to a buffer of `{ALLOCATORS[Memory.GM]}`"
    if not isinstance(stmt, Move):
        return hint
    tile, tensor = stmt.src.buffer.name, stmt.dst.buffer.name
    return f"to read it, write the tile first: `tl.data_move({tile}, {tensor}[...])`; else {hint}"


def undefined_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the buffers that are read though nothing up to that stage writes them, once each."""
    known = {buffer.name for buffer in program.inputs}
    for stage in program.stages:
        inside = list(walk(stage.body))
        known |= {region.buffer.name for _, region in _writes(inside)}
        for stmt in inside:
            for region in reads(stmt):
                if region.buffer.name not in known:
                    known.add(region.buffer.name)
                    yield _undefined(program, region, stmt.loc)


def _undefined(program: Program, region: Region, loc: Location) -> Diagnostic:
    buffer = region.buffer
    later = [
        stmt.loc
        for stmt, written_region in _writes(walk_program(program))
        if written_region.buffer.name == buffer.name
    ]
    found = "only a later stage writes it" if later else "nothing writes it"
    hint = "read it in a stage after that one" if later else f"fill `{buffer.name}` first"
    notes = tuple(Note("the first write", loc) for loc in later[:1] if loc != UNKNOWN)
    return Diagnostic(
        "E0372",
        f"`{region_text(region)}` is read, and {found}: its elements are undefined",
        place(region, loc),
        hint,
        (*declared(buffer), *notes),
    )


def _writes(stmts: Iterator[Stmt] | list[Stmt]) -> Iterator[tuple[Stmt, Region]]:
    for stmt in stmts:
        region = written(stmt)
        if region is not None:
            yield stmt, region
