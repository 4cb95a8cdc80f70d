"""Load matrices of weights straight from their tensor, without the tile of weights in L1.

The matrix of a tile of weights, `as_matrix(tile)`, is a part of the matrix of the tensor: the rows
of some blocks of channels, the columns of some outputs. So the operand of the cube can come from
there, in one step, and be hoisted like any other load.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from tilelang.backends.llvm.existence import Ranges, ranges_of, within
from tilelang.backends.llvm.passes.hoist_packs import find_loads
from tilelang.backends.llvm.simplify import simplify
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, Move, Program, Stage, Stmt
from tilelang.ir.region import AsMatrix, Region, identity, view_shape
from tilelang.ir.walk import reads, rewrite, walk, written


def load_matrix(program: Program) -> Program:
    """Return `program` with matrices of weights loaded from their tensors if that is the same."""
    body = tuple(_of_stage(part) if isinstance(part, Stage) else part for part in program.body)
    return replace(program, body=body)


def _of_stage(stage: Stage) -> Stage:
    sources = dict(_sources(stage))

    def change(stmt: Stmt) -> Body:
        match stmt:
            case Alloc(buffer) if buffer.name in sources:
                return ()
            case Move(dst) if dst.buffer.name in sources:
                return ()
            case Move(_, src) if src.buffer.name in sources:
                return (replace(stmt, src=_composed(src, sources[src.buffer.name])),)
            case _:
                return (stmt,)

    return replace(stage, body=rewrite(stage.body, change))


def _composed(part: Region, source: Region) -> Region:
    """Return the part of the tensor's matrix that `part` of the tile's matrix is."""
    output, channel, *_ = source.start
    n_rows = prod(source.buffer.shape[2:])  # of the matrix, for each channel
    row, column = part.start
    start = ix.add(row, ix.scale(channel, n_rows)), ix.add(column, output)
    return replace(part, buffer=source.buffer, start=start)


def _sources(stage: Stage) -> Iterator[tuple[str, Region]]:
    """Yield the tiles that are only read as matrices, by name, with the weights each is."""
    changed = [r.buffer.name for stmt in walk(stage.body) if (r := written(stmt)) is not None]
    users = list(within(stage.body, ranges_of(stage.grid)))
    for load, loops in find_loads(stage.body, stage.grid):
        tile, tensor = load.dst.buffer.name, load.src.buffer.name
        is_part = _is_part(load, ranges_of(loops))
        if changed.count(tile) == 1 and tensor not in changed and is_part:
            readers = [(stmt, r) for stmt, r in users if tile in _read_names(stmt)]
            if all(_reads_matrix(stmt, ranges) for stmt, ranges in readers):
                yield tile, load.src


def _read_names(stmt: Stmt) -> set[str]:
    return {region.buffer.name for region in reads(stmt)}


def _is_part(load: Move, ranges: Ranges) -> bool:
    """Return whether the tile's matrix is a part of the tensor's, in whole blocks of channels."""
    tile, src = load.dst.buffer, load.src
    if src.view != identity(4) or tile.rank != 4 or src.extent != tile.shape or load.pad:
        return False
    channel, k0 = simplify(src.start[1], ranges), tile.dtype.k0
    is_all = channel == ix.ZERO and tile.shape[1] >= src.buffer.shape[1]
    is_blocks = ix.known_divisor(channel) % k0 == 0 and tile.shape[1] % k0 == 0
    return (
        src.buffer.dtype is tile.dtype
        and src.step == (1, 1, 1, 1)
        and tile.shape[2:] == src.buffer.shape[2:]
        and src.start[2:] == (ix.ZERO, ix.ZERO)
        and (is_all or is_blocks)
    )


def _reads_matrix(stmt: Stmt, ranges: Ranges) -> bool:
    """Return whether a statement moves a part of a tile's matrix that lies inside it."""
    if not isinstance(stmt, Move) or not isinstance(stmt.src.view, AsMatrix) or stmt.pad:
        return False
    src = stmt.src
    sizes = view_shape(src.buffer, src.view)
    return src.step == (1, 1) and all(
        low >= 0 and high + (extent or 1) <= size
        for (low, high), extent, size in zip(
            (ix.bounds(start, ranges) for start in src.start), src.extent, sizes, strict=True
        )
    )
