"""A cube core that has no UB beside it: its loads, its products, and its results.

On the Ascend 910B cube and vector unit are cores of their own (Ascend C guide, "basic
architecture", atlas_ascendc_10_0008: an AIC has L1, L0A, L0B and L0C, an AIV has UB, and they meet
in GM). So nothing can be filled or padded by vector instructions on the way to the cube:

* zeros around a tile come from a constant in GM, by data_move to L1 (TIK reference, data_move,
  atlastikapi_07_0101: OUT->L1 on Atlas A2);
* the last block of a row of 32 bytes is loaded with whatever follows in GM, and the product is told
  the true k, which leaves it out (TIK reference, matmul, atlastikapi_07_0094: k need not be a
  multiple of 16). That needs the row to run along k.

Doubtful: `mmad` and `load2dv2`, which kernels use and the chip's table of instructions has, are not
in the public TIK reference; and no page says that a tensor with `init_value` may be loaded into L1.
"""

from dataclasses import dataclass, field

from tilelang.backends.tik.instructions import Operand, Scope, TikType
from tilelang.backends.tik.lower.boxes import Box, box_of
from tilelang.backends.tik.lower.cases import Inside, for_cases
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.cube import load_operand
from tilelang.backends.tik.lower.edges import Edge, axis_edge, edges
from tilelang.backends.tik.lower.fills import FILLER_BLOCKS, fill_from, outside
from tilelang.backends.tik.lower.fixpipe import store_results
from tilelang.backends.tik.lower.forms import Form
from tilelang.backends.tik.lower.loads import along, check_lanes, lane_axis
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.slabs import multiply_slabs, slab_form
from tilelang.backends.tik.lower.tiles import move
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Mmad, Move
from tilelang.ir.region import AsMatrix, Memory, Region, identity, view_shape


@dataclass(frozen=True, slots=True)
class Tail:
    """Dimension `axis` of a tile runs along its rows, which may end inside a block of 32 bytes.

    Position 0 of it is position `start` of `size` of the tensor; `origin` is what was loaded.
    """

    axis: int
    start: Index
    size: int
    origin: Region = field(compare=False)


@dataclass(slots=True)
class CubeCore:
    """What is written for a cube core; `tails` are those of the tiles loaded so far, by name."""

    writer: Writer
    machine: str
    tails: dict[str, Tail | None] = field(default_factory=lambda: {})
    _constants: dict[tuple[TikType, int | float], str] = field(default_factory=lambda: {})

    def form(self, form: Form) -> Form:
        """Return the physical form that a buffer of the usual `form` has here."""
        return slab_form(form) if form.scope.is_accumulator else form

    def move(self, stmt: Move, dst: Form, src: Form) -> None:
        """Write a move.

        Raises:
            TileError: E1248 for a way that the core has not, or a tail that no product leaves out.
        """
        if src.scope is Scope.GM and dst.scope is Scope.L1:
            self._load(stmt, dst, src)
        elif src.scope is Scope.L1 and dst.scope in (Scope.L0A, Scope.L0B):
            self._load_operand(stmt, dst, src)
        elif src.scope.is_accumulator:
            store_results(self.writer, stmt, dst, src)
        else:
            move(self.writer, stmt, dst, src, self.machine)

    def multiply(self, stmt: Mmad, forms: tuple[Form, Form, Form]) -> None:
        """Write a product."""
        multiply_slabs(self.writer, stmt, forms, self._k_edge(stmt))

    def _load(self, stmt: Move, dst_form: Form, src_form: Form) -> None:
        src = box_of(stmt.src, src_form, self.writer)
        dst = box_of(stmt.dst, dst_form, self.writer)
        self._note(stmt, self._tail_of(stmt, dst, src))
        for_cases(self.writer, stmt.src, lambda inside: self._load_case(stmt, dst, src, inside))

    def _load_case(self, stmt: Move, dst: Box, src: Box, inside: Inside | None) -> None:
        axis, unit = lane_axis(dst), dst.form.per_block
        for part in [dst] if inside is None else outside(dst, inside, axis):
            fill_from(self.writer, part, self._constant(dst.form.dtype, stmt.pad))
        if inside is None:
            return
        starts = [first for first, _ in inside]
        counts = [last - first for first, last in inside]
        check_lanes(self.writer, dst, axis, starts[axis])
        rounded = -(-counts[axis] // unit) * unit
        target, source = dst.part(starts, counts), src.part(starts, counts)
        copy(self.writer, along(target, axis, 0, rounded), along(source, axis, 0, rounded))

    def _constant(self, dtype: TikType, value: int | float) -> Operand:
        """Return the constant in GM from which L1 is filled with `value`."""
        name = self._constants.get((dtype, value))
        if name is None:
            values = (value,) * (FILLER_BLOCKS * dtype.per_block)
            name = self.writer.gm_constant("zeros" if value == 0 else "pad", dtype, values)
            self._constants[dtype, value] = name
        return Operand(name, dtype)

    def _tail_of(self, stmt: Move, dst: Box, src: Box) -> Tail | None:
        """Return the tail of the tile that `stmt` loads; None if rows never end inside a block."""
        along_rows, unit = lane_axis(dst), dst.form.per_block
        axis = stmt.src.spanned[along_rows]
        edge = edges(stmt.src, self.writer)[axis]
        is_ragged = any(case.n_inside and case.last % unit for case in edge.cases)
        # Behind the last element of a blocked tensor lie zeros: `pack` puts them there.
        if not is_ragged or (src.axes[along_rows].block and stmt.pad == 0):
            return None
        own_axis = stmt.dst.spanned[along_rows]
        is_plain = stmt.dst.view == identity(stmt.dst.buffer.rank)
        if stmt.pad != 0 or not is_plain:
            raise self._ragged(stmt.src, axis)
        start = ix.subtract(stmt.src.start[axis], stmt.dst.start[own_axis])
        size = view_shape(stmt.src.buffer, stmt.src.view)[axis]
        return Tail(own_axis, start, size, stmt.src)

    def _note(self, stmt: Move, tail: Tail | None) -> None:
        """Keep the tail of the tile that `stmt` fills; every move into it must leave the same."""
        name = stmt.dst.buffer.name
        if self.tails.setdefault(name, tail) != tail:
            known = tail or self.tails[name]
            assert known is not None, "two tails that differ are not both None"
            raise self._ragged(known.origin, known.origin.spanned[-1])

    def _load_operand(self, stmt: Move, dst: Form, src: Form) -> None:
        k_axis = 1 if stmt.dst.buffer.memory is Memory.L0A else 0
        source = box_of(stmt.src, src, self.writer)
        is_turned = source.axes[k_axis].inner != 1
        if is_turned and src.dtype.n_bytes != 2:
            raise self._not_turned(stmt)
        tail = self.tails.get(stmt.src.buffer.name)
        self._note(stmt, None if tail is None else self._moved(stmt, tail, k_axis))
        load_operand(self.writer, stmt, dst, src, self.machine)

    def _moved(self, stmt: Move, tail: Tail, k_axis: int) -> Tail:
        """Return the tail of the tile in L0 that `stmt` fills from one with `tail`."""
        view, axis = stmt.src.view, stmt.src.spanned[k_axis]
        is_along_k = not isinstance(view, AsMatrix) and view.groups[axis] == (tail.axis,)
        if not is_along_k or not stmt.dst.is_whole or stmt.src.step[axis] != 1:
            raise self._ragged(tail.origin, tail.origin.spanned[-1])
        start = ix.add(tail.start, stmt.src.start[axis])
        return Tail(k_axis, start, tail.size, tail.origin)

    def _k_edge(self, stmt: Mmad) -> Edge | None:
        """Return which part of k lies in the tensors, where a tail must be left out."""
        tails = [(region, self.tails.get(region.buffer.name)) for region in (stmt.a, stmt.b)]
        found = [(region, tail) for region, tail in tails if tail is not None]
        if not found:
            return None
        _, tail = found[0]
        if any((t.start, t.size) != (tail.start, tail.size) for _, t in found):
            raise self._ragged(tail.origin, tail.origin.spanned[-1])
        if not all(region.is_whole for region, _ in found):
            raise self._ragged(tail.origin, tail.origin.spanned[-1])
        return axis_edge(tail.origin, self.writer, tail.start, (1, stmt.a.shape[1], tail.size))

    def _ragged(self, region: Region, axis: int) -> Exception:
        buffer = region.buffer
        unit, size = TikType(buffer.dtype.value).per_block, view_shape(buffer, region.view)[axis]
        return refusal(
            "E1248",
            f"rows of {size} elements of `{buffer.name}` end inside a block of 32 bytes ({unit} "
            f"elements of {buffer.dtype}), and on {self.machine} the cube core has no UB in which "
            "the rest of the block could be set to zero; a product leaves it out only along k",
            self.writer.loc,
            f"pad this dimension of `{buffer.name}` from {size} to {-(-size // unit) * unit} "
            "with zeros",
            buffer,
        )

    def _not_turned(self, stmt: Move) -> Exception:
        tile = stmt.src.buffer
        return refusal(
            "E1248",
            f"`{tile.name}` is {tile.dtype} and must be transposed block by block on its way into "
            f"{stmt.dst.buffer.memory}; load2dv2 transposes 16-bit types only, and on "
            f"{self.machine} the cube core has no UB to do it in",
            self.writer.loc,
            "store the operand with k innermost, load it so, and write `.T`: "
            "`b[N, K]`, `tl.matmul(acc, a1, b1.T)`",
            tile,
        )
