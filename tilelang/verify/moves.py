"""Rules of a move: one shape, and a path of the machine that changes no more than it can."""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic
from tilelang.ir.nodes import Move
from tilelang.ir.region import Buffer, Memory, Region, whole
from tilelang.machines import Machine, Path
from tilelang.verify.numbers import number_fault
from tilelang.verify.operands import (
    OPERAND_ROWS,
    fractal_hint,
    has_fractals,
    row_axis,
    transpose_faults,
)
from tilelang.verify.overlap import overlaps
from tilelang.verify.scope import Scope
from tilelang.verify.wording import (
    ALLOCATORS,
    declared,
    is_transposed,
    layout_lines,
    place,
    region_text,
    shape_text,
    turn_round,
)


def move_faults(stmt: Move, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`, whose regions are well-formed."""
    dst, src = stmt.dst, stmt.src
    if dst.shape != src.shape:
        yield _shapes_differ(stmt)
    if message := number_fault(stmt.pad, dst.buffer.dtype):
        yield Diagnostic(
            "E0315",
            f"pad={stmt.pad} does not fit into `{dst.buffer.name}`: {message[0]}",
            stmt.loc,
            f"write pad={message[1]}",
            declared(dst.buffer),
        )
    path = scope.machine.path(src.buffer.memory, dst.buffer.memory)
    if path is None:
        yield _no_path(stmt, scope.machine)
        return
    if not path.carries(src.buffer.dtype, dst.buffer.dtype):
        yield _no_cast(stmt, path, scope.machine)
    yield from _layout_faults(stmt, path, scope)
    if dst.buffer == src.buffer and overlaps(dst, src, scope.ranges):
        yield Diagnostic(
            "E0316",
            f"`{region_text(dst)}` and `{region_text(src)}` overlap, and a move may be done in any "
            "order",
            stmt.loc,
            f"move through another buffer of `{ALLOCATORS[dst.buffer.memory]}`",
            declared(dst.buffer),
        )


def _shapes_differ(stmt: Move) -> Diagnostic:
    dst, src = stmt.dst, stmt.src
    return Diagnostic(
        "E0310",
        f"cannot move {shape_text(src.shape)} of `{region_text(src)}` into "
        f"{shape_text(dst.shape)} of `{region_text(dst)}`",
        stmt.loc,
        _shape_hint(dst, src),
        declared(dst.buffer, src.buffer),
    )


def _shape_hint(dst: Region, src: Region) -> str:
    if dst.shape[:-2] == src.shape[:-2] and dst.shape[-2:] == src.shape[-2:][::-1]:
        return f"{turn_round(src)}, or exchange the sizes of `{dst.buffer.name}`"
    for tensor, tile in ((src, dst), (dst, src)):
        is_whole = tensor.buffer.memory is Memory.GM and tensor == whole(tensor.buffer)
        if is_whole and len(tensor.shape) == len(tile.shape):
            start = f"{tensor.buffer.name}[{', '.join('0' for _ in tensor.shape)}]"
            return f"write where the tile starts, `{start}`: as much moves as the tile holds"
    return f"make both shapes {shape_text(dst.shape)}"


def _no_path(stmt: Move, machine: Machine) -> Diagnostic:
    source, target = stmt.src.buffer.memory, stmt.dst.buffer.memory
    route = machine.route(source, target)
    if source is target is Memory.GM:
        hint = f"go through a tile: move a part of `{stmt.src.buffer.name}` into a buffer of "
        hint += f"`{ALLOCATORS[Memory.UB]}`, and that to `{stmt.dst.buffer.name}`"
    elif route is None:
        hint = f"only the cube reads {source}: move the tile that was loaded into it instead"
    else:
        stops = ", then ".join(
            f"into a buffer of `{ALLOCATORS[memory]}` ({memory})" for memory in route[1:-1]
        )
        way = " -> ".join(map(str, route))
        hint = f"go {way}: move `{stmt.src.buffer.name}` {stops}, and that to "
        hint += f"`{stmt.dst.buffer.name}`"
    return Diagnostic(
        "E0312",
        f"{machine.name} has no path from {source} to {target}: cannot move "
        f"`{region_text(stmt.src)}` to `{region_text(stmt.dst)}`",
        stmt.loc,
        hint,
        declared(stmt.dst.buffer, stmt.src.buffer),
    )


def _no_cast(stmt: Move, path: Path, machine: Machine) -> Diagnostic:
    dst, src = stmt.dst.buffer, stmt.src.buffer
    targets = [str(target) for source, target in path.casts if source is src.dtype]
    can = f"turns {src.dtype} into {' or '.join(targets)} only" if targets else "keeps the dtype"
    return Diagnostic(
        "E0311",
        f"cannot move {src.dtype} `{src.name}` into {dst.dtype} `{dst.name}`: "
        f"{path.source} -> {path.target} {can} on {machine.name}",
        stmt.loc,
        _cast_hint(dst, src),
        declared(dst, src),
    )


def _cast_hint(dst: Buffer, src: Buffer) -> str:
    """Return the hint to convert where that is done: by vector work in UB."""
    if dst.memory is Memory.UB:
        return f'make `{dst.name}` {src.dtype}, and write `tl.cast({dst.name}, "{dst.dtype}")` then'
    if src.memory is Memory.UB:
        cast = f'`y[:] = tl.cast({src.name}, "{dst.dtype}")`'
        return f"write {cast} into a {dst.dtype} buffer of UB first, and move that"
    return f"make `{dst.name}` {src.dtype}; `tl.cast` converts in UB"


def _layout_faults(stmt: Move, path: Path, scope: Scope) -> Iterator[Diagnostic]:
    """Yield why the path cannot turn the source's layout into the destination's."""
    dst, src = stmt.dst, stmt.src
    if {path.source, path.target} == {Memory.L0C, Memory.UB}:
        if dst.buffer.layout != src.buffer.layout:
            tile = dst if path.source is Memory.L0C else src
            yield _keeps_layout(stmt, tile, path)
        elif has_fractals(dst) and has_fractals(src) and row_axis(dst) != row_axis(src):
            yield _keeps_order(stmt, path)
    elif path.target in OPERAND_ROWS:
        if not has_fractals(src):
            yield _no_fractals(stmt, path)
        else:
            yield from transpose_faults(src, path.target, place(src, stmt.loc), scope)


def _keeps_layout(stmt: Move, tile: Region, path: Path) -> Diagnostic:
    dst, src = stmt.dst.buffer, stmt.src.buffer
    return Diagnostic(
        "E0313",
        f"`{src.name}` is {src.layout} and `{dst.name}` is {dst.layout}, and {path.source} -> "
        f"{path.target} keeps the layout: NZ in blocks of 16 by 16",
        stmt.loc,
        f"leave the layout of `{tile.buffer.name}` out: it becomes NZ, and the move between UB and "
        "GM converts",
        declared(dst, src),
        layout_lines((src.name, src.layout, src), (dst.name, dst.layout, dst)),
    )


def _keeps_order(stmt: Move, path: Path) -> Diagnostic:
    dst, src = stmt.dst, stmt.src
    turned = src if is_transposed(src.view, src.buffer.rank) else dst
    return Diagnostic(
        "E0313",
        f"`{region_text(turned)}` is transposed, and {path.source} -> {path.target} keeps the "
        "order of a tile",
        stmt.loc,
        f"{turn_round(turned)}; transpose between UB and GM",
        declared(dst.buffer, src.buffer),
    )


def _no_fractals(stmt: Move, path: Path) -> Diagnostic:
    dst, src = stmt.dst.buffer, stmt.src.buffer
    return Diagnostic(
        "E0313",
        f"`{region_text(stmt.src)}` is {src.layout} in {src.memory}, and {path.target} is loaded "
        "fractal by fractal, from NZ, ZZ, ZN or NN",
        stmt.loc,
        fractal_hint(stmt.src),
        declared(dst, src),
        layout_lines((src.name, src.layout, src), (dst.name, dst.layout, dst)),
    )
