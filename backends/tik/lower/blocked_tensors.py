"""Row-major maps and weights of convolutions, put into blocks of channels in GM, and back.

load3d reads maps in NC1HWC0 and the cube takes weights in FRACTAL_Z, where the channels of a
position are neighbours; in NCHW and OIHW its neighbours are positions of one channel. Moves take
blocks of 32 bytes and transpose nothing. So vector work comes first, in a stage that leaves such
operands in workspace as the product wants them, and last, in one that brings results back: what
the vendor's TransData operators do between two layouts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from tilelang.backends.tik.lower.block_stages import blocking_stage, unblocking_stage
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Loop, Move, Program, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, identity
from tilelang.ir.walk import map_regions, names, reads, rewrite_program, walk_program, written
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

_OPERAND_KINDS = (LayoutKind.NC1HWC0, LayoutKind.FRACTAL_Z)
_CHANNELS = 1
"""The axis of channels in NCHW and OIHW."""


def block_tensors(program: Program) -> Program:
    """Return `program` with row-major maps and weights in blocks of channels in workspace.

    The same object is returned where there are none, and where parts of one start or end inside a
    block of channels, for the lowering to refuse. Tensors used in several ways stay too.
    """
    operands = {b: _of_operand(program, b) for b in program.inputs if _is_map(b)}
    results = {b: _of_result(program, b) for b in program.results if _is_map(b)}
    layouts = {b: layout for b, layout in (operands | results).items() if layout is not None}
    ranges = dict(_ranges(program))
    regions = (r for r in _regions(program) if r.buffer in layouts)
    if not layouts or not all(_is_in_blocks(region, ranges) for region in regions):
        return program
    taken = set(names(program))
    blocked = {b: _blocked(b, layout, taken) for b, layout in layouts.items()}
    rewritten = rewrite_program(program, lambda stmt: (_rerouted(stmt, blocked),))
    before = [blocking_stage(b, blocked[b]) for b in program.inputs if b in blocked]
    after = [unblocking_stage(b, blocked[b]) for b in program.results if b in blocked]
    workspaces = tuple(Alloc(buffer, buffer.loc) for buffer in blocked.values())
    return replace(rewritten, body=(*workspaces, *before, *rewritten.body, *after))


def _is_map(tensor: Buffer) -> bool:
    """Return whether `tensor` is row-major with several positions of a channel side by side."""
    return tensor.rank == 4 and tensor.layout == ND and prod(tensor.shape[2:]) > 1


def _of_operand(program: Program, tensor: Buffer) -> Layout | None:
    """Return the one layout in blocks that `tensor` is loaded into, if that is all its use."""
    layouts: set[Layout | None] = set()
    for stmt in walk_program(program):
        for region in reads(stmt):
            if region.buffer == tensor:
                layouts.add(_tile_layout(stmt) if region.view == identity(4) else None)
    return layouts.pop() if len(layouts) == 1 else None


def _tile_layout(stmt: Stmt) -> Layout | None:
    if not isinstance(stmt, Move) or stmt.dst.buffer.memory is not Memory.L1:
        return None
    layout = stmt.dst.buffer.layout
    return layout if layout.kind in _OPERAND_KINDS else None


def _of_result(program: Program, tensor: Buffer) -> Layout | None:
    """Return NC1HWC0 if `tensor` is only stored, always with channels side by side."""
    statements = tuple(walk_program(program))
    regions = [target for s in statements if (target := written(s)) and target.buffer == tensor]
    is_read = any(region.buffer == tensor for s in statements for region in reads(s))
    if is_read or not regions or not all(map(_has_channels_last, regions)):
        return None
    return layout_for(LayoutKind.NC1HWC0, tensor.dtype)


def _has_channels_last(region: Region) -> bool:
    if not isinstance(region.view, Permute) or not region.spanned:
        return False
    return region.view.groups[region.spanned[-1]] == (_CHANNELS,)


def _is_in_blocks(region: Region, ranges: Mapping[str, tuple[int, int]]) -> bool:
    """Return whether the channels of `region` are always whole blocks, or all from a block on."""
    assert isinstance(region.view, Permute), "only weights in L1 are seen as a matrix"
    axis, k0 = region.view.groups.index((_CHANNELS,)), region.buffer.dtype.k0
    start, n_channels = region.start[axis], region.extent[axis] or 1
    used = {name: ranges[name] for name in ix.free_variables(start)}
    single = {name: ix.constant(low) for name, (low, high) in used.items() if low == high}
    divisor = ix.known_divisor(ix.substitute(start, single))
    low, _ = ix.bounds(start, ranges)
    is_rest = low + n_channels >= region.buffer.shape[_CHANNELS]
    is_whole = n_channels % k0 == 0 or is_rest
    return divisor % k0 == 0 and region.step[axis] == 1 and is_whole


def _regions(program: Program) -> Iterator[Region]:
    """Yield every region that is read or written."""
    for stmt in walk_program(program):
        yield from reads(stmt)
        target = written(stmt)
        if target is not None:
            yield target


def _ranges(program: Program) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield every variable with its least and greatest value."""
    known: dict[str, tuple[int, int]] = {}
    for stage in program.stages:
        known |= stage.limits
    for stmt in walk_program(program):
        if isinstance(stmt, Loop):
            known[stmt.var] = (0, max(ix.bounds(stmt.extent, known)[1] - 1, 0))
    yield from known.items()


def _blocked(tensor: Buffer, layout: Layout, taken: set[str]) -> Buffer:
    """Return the workspace that holds `tensor` in `layout`; its name starts none of the `taken`."""
    name = f"{tensor.name}_blocked"
    while any(other.startswith(name) for other in taken):
        name += "_"
    taken.add(name)
    return replace(tensor, name=name, layout=layout)


def _rerouted(stmt: Stmt, blocked: Mapping[Buffer, Buffer]) -> Stmt:
    def changed(region: Region) -> Region:
        return replace(region, buffer=blocked.get(region.buffer, region.buffer))

    return map_regions(stmt, changed)
