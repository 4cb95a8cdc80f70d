"""Results whose rows end inside blocks of others, brought to them in whole rows by a last stage.

A tile that is narrower than a block of 32 bytes cannot be stored where elements of others share
the block. Such a result goes to workspace with padded rows, where every tile has blocks of its own.
When all tiles are done, a last stage stores rows, which are as wide as they get:

* Rows of a block or more in parts of whole blocks, the last of them moved back to end with the row.
  What it covers of the part before it gets the values that are there already.
* Shorter rows in tiles of several, packed without gaps; CANN has room behind the last of them.

A core takes rows that are a multiple of 32 bytes together, so no two cores store to one block.
"""

from dataclasses import dataclass, replace
from math import prod

from tilelang.backends.tik.lower.forms import row_length
from tilelang.dtypes import BLOCK_BYTES, DType
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Alloc, Body, Core, Loop, LoopKind, Move, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, whole
from tilelang.ir.walk import map_regions, reads, rewrite_program, walk_program, written
from tilelang.layouts import ND
from tilelang.passes.fresh_names import FreshNames

_PART_BYTES = 1 << 10
"""At most this of a row at once: packages of 256 bytes keep the link to GM busy."""
_TILE_BYTES = 1 << 15
"""Of a tile, which is there twice; transfers of 16 KiB pay no start-up (davinci.md, 2.3)."""


def stage_rows(program: Program, name: str, n_cores: int) -> Program | None:
    """Return `program` with the result `name` stored in whole rows by a stage at the end.

    The stage is for `n_cores` cores. None where that cannot be: for what is no result or is read
    too, is not row-major, or is written through a view that merges its last dimension with others.
    """
    result = next((buffer for buffer in program.results if buffer.name == name), None)
    if result is None or not result.shape or not _is_only_stored(program, result):
        return None
    fresh = FreshNames(program)
    padded = (*result.shape[:-1], row_length(result.shape[-1], result.dtype))
    workspace = replace(result, name=fresh(f"{name}_rows"), shape=padded)

    def change(stmt: Stmt) -> Body:
        return (map_regions(stmt, lambda region: _moved(region, result, workspace)),)

    changed = rewrite_program(program, change)
    last = rows_stage(result, workspace, n_cores, fresh)
    return replace(changed, body=(Alloc(workspace, result.loc), *changed.body, last))


def rows_stage(
    result: Buffer, workspace: Buffer, n_cores: int, fresh: FreshNames, n_inner: int = 1
) -> Stage:
    """Return the stage for `n_cores` cores that stores the rows of `workspace` to `result`.

    A row of `result` is its last `n_inner` dimensions, one of `workspace` its last dimension, which
    may be longer. `fresh` gives names.
    """
    rows = _Rows(result, n_inner)
    sizes = _sizes(rows.n_rows, rows.length, result.dtype, n_cores)
    return _last_stage(rows, _Rows(workspace, 1), sizes, fresh)


def _is_only_stored(program: Program, result: Buffer) -> bool:
    """Return whether `result` is row-major and nothing but a target of rows that stay rows."""
    if result.layout != ND or result in program.inputs:
        return False
    statements = tuple(walk_program(program))
    if any(region.buffer == result for stmt in statements for region in reads(stmt)):
        return False
    targets = (written(stmt) for stmt in statements)
    return all(
        isinstance(to.view, Permute) and (result.rank - 1,) in to.view.groups
        for to in targets
        if to is not None and to.buffer == result
    )


def _moved(region: Region, result: Buffer, workspace: Buffer) -> Region:
    return replace(region, buffer=workspace) if region.buffer == result else region


@dataclass(frozen=True, slots=True)
class _Sizes:
    """A tile of the last stage, and how many of them a row takes."""

    n_rows: int
    n_columns: int
    n_parts: int


def _sizes(rows: int, columns: int, dtype: DType, n_cores: int) -> _Sizes:
    """Return the tile by which `n_cores` cores store `rows`: of short rows, a block wide."""
    n_bytes = dtype.n_bytes
    unit = BLOCK_BYTES // n_bytes
    n_parts = -(-columns * n_bytes // _PART_BYTES)
    if columns > unit and columns % unit:
        n_parts = max(n_parts, 2)
    n_columns = -(-columns // (n_parts * unit)) * unit
    fitting = _TILE_BYTES // (n_columns * n_bytes) // unit * unit
    n_rows = min(fitting, -(-rows // (n_cores * unit)) * unit, rows)
    return _Sizes(n_rows, n_columns, -(-columns // n_columns))


@dataclass(frozen=True, slots=True)
class _Rows:
    """A tensor as rows, each of them its last `n_inner` dimensions."""

    tensor: Buffer
    n_inner: int

    @property
    def length(self) -> int:
        """The elements of a row."""
        return prod(self.tensor.shape[-self.n_inner :])

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return prod(self.tensor.shape[: -self.n_inner])

    def part(self, start: tuple[Index, Index], shape: tuple[int, ...]) -> Region:
        """Return rows and columns from `start` on; of a single row, columns alone."""
        axes = tuple(range(self.tensor.rank))
        groups = (axes[: -self.n_inner], axes[-self.n_inner :])[-len(shape) :]
        ones, loc = (1,) * len(shape), self.tensor.loc
        return Region(self.tensor, Permute(groups), start[-len(shape) :], ones, shape, loc)


def _last_stage(result: _Rows, workspace: _Rows, sizes: _Sizes, fresh: FreshNames) -> Stage:
    """Return the stage that stores the rows of `workspace` to `result`; whose names are fresh."""
    tensor, loc = result.tensor, result.tensor.loc
    tile_name, core, part = (fresh(f"{tensor.name}_{wish}") for wish in ("tile", "core", "part"))
    shape = (sizes.n_rows, sizes.n_columns)[-min(tensor.rank, 2) :]
    tile = Buffer(tile_name, Memory.UB, tensor.dtype, shape, ND, loc)
    latest = ix.constant(max(result.length - sizes.n_columns, 0))
    column = ix.minimum(ix.scale(ix.variable(part), sizes.n_columns), latest)
    start = (ix.scale(ix.variable(core), sizes.n_rows), column)
    body: Body = (
        Alloc(tile, loc),
        Move(whole(tile, loc), workspace.part(start, shape), 0, loc),
        Move(result.part(start, shape), whole(tile, loc), 0, loc),
    )
    loop = Loop(part, ix.constant(sizes.n_parts), LoopKind.SERIAL, 2, body, loc)
    return Stage((Core(core, -(-result.n_rows // sizes.n_rows)),), (loop,), loc)
