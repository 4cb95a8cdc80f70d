"""Rules of vector work: tiles of UB, of one layout, whose shapes broadcast and do not overlap."""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic
from tilelang.dtypes import accumulator
from tilelang.ir.expression import dtype_of, loads
from tilelang.ir.nodes import Map, Reduce, ReduceOp
from tilelang.ir.region import Buffer, Memory, Region
from tilelang.verify.expressions import expression_faults
from tilelang.verify.overlap import overlaps
from tilelang.verify.scope import Scope
from tilelang.verify.wording import (
    ALLOCATORS,
    declared,
    layout_lines,
    place,
    region_text,
    shape_text,
)


def is_vector(buffer: Buffer) -> bool:
    """Return whether `buffer` broadcasts in expressions: it has no layout but row-major.

    That is a buffer of fewer than two dimensions, or of size 1 along one of the last two.
    """
    return buffer.rank < 2 or 1 in buffer.shape[-2:]


def map_faults(stmt: Map, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`, whose regions are well-formed."""
    dst, sources = stmt.dst, tuple(loads(stmt.expr))
    yield from _memory_faults(stmt, dst, *sources)
    yield from expression_faults(stmt.expr, len(dst.shape), stmt.loc)
    found = dtype_of(stmt.expr)
    if found is not dst.buffer.dtype:
        yield Diagnostic(
            "E0343",
            f"the expression is {found}, and `{dst.buffer.name}` holds {dst.buffer.dtype}",
            stmt.loc,
            f'write `tl.cast(..., "{dst.buffer.dtype}")` around it',
            declared(dst.buffer),
        )
    for src in dict.fromkeys(sources):
        yield from _shape_faults(stmt, src)
        yield from _layout_faults(stmt, src.buffer)
        if src.buffer == dst.buffer and src != dst and overlaps(dst, src, scope.ranges):
            yield _overlapping(stmt, src)


def _memory_faults(stmt: Map | Reduce, *regions: Region) -> Iterator[Diagnostic]:
    for region in dict.fromkeys(regions):
        buffer = region.buffer
        if buffer.memory is not Memory.UB:
            written, ub = region == stmt.dst, f"a buffer of `{ALLOCATORS[Memory.UB]}`"
            into_ub = f"move `{buffer.name}` into {ub} first"
            out_of_ub = f"write into {ub}, and move that to `{buffer.name}`"
            if buffer.memory is Memory.L0C:
                out_of_ub = "leave it out: a sum starts at 0 where `init` of its product holds, "
                out_of_ub += "`tl.matmul(acc, a1, b1, init=k == 0)`"
            yield Diagnostic(
                "E0340",
                f"vector work {'writes' if written else 'reads'} UB, and `{region_text(region)}` "
                f"is in {buffer.memory}",
                place(region, stmt.loc),
                out_of_ub if written else into_ub,
                declared(buffer),
            )


def _shape_faults(stmt: Map, src: Region) -> Iterator[Diagnostic]:
    dst = stmt.dst
    missing = len(dst.shape) - len(src.shape)
    pairs = zip(dst.shape[max(missing, 0) :], src.shape, strict=False)
    if missing < 0 or any(size not in (1, wanted) for wanted, size in pairs):
        yield Diagnostic(
            "E0344",
            f"{shape_text(src.shape)} of `{region_text(src)}` does not broadcast to "
            f"{shape_text(dst.shape)} of `{region_text(dst)}`",
            place(src, stmt.loc),
            "make each size equal to the destination's, counted from the last, or 1",
            declared(dst.buffer, src.buffer),
        )


def _layout_faults(stmt: Map | Reduce, src: Buffer) -> Iterator[Diagnostic]:
    dst = stmt.dst.buffer
    in_ub = src.memory is dst.memory is Memory.UB
    if in_ub and src.layout != dst.layout and not is_vector(src) and not is_vector(dst):
        yield Diagnostic(
            "E0361",
            f"`{dst.name}` is {dst.layout} and `{src.name}` is {src.layout}, and one operation "
            "works on one layout",
            stmt.loc,
            "leave both layouts out, and they are made equal; a move between GM and UB converts",
            declared(dst, src),
            layout_lines(*((tile.name, tile.layout, tile) for tile in (dst, src))),
        )


def _overlapping(stmt: Map | Reduce, src: Region) -> Diagnostic:
    return Diagnostic(
        "E0345",
        f"`{region_text(stmt.dst)}` and `{region_text(src)}` overlap without being the same "
        "elements in the same order",
        place(src, stmt.loc),
        "write into another buffer, or read and write the same region",
        declared(src.buffer),
    )


def reduce_faults(stmt: Reduce, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`, whose regions are well-formed."""
    dst, src = stmt.dst, stmt.src
    name = f"tl.reduce_{stmt.op.value}"
    yield from _memory_faults(stmt, dst, src)
    yield from _layout_faults(stmt, src.buffer)
    if src.buffer == dst.buffer and overlaps(dst, src, scope.ranges):
        yield _overlapping(stmt, src)
    rank = len(src.shape)
    if not 0 <= stmt.axis < rank:
        yield Diagnostic(
            "E0346",
            f"`{name}` along axis {stmt.axis}, and `{region_text(src)}` has {rank} dimensions",
            stmt.loc,
            f"write an axis from 0 to {rank - 1}",
            declared(src.buffer),
        )
        return
    wanted = (*src.shape[: stmt.axis], 1, *src.shape[stmt.axis + 1 :])
    if dst.shape != wanted:
        yield Diagnostic(
            "E0347",
            f"`{name}` along axis {stmt.axis} makes {shape_text(wanted)} of "
            f"{shape_text(src.shape)} `{region_text(src)}`, and `{region_text(dst)}` is "
            f"{shape_text(dst.shape)}",
            stmt.loc,
            f"allocate `{dst.buffer.name}` as {shape_text(wanted)}: the axis keeps size 1",
            declared(dst.buffer),
        )
    yield from _reduced_dtype_faults(stmt, name)


def _reduced_dtype_faults(stmt: Reduce, name: str) -> Iterator[Diagnostic]:
    dst, src = stmt.dst.buffer, stmt.src.buffer
    wanted = accumulator(src.dtype) if stmt.op is ReduceOp.SUM else src.dtype
    if dst.dtype is not wanted:
        yield Diagnostic(
            "E0349",
            f"`{name}` of {src.dtype} `{src.name}` gives {wanted}, and `{dst.name}` is {dst.dtype}",
            stmt.loc,
            f"allocate `{dst.name}` as {wanted}",
            declared(dst),
        )
