"""What a tile must look like to become an operand of the cube.

Memory moves rows of 32 bytes. In a fractal a row runs along one axis of the matrix, and the cube
wants it to run along k in both operands; turning fractals round on the way is a path's own skill.
"""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic, Location
from tilelang.ir.region import AsMatrix, Memory, Permute, Region
from tilelang.layouts import LayoutKind
from tilelang.verify.buffers import FRACTAL_KINDS
from tilelang.verify.scope import Scope
from tilelang.verify.wording import declared, region_text, turn_round

OPERAND_ROWS = {Memory.L0A: -1, Memory.L0B: -2}
"""The axis of the operand, from the end, that is k and along which its rows of 32 bytes run."""


def has_fractals(region: Region) -> bool:
    """Return whether `region` is a matrix in blocks of 16 by C0, as L0A and L0B are loaded."""
    rank = region.buffer.rank
    match region.view:
        case AsMatrix():
            return True
        case Permute(groups):
            keeps_blocks = {(rank - 2,), (rank - 1,)} <= set(groups)
            return keeps_blocks and region.buffer.layout.kind in FRACTAL_KINDS


def fractal_hint(region: Region) -> str:
    """Return how `region`, which has no fractals, comes to have them."""
    buffer = region.buffer
    if buffer.layout.kind is LayoutKind.FRACTAL_Z:
        return f"write `tl.as_matrix({buffer.name})`"
    if buffer.layout.kind is LayoutKind.NC1HWC0:
        return f"load the windows of `{buffer.name}` with `tl.load3d`, and multiply with `tl.mmad`"
    if buffer.memory is Memory.L1:
        return f"leave the layout of `{buffer.name}` out: it becomes NZ"
    return f"move `{buffer.name}` into a buffer of `tl.alloc_l1` first, which makes NZ of it"


def row_axis(region: Region) -> int | None:
    """Return the axis of `region`, counted from the end, along which its rows of 32 bytes run.

    None if the region has only one element of a row. `region` has fractals.
    """
    rank = region.buffer.rank
    match region.view:
        case AsMatrix():
            axis = 0
        case Permute(groups):
            columns = region.buffer.layout.kind in (LayoutKind.ZN, LayoutKind.NN)
            axis = groups.index((rank - 2 if columns else rank - 1,))
    if axis not in region.spanned:
        return None
    return region.spanned.index(axis) - len(region.spanned)


def transpose_faults(
    region: Region, target: Memory, loc: Location, scope: Scope
) -> Iterator[Diagnostic]:
    """Yield why the rows of `region` cannot be turned to run along k on the way to `target`."""
    axis, machine, buffer = row_axis(region), scope.machine, region.buffer
    path = machine.path(buffer.memory, target)
    if axis in (OPERAND_ROWS[target], None) or path is None or buffer.dtype in path.transposes:
        return
    can = " or ".join(map(str, path.transposes)) + " only" if path.transposes else "nothing"
    yield Diagnostic(
        "E0314",
        f"`{region_text(region)}` is {buffer.dtype}, and must be transposed block by block on its "
        f"way into {target}; {machine.name} can transpose {can}",
        loc,
        _other_way_round(region, target),
        declared(buffer),
    )


def _other_way_round(region: Region, target: Memory) -> str:
    """Return the hint to store the tensor with k innermost, which needs no transpose."""
    tensor, tile = ("b[N, K]", "[n, k]") if target is Memory.L0B else ("a[M, K]", "[m, k]")
    use = turn_round(region)
    return f"declare the tensor `{tensor}`, load `{region.buffer.name}` as {tile}, and {use}"
