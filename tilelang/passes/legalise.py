"""Rewrite the paths of the first generation into those of a machine that lacks them.

Kernels are written with results that leave the cube through UB: L0C -> UB -> GM. Where cube and
vector unit are separate cores (910B), L0C -> GM is one move of the fixpipe unit, which may change
the dtype on the way. Vector work between the two has no such form and is refused here; `separate`,
which comes before, has put it into a stage of its own where it could.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tilelang.diagnostics import UNKNOWN, Diagnostic, Location, Note, TileError
from tilelang.ir.expression import Cast, Load, Rounding
from tilelang.ir.nodes import Alloc, Body, If, Loop, Map, Move, Program, Stage, Stmt
from tilelang.ir.region import Memory, Region
from tilelang.ir.walk import reads, rewrite_program, walk, walk_program, written
from tilelang.machines import Machine
from tilelang.verify.wording import region_text


def legalise(program: Program, machine: Machine) -> Program:
    """Return `program` on the paths of `machine`; the same object where it has them already.

    Raises:
        TileError: E0380 for vector work on a result that cannot pass through UB.
    """
    direct = machine.path(Memory.L0C, Memory.GM)
    if machine.path(Memory.L0C, Memory.UB) is not None or direct is None:
        return program
    faults: list[Diagnostic] = []
    body = tuple(
        replace(part, body=_direct(part.body, machine, faults)) if isinstance(part, Stage) else part
        for part in program.body
    )
    if faults:
        raise TileError(*faults)
    return _without_unused_tiles(replace(program, body=body))


def leaves_directly(stage: Stage, machine: Machine) -> bool:
    """Return whether every result of `stage` that goes through UB could leave in one move."""
    faults: list[Diagnostic] = []
    _direct(stage.body, machine, faults)
    return not faults


@dataclass(frozen=True, slots=True)
class _Result:
    """What a buffer of UB holds: `src` in L0C, unchanged but for its dtype."""

    src: Region
    loc: Location
    is_converted: bool
    is_stale: bool = False
    """Whether `src` was written since."""


def _direct(body: Body, machine: Machine, faults: list[Diagnostic]) -> Body:
    """Return `body` with results moved from L0C to GM at once; add to `faults` what cannot be.

    Only buffers that `body` allocates are dissolved: nothing outside can read them.
    """
    own = {stmt.buffer.name for stmt in body if isinstance(stmt, Alloc)}
    results: dict[str, _Result] = {}
    new: list[Stmt] = []
    for stmt in body:
        stmt = _with_direct_bodies(stmt, machine, faults)
        passed = _passed_on(stmt, results)
        if isinstance(stmt, Move | Map) and passed and stmt.dst.buffer.name in own:
            results[stmt.dst.buffer.name] = passed
            continue
        if isinstance(stmt, Move):
            stmt = _stored_directly(stmt, results)
        faults += _refusals(stmt, results, machine)
        results = _after(stmt, results)
        new.append(stmt)
    return tuple(new)


def _with_direct_bodies(stmt: Stmt, machine: Machine, faults: list[Diagnostic]) -> Stmt:
    match stmt:
        case Loop():
            return replace(stmt, body=_direct(stmt.body, machine, faults))
        case If():
            then = _direct(stmt.then, machine, faults)
            return replace(stmt, then=then, otherwise=_direct(stmt.otherwise, machine, faults))
        case _:
            return stmt


def _passed_on(stmt: Stmt, results: Mapping[str, _Result]) -> _Result | None:
    """Return what `stmt` puts into a whole buffer of UB, if that is a result and nothing else."""
    dst, src = written(stmt), _copied(stmt)
    if dst is None or src is None or dst.buffer.memory is not Memory.UB or not dst.is_whole:
        return None
    converts = src.buffer.dtype is not dst.buffer.dtype
    if src.buffer.memory is Memory.L0C:
        return _Result(src, stmt.loc, converts)
    result = results.get(src.buffer.name)
    if result is None or not src.is_whole:
        return None
    if result.is_converted and converts:
        return None  # this rounds twice, and fixpipe once
    return replace(result, is_converted=result.is_converted or converts)


def _copied(stmt: Stmt) -> Region | None:
    """Return the region that `stmt` copies, converting it at most."""
    match stmt:
        case Move(_, src):
            return src
        case Map(_, Load(region) | Cast(Load(region), _, Rounding.NEAREST)):
            return region
        case _:
            return None


def _stored_directly(stmt: Move, results: Mapping[str, _Result]) -> Move:
    """Return the move of a result from UB to GM as one from L0C; any other move as it is."""
    result = results.get(stmt.src.buffer.name)
    if result is None or result.is_stale or not stmt.src.is_whole:
        return stmt
    return replace(stmt, src=result.src) if stmt.dst.buffer.memory is Memory.GM else stmt


def _refusals(stmt: Stmt, results: Mapping[str, _Result], machine: Machine) -> Iterator[Diagnostic]:
    """Yield the uses that `stmt` makes of results in UB, which they never reach."""
    for inner in walk((stmt,)):
        for region in reads(inner):
            if found := results.get(region.buffer.name):
                yield _refusal(region, found.loc, inner, machine)
    if isinstance(stmt, Move):
        ends = stmt.src.buffer.memory, stmt.dst.buffer.memory
        if ends == (Memory.L0C, Memory.UB):
            yield _refusal(stmt.src, UNKNOWN, stmt, machine)


def _refusal(region: Region, loc: Location, stmt: Stmt, machine: Machine) -> Diagnostic:
    return Diagnostic(
        "E0380",
        f"`{region_text(region)}` comes out of the cube, and on {machine.name} its way out is "
        "L0C -> GM, which converts the dtype and does nothing else",
        stmt.loc,
        "store the plain result into workspace of `tl.alloc_gm`, and do this in a second stage",
        (Note("the result leaves L0C here", loc),) if loc != UNKNOWN else (),
    )


def _after(stmt: Stmt, results: Mapping[str, _Result]) -> dict[str, _Result]:
    """Return `results` after `stmt`: without what it overwrites; stale where it writes L0C."""
    names = {target.buffer.name for inner in walk((stmt,)) if (target := written(inner))}
    return {
        name: replace(result, is_stale=result.is_stale or result.src.buffer.name in names)
        for name, result in results.items()
        if name not in names
    }


def _without_unused_tiles(program: Program) -> Program:
    """Return `program` without the buffers of UB that no statement uses any more."""
    used = {
        region.buffer.name
        for stmt in walk_program(program)
        for region in (*reads(stmt), *filter(None, (written(stmt),)))
    }

    def keep_if_used(stmt: Stmt) -> Body:
        match stmt:
            case Alloc(buffer) if buffer.memory is Memory.UB and buffer.name not in used:
                return ()
            case _:
                return (stmt,)

    return rewrite_program(program, keep_if_used)
