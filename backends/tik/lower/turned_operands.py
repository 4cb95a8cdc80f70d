"""Operands of the cube whose rows run across k, turned round in GM before the product.

load2dv2 transposes fractals of 16-bit elements on the way to the cube. A cube core without UB can
do nothing of the kind for others, and cannot fill up rows that end inside a block of 32 bytes. So a
stage of vector work comes first, which leaves the tensor turned round in workspace, where k runs
along rows and whose rows are padded: the way of the vendor's matmul sample, which turns the right
operand by vec_trans_scatter into workspace.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tilelang.dtypes import BLOCK_BYTES
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Body, Core, Move, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, identity, whole
from tilelang.ir.walk import reads, rewrite_program, walk_program, written
from tilelang.layouts import ND, LayoutKind, layout_for

SIDE = 64
"""Rows and columns of a tile that is turned round: whole squares of any dtype."""
_SWAPPED = Permute(((1,), (0,)))
_SIXTEEN_BITS = 2


def turn_operands(program: Program) -> Program:
    """Return `program` with operands that no load transposes turned round in a first stage.

    Others stay, for the lowering to refuse: what is no matrix given row-major, or is used both
    ways.
    """
    found = tuple(_turnable(program))
    if not found:
        return program
    turns = {tile.name: _Turn(tile, tensor, _turned(program, tensor)) for tile, tensor in found}
    rewritten = rewrite_program(program, lambda stmt: (_with_turns(stmt, turns),))
    first: list[Alloc | Stage] = []
    for tensor in dict.fromkeys(tensor for _, tensor in found):
        first += _stage(program, tensor, _turned(program, tensor))
    return replace(rewritten, body=(*first, *rewritten.body))


@dataclass(frozen=True, slots=True)
class _Turn:
    """`tile` is loaded from `tensor`, and will be from `turned`."""

    tile: Buffer
    tensor: Buffer
    turned: Buffer

    @property
    def new_tile(self) -> Buffer:
        """The tile with rows for columns."""
        layout = layout_for(LayoutKind.NZ, self.tile.dtype)
        return replace(self.tile, shape=self.tile.shape[::-1], layout=layout)


def _turnable(program: Program) -> Iterator[tuple[Buffer, Buffer]]:
    """Yield every tile of L1 that must be turned round and can be, and its tensor."""
    statements = tuple(walk_program(program))
    for stmt in statements:
        if not isinstance(stmt, Alloc) or stmt.buffer.memory is not Memory.L1:
            continue
        tile = stmt.buffer
        into = [s for s in statements if (target := written(s)) and target.buffer == tile]
        outof = [s for s in statements if any(region.buffer == tile for region in reads(s))]
        tensors = {s.src.buffer for s in into if isinstance(s, Move) and _is_plain(s, program)}
        if len(tensors) == 1 and all(isinstance(s, Move) and _is_plain(s, program) for s in into):
            (tensor,) = tensors
            if outof and _must_turn(tensor) and all(map(_is_across, outof)):
                yield tile, tensor


def _must_turn(tensor: Buffer) -> bool:
    """Return whether rows of `tensor` that run across k cannot be loaded as they are."""
    per_block = BLOCK_BYTES // tensor.dtype.n_bytes
    return tensor.dtype.n_bytes != _SIXTEEN_BITS or bool(tensor.shape[1] % per_block)


def _is_plain(load: Move, program: Program) -> bool:
    """Return whether `load` fills a matrix from a row-major one that the caller gives."""
    tensor = load.src.buffer
    is_matrix = tensor.rank == 2 and tensor.layout == ND and tensor in program.inputs
    return is_matrix and all(
        region.view == identity(2) and region.spanned == (0, 1) for region in (load.dst, load.src)
    )


def _is_across(stmt: Stmt) -> bool:
    """Return whether `stmt` loads a tile into L0 of which rows run across k."""
    if not isinstance(stmt, Move) or stmt.dst.buffer.memory not in (Memory.L0A, Memory.L0B):
        return False
    k_axis = 1 if stmt.dst.buffer.memory is Memory.L0A else 0
    view, spanned = stmt.src.view, stmt.src.spanned
    return isinstance(view, Permute) and view.groups[spanned[k_axis]] == (0,)


def _turned(program: Program, tensor: Buffer) -> Buffer:
    """Return the workspace that holds `tensor` turned round."""
    taken = {stmt.buffer.name for stmt in walk_program(program) if isinstance(stmt, Alloc)}
    taken |= {buffer.name for buffer in (*program.inputs, *program.results)}
    name = f"{tensor.name}_turned"
    while name in taken:
        name += "_"
    return replace(tensor, name=name, shape=tensor.shape[::-1])


def _with_turns(stmt: Stmt, turns: Mapping[str, _Turn]) -> Stmt:
    match stmt:
        case Alloc(buffer) if buffer.name in turns:
            return replace(stmt, buffer=turns[buffer.name].new_tile)
        case Move(dst, src) if dst.buffer.name in turns:
            turn = turns[dst.buffer.name]
            source = replace(_mirrored(src), buffer=turn.turned)
            return replace(stmt, dst=replace(_mirrored(dst), buffer=turn.new_tile), src=source)
        case Move(_, src) if src.buffer.name in turns:
            assert isinstance(src.view, Permute), "only plain matrices are turned"
            view = Permute(tuple((1 - axis,) for (axis,) in src.view.groups))
            return replace(
                stmt, src=replace(src, buffer=turns[src.buffer.name].new_tile, view=view)
            )
        case _:
            return stmt


def _mirrored(region: Region) -> Region:
    return replace(
        region, start=region.start[::-1], step=region.step[::-1], extent=region.extent[::-1]
    )


def _stage(program: Program, tensor: Buffer, turned: Buffer) -> tuple[Alloc | Stage, ...]:
    """Return the workspace and the stage that fills it from `tensor`."""
    row, column = f"{turned.name}_i", f"{turned.name}_j"
    plain, mirrored = (
        Buffer(f"{turned.name}_{side}", Memory.UB, tensor.dtype, (SIDE, SIDE), ND, tensor.loc)
        for side in ("from", "to")
    )
    starts = (ix.scale(ix.variable(row), SIDE), ix.scale(ix.variable(column), SIDE))
    loc = tensor.loc
    of = Region(tensor, identity(2), starts, (1, 1), (SIDE, SIDE), loc)
    to = Region(turned, identity(2), starts[::-1], (1, 1), (SIDE, SIDE), loc)
    body: Body = (
        Alloc(plain, loc),
        Alloc(mirrored, loc),
        Move(whole(plain, loc), of, 0, loc),
        Move(whole(mirrored, loc), replace(whole(plain, loc), view=_SWAPPED), 0, loc),
        Move(to, whole(mirrored, loc), 0, loc),
    )
    sizes = (-(-size // SIDE) for size in tensor.shape)
    grid = tuple(Core(var, n) for var, n in zip((row, column), sizes, strict=True))
    return Alloc(turned, loc), Stage(grid, body, loc)
