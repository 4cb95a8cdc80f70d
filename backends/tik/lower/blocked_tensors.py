"""Row-major maps and weights of convolutions, put into blocks of channels in GM, and back.

load3d reads maps in NC1HWC0 and the cube takes weights in FRACTAL_Z, where the channels of a
position are neighbours; in NCHW and OIHW its neighbours are positions of one channel. Moves take
blocks of 32 bytes and transpose nothing. So vector work comes first, in a stage that leaves such
operands in workspace as the product wants them, and last, in one that brings results back: what
the vendor's TransData operators do between two layouts. Groups of channels that begin inside a
block get blocks of their own there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from tilelang.backends.tik.lower.block_stages import blocking_stage, unblocking_stage
from tilelang.backends.tik.lower.channel_groups import (
    Access,
    Groups,
    Ranges,
    accesses,
    map_groups,
    ranges_of,
    weight_groups,
)
from tilelang.backends.tik.lower.group_stages import grouping_stage, padded_rows, ungrouping_stage
from tilelang.backends.tik.lower.ragged_rows import rows_stage
from tilelang.dtypes import BLOCK_BYTES
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Move, Program, Stage, Stmt
from tilelang.ir.region import Buffer, Memory, Permute, Region, identity
from tilelang.ir.walk import map_regions, names, reads, rewrite_program, walk_program, written
from tilelang.layouts import FRACTAL_ROWS, ND, Layout, LayoutKind, layout_for
from tilelang.passes.fresh_names import FreshNames

_OPERAND_KINDS = (LayoutKind.NC1HWC0, LayoutKind.FRACTAL_Z)
_CHANNELS = 1
"""The axis of channels in NCHW and OIHW."""


def block_tensors(program: Program, n_cores: int) -> Program:
    """Return `program` with row-major maps and weights in blocks of channels in workspace.

    It is for `n_cores` cores. The same object is returned where there are no such tensors, and
    where parts of one begin or end inside a block and are no groups of channels, for the lowering
    to refuse. Tensors used in several ways stay too.
    """
    operands = {b: _of_operand(program, b) for b in program.inputs if _is_map(b)}
    results = {b: _of_result(program, b) for b in program.results if _is_map(b)}
    ranges = dict(ranges_of(program))
    uses = tuple(accesses(program))
    taken = set(names(program))
    found: dict[str, _Blocking] = {}
    for tensor, layout in (operands | results).items():
        if layout is None or 0 in tensor.shape:
            continue
        own = [use for use in uses if use.region.buffer == tensor]
        is_plain = all(_is_in_blocks(use.region, layout, ranges) for use in own)
        groups = None if is_plain else _groups(tensor, layout, own, ranges)
        if groups is None and (prod(tensor.shape[2:]) == 1 or (is_plain and tensor.layout != ND)):
            continue  # channels are neighbours already
        if groups is None and not is_plain:
            return program
        found[tensor.name] = _Blocking.of(tensor, layout, groups, taken)
    return _with_stages(program, found, n_cores) if found else program


@dataclass(frozen=True, slots=True)
class _Blocking:
    """A tensor, and the workspace that holds it in blocks, by groups or as it is.

    `rows` is workspace for a result's way back, where it goes `is_by_rows`, and for maps that
    `was_blocked`.
    """

    tensor: Buffer
    blocked: Buffer
    groups: Groups | None
    rows: Buffer

    @staticmethod
    def of(tensor: Buffer, layout: Layout, groups: Groups | None, taken: set[str]) -> "_Blocking":
        """Return the workspace for `tensor`, whose names start none of the `taken`."""
        shape = tensor.shape
        if groups is not None:
            apart = layout.kind is LayoutKind.NC1HWC0
            lead = (
                (shape[0] * groups.n, groups.size) if apart else (groups.n * groups.room, shape[1])
            )
            shape = (*lead, *shape[2:])
        name = _name(f"{tensor.name}_blocked", taken)
        blocked = replace(tensor, name=name, shape=shape, layout=layout)
        rows = _name(f"{tensor.name}_rows", taken)
        rows = replace(tensor, name=rows, shape=padded_rows(blocked), layout=ND)
        return _Blocking(tensor, blocked, groups, rows)

    @property
    def is_apart(self) -> bool:
        """Whether its groups are images."""
        return self.groups is not None and self.blocked.layout.kind is LayoutKind.NC1HWC0

    @property
    def is_by_rows(self) -> bool:
        """Whether a result goes back by rows with room behind them: of groups, of tiny images."""
        n_images, *image = self.tensor.shape
        is_tiny = n_images > 1 and prod(image) * self.tensor.dtype.n_bytes < BLOCK_BYTES
        return self.groups is not None or is_tiny

    @property
    def was_blocked(self) -> bool:
        """Whether the tensor itself is in blocks of channels, in which groups begin anywhere."""
        return self.tensor.layout != ND

    def before(self) -> tuple[Stage, ...]:
        """Return the stages that put an operand into blocks."""
        if self.groups is None:
            return (blocking_stage(self.tensor, self.blocked),)
        if not self.is_apart:
            return (blocking_stage(self.tensor, self.blocked, self.groups.output),)
        if not self.was_blocked:
            return (grouping_stage(self.tensor, self.blocked, self.blocked.name),)
        return (
            ungrouping_stage(self.tensor, self.rows, self.rows.name),
            grouping_stage(self.rows, self.blocked, self.blocked.name),
        )

    def after(self, n_cores: int, fresh: FreshNames) -> tuple[Stage, ...]:
        """Return the stages that bring a result back."""
        if not self.is_by_rows:
            return (unblocking_stage(self.tensor, self.blocked),)
        first = ungrouping_stage(self.blocked, self.rows, self.blocked.name)
        if self.was_blocked:
            return first, grouping_stage(self.rows, self.tensor, self.rows.name)
        return first, rows_stage(self.tensor, self.rows, n_cores, fresh, n_inner=2)

    def rerouted(self, region: Region) -> Region:
        """Return `region` of the tensor in the workspace."""
        if self.groups is None:
            return replace(region, buffer=self.blocked)
        assert isinstance(region.view, Permute), "only weights in L1 are seen as a matrix"
        start, step = list(region.start), list(region.step)
        image = region.view.groups.index((0,))
        group, rest = self.groups.starts[region]
        if self.is_apart:
            start[image] = ix.add(ix.scale(start[image], self.groups.n), group)
            start[region.view.groups.index((_CHANNELS,))] = rest
            step[image] *= 1 if region.extent[image] is None else self.groups.n
        else:
            start[image] = ix.add(ix.scale(group, self.groups.room), rest)
        return replace(region, buffer=self.blocked, start=tuple(start), step=tuple(step))


def _with_stages(program: Program, found: Mapping[str, _Blocking], n_cores: int) -> Program:
    """Return `program` on blocked tensors, with the stages before and behind it."""

    def changed(region: Region) -> Region:
        blocking = found.get(region.buffer.name)
        return region if blocking is None else blocking.rerouted(region)

    fresh = FreshNames(program)
    rewritten = rewrite_program(program, lambda stmt: (map_regions(stmt, changed),))
    operands = [found[b.name] for b in program.inputs if b.name in found]
    results = [found[b.name] for b in program.results if b.name in found]
    before = [stage for one in operands for stage in one.before()]
    after = [stage for one in results for stage in one.after(n_cores, fresh)]
    workspaces = [one.blocked for one in found.values()]
    workspaces += [one.rows for one in operands if one.was_blocked]
    workspaces += [one.rows for one in results if one.is_by_rows]
    allocations = tuple(Alloc(buffer, buffer.loc) for buffer in workspaces)
    return replace(rewritten, body=(*allocations, *before, *rewritten.body, *after))


def _is_map(tensor: Buffer) -> bool:
    """Return whether `tensor` is a map, or weights that are row-major."""
    return tensor.rank == 4 and tensor.layout.kind in (LayoutKind.ND, LayoutKind.NC1HWC0)


def _groups(
    tensor: Buffer, layout: Layout, uses: Sequence[Access], ranges: Ranges
) -> Groups | None:
    find = map_groups if layout.kind is LayoutKind.NC1HWC0 else weight_groups
    return find(tensor, uses, ranges)


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


def _is_in_blocks(region: Region, layout: Layout, ranges: Ranges) -> bool:
    """Return whether the channels of `region` are always whole blocks, or all from a block on.

    Outputs of weights begin with a block.
    """
    assert isinstance(region.view, Permute), "only weights in L1 are seen as a matrix"
    axis, k0 = region.view.groups.index((_CHANNELS,)), region.buffer.dtype.k0
    start, n_channels = region.start[axis], region.extent[axis] or 1
    divisor = ix.known_divisor(ix.settle(start, ranges))
    low, _ = ix.bounds(start, ranges)
    is_rest = low + n_channels >= region.buffer.shape[_CHANNELS]
    is_whole = n_channels % k0 == 0 or is_rest
    if layout.kind is LayoutKind.FRACTAL_Z:
        is_whole &= ix.known_divisor(ix.settle(region.start[0], ranges)) % FRACTAL_ROWS == 0
    return divisor % k0 == 0 and region.step[axis] == 1 and is_whole


def _name(wish: str, taken: set[str]) -> str:
    """Return `wish`, lengthened until it starts none of the `taken`, and take it."""
    while any(other.startswith(wish) for other in taken):
        wish += "_"
    taken.add(wish)
    return wish
