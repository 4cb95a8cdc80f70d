"""Inputs that tiles leave in too many ways, continued by zeros in workspace.

A tile that hangs over the end of a tensor is filled up by zeros, by code of its own for every
number of rows that are left. Where tiles begin at any row there are many such numbers: those of the
last groups of a convolution, say, which reach as far as a block. Behind a copy with as many rows of
zeros no tile hangs over.
"""

from dataclasses import replace
from math import prod

from tilelang.backends.tik.lower.channel_groups import Ranges, ranges_of
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, Core, Move, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, identity, view_shape, whole
from tilelang.ir.walk import map_regions, reads, rewrite_program, walk_program
from tilelang.layouts import FRACTAL_ROWS, ND, LayoutKind
from tilelang.passes.fresh_names import FreshNames

_TILE_BYTES = 1 << 14
"""What a core copies at once: so much that a transfer pays no start-up (davinci.md 2.3)."""


def extend_input(program: Program, name: str) -> Program | None:
    """Return `program` with a copy of the input `name` that has rows of zeros at its end.

    A row is an element of the first dimension. None where that does not help: for what is no
    row-major input, is seen in several ways or transposed, is filled up with other numbers, or
    whose rows are not what tiles leave.
    """
    tensor = next((buffer for buffer in program.inputs if buffer.name == name), None)
    if tensor is None or tensor.layout.kind not in (LayoutKind.ND, LayoutKind.FRACTAL_Z):
        return None
    statements = [
        stmt
        for stmt in walk_program(program)
        if any(region.buffer == tensor for region in reads(stmt))
    ]
    ranges = dict(ranges_of(program))
    missing = [_missing_rows(stmt, tensor, ranges) for stmt in statements]
    n_rows = max((n for n in missing if n is not None), default=0)
    views = {stmt.src.view for stmt in statements if isinstance(stmt, Move)}
    if None in missing or not n_rows or len(views) > 1:
        return None
    (view,) = views
    assert isinstance(view, Permute), "tensors are not seen as the matrix of a window"
    is_fractal = tensor.layout != ND
    size, *others = tensor.shape if is_fractal else view_shape(tensor, view)
    fresh = FreshNames(program)
    extended = replace(tensor, name=fresh(f"{name}_extended"), shape=(size + n_rows, *others))
    new_view = view if is_fractal else identity(extended.rank)

    def changed(region: Region) -> Region:
        if region.buffer != tensor:
            return region
        return replace(region, buffer=extended, view=new_view)

    rewritten = rewrite_program(program, lambda stmt: (map_regions(stmt, changed),))
    first = (
        _copying_fractals(tensor, extended, fresh)
        if is_fractal
        else _copying_rows(tensor, view.groups, extended, fresh)
    )
    return replace(rewritten, body=(Alloc(extended, tensor.loc), first, *rewritten.body))


def _missing_rows(stmt: Stmt, tensor: Buffer, ranges: Ranges) -> int | None:
    """Return how many rows `stmt` reads past the end of `tensor`; None if it does anything else."""
    if not isinstance(stmt, Move) or stmt.pad != 0 or not isinstance(stmt.src.view, Permute):
        return None
    groups = stmt.src.view.groups
    if groups[0] != (0,) or groups != tuple(sorted(groups)):
        return None
    low, high = ix.bounds(stmt.src.start[0], ranges)
    last = high + ((stmt.src.extent[0] or 1) - 1) * stmt.src.step[0]
    return None if low < 0 else max(last + 1 - tensor.shape[0], 0)


def _copying_fractals(tensor: Buffer, extended: Buffer, fresh: FreshNames) -> Stage:
    """Return the stage that copies weights in FRACTAL_Z.

    A core takes a block of channels, of all positions, of a block of outputs.
    """
    loc, k0 = tensor.loc, tensor.dtype.k0
    n_outputs, n_channels, *positions = extended.shape
    shape = (prod(positions), FRACTAL_ROWS, k0)
    tile = Buffer(fresh(f"{extended.name}_tile"), Memory.UB, tensor.dtype, shape, ND, loc)
    output, channel = fresh(f"{extended.name}_o1"), fresh(f"{extended.name}_c1")
    starts = (
        ix.ZERO,
        ix.scale(ix.variable(output), FRACTAL_ROWS),
        ix.scale(ix.variable(channel), k0),
    )
    view = Permute(((2, 3), (0,), (1,)))

    def part(buffer: Buffer) -> Region:
        return Region(buffer, view, starts, (1, 1, 1), shape, loc)

    body: Body = (
        Alloc(tile, loc),
        Move(whole(tile, loc), part(tensor), 0, loc),
        Move(part(extended), whole(tile, loc), 0, loc),
    )
    grid = (Core(output, -(-n_outputs // FRACTAL_ROWS)), Core(channel, -(-n_channels // k0)))
    return Stage(grid, body, loc)


def _copying_rows(
    tensor: Buffer, groups: tuple[tuple[int, ...], ...], extended: Buffer, fresh: FreshNames
) -> Stage:
    """Return the stage that copies `tensor`, whose `groups` are dimensions of `extended`.

    A core takes some rows of its last dimension, or a part of one.
    """
    loc = tensor.loc
    *lead, n_columns = extended.shape
    room = _TILE_BYTES // tensor.dtype.n_bytes
    columns = max(min(n_columns, room), tensor.dtype.k0)  # a column alone is moved by elements
    rows = max(min(prod(lead), room // columns), 1)
    shape = (rows, columns)[-min(extended.rank, 2) :]
    tile = Buffer(fresh(f"{extended.name}_tile"), Memory.UB, tensor.dtype, shape, ND, loc)
    row, column = fresh(f"{extended.name}_row"), fresh(f"{extended.name}_column")
    starts = (ix.scale(ix.variable(row), rows), ix.scale(ix.variable(column), columns))

    def part(buffer: Buffer, inner: tuple[int, ...]) -> Region:
        outer = tuple(axis for axis in range(buffer.rank) if axis not in inner)
        view = Permute((outer, inner)[-len(shape) :])
        return Region(buffer, view, starts[-len(shape) :], (1,) * len(shape), shape, loc)

    body: Body = (
        Alloc(tile, loc),
        Move(whole(tile, loc), part(tensor, groups[-1]), 0, loc),
        Move(part(extended, (extended.rank - 1,)), whole(tile, loc), 0, loc),
    )
    grid = (Core(row, -(-prod(lead) // rows)), Core(column, -(-n_columns // columns)))
    return Stage(grid, body, loc)
