"""Rules of `Img2col`, which TIK calls load3d: a feature map in L1 becomes a tile of its windows."""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col
from tilelang.ir.region import Memory
from tilelang.layouts import LayoutKind
from tilelang.verify.scope import Scope
from tilelang.verify.wording import (
    declared,
    either,
    index_text,
    place,
    region_text,
    shape_text,
    values_text,
)


def img2col_faults(stmt: Img2col, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`, whose regions are well-formed."""
    yield from _operand_faults(stmt, scope)
    yield from _window_faults(stmt)
    if scope.ranges.reachable:
        yield from _start_faults("row", stmt.row, stmt, scope)
        yield from _start_faults("column", stmt.column, stmt, scope)
        yield from _column_faults(stmt, scope)


def _operand_faults(stmt: Img2col, scope: Scope) -> Iterator[Diagnostic]:
    dst, src = stmt.dst, stmt.src
    targets = scope.machine.img2col_targets
    if (src.buffer.memory, src.buffer.layout.kind) != (Memory.L1, LayoutKind.NC1HWC0):
        yield Diagnostic(
            "E0336",
            f"`load3d` reads a feature map that is NC1HWC0 in L1, and `{region_text(src)}` is "
            f"{src.buffer.layout} in {src.buffer.memory}",
            place(src, stmt.loc),
            f"leave the layout of `{src.buffer.name}` out: it becomes NC1HWC0"
            if src.buffer.memory is Memory.L1
            else f"move `{src.buffer.name}` into a buffer [C, H, W] of `tl.alloc_l1`",
            declared(src.buffer),
        )
    elif len(src.shape) != 3:
        yield Diagnostic(
            "E0336",
            f"`load3d` reads a feature map [C, H, W], and `{region_text(src)}` has shape "
            f"{shape_text(src.shape)}",
            place(src, stmt.loc),
            "index the image: `x[n, :, :, :]`",
            declared(src.buffer),
        )
    if dst.buffer.memory not in targets or len(dst.shape) != 2:
        memories = either(list(map(str, targets)))
        yield Diagnostic(
            "E0336",
            f"`load3d` fills a matrix in {memories} on {scope.machine.name}, and "
            f"`{region_text(dst)}` is {shape_text(dst.shape)} in {dst.buffer.memory}",
            place(dst, stmt.loc),
            f"allocate a buffer [m, k] with `tl.alloc_{targets[0].value}`",
            declared(dst.buffer),
        )
    if dst.buffer.dtype is not src.buffer.dtype:
        yield Diagnostic(
            "E0336",
            f"`load3d` keeps the dtype, and `{src.buffer.name}` is {src.buffer.dtype} and "
            f"`{dst.buffer.name}` {dst.buffer.dtype}",
            stmt.loc,
            f"allocate `{dst.buffer.name}` as {src.buffer.dtype}",
            declared(dst.buffer, src.buffer),
        )


def _window_faults(stmt: Img2col) -> Iterator[Diagnostic]:
    window = stmt.window
    parts = (
        ("kernel", window.kernel, 1),
        ("stride", window.stride, 1),
        ("dilation", window.dilation, 1),
        ("padding", window.padding, 0),
    )
    for name, values, least in parts:
        if min(values) < least:
            yield Diagnostic(
                "E0337",
                f"the window's {name} is {values}, and each of its numbers is {least} or more",
                stmt.loc,
                f"write a {name} of {least} or more",
            )


def _start_faults(name: str, start: Index, stmt: Img2col, scope: Scope) -> Iterator[Diagnostic]:
    low, high = scope.ranges.bounds(start)
    found = scope.ranges.outside(start, 0, max(low, high))
    if found:
        at = "" if found.index is None else f": it is {found.index}{values_text(found.values)}"
        yield Diagnostic(
            "E0338",
            f"`load3d` starts at {name} `{index_text(start)}`, which must not be negative{at}",
            stmt.loc,
            f"start at {name} 0 or later; the window's own padding reaches outside the map",
        )


def _column_faults(stmt: Img2col, scope: Scope) -> Iterator[Diagnostic]:
    k0 = stmt.src.buffer.dtype.k0
    found = scope.ranges.no_multiple(stmt.column, k0)
    if found:
        at = "" if found.index is None else f": it is {found.index}{values_text(found.values)}"
        yield Diagnostic(
            "E0338",
            f"`load3d` starts at column `{index_text(stmt.column)}`, which must be a multiple of "
            f"{k0} (32 bytes of {stmt.src.buffer.dtype}){at}",
            stmt.loc,
            f"start at a multiple of {k0}, as in `{k0}*i`",
        )
