"""Where a region of the tile program is in the block program: in a variable, or in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import assert_never

from tilelang.backends.triton.blocks import Fetch, Operand, Place, Put, Slot, Tile, lanes
from tilelang.backends.triton.forms import Form, Forwarded, Kept, Spilled
from tilelang.diagnostics import Location
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col, Move
from tilelang.ir.region import Buffer, Memory, Permute, Region
from tilelang.ir.source_index import Element, region_element, source_index


@dataclass(frozen=True, slots=True)
class Finder:
    """The forms of a stage's buffers, the number of its core, and the tensors it shares."""

    forms: Mapping[str, Form]
    core: Index
    shared: frozenset[str]
    numbers: "count[int]" = field(default_factory=count)

    def operand(self, region: Region, loc: Location) -> tuple[tuple[Fetch, ...], Operand]:
        """Return `region` as an operand, and what loads it first if it is in memory."""
        form = self.forms.get(region.buffer.name)
        if isinstance(form, Kept):
            return (), _kept_operand(region, form)
        tile = self.temporary(region)
        place, pad = self.source_of_region(region)
        return (Fetch(Slot((tile,)), place, pad, loc),), all_of(tile)

    def target(self, region: Region) -> Slot:
        """Return what to compute the new value of `region` into."""
        form = self.forms.get(region.buffer.name)
        return slot_of(region, form) if isinstance(form, Kept) else Slot((self.temporary(region),))

    def written_back(self, region: Region, slot: Slot, loc: Location) -> tuple[Put, ...]:
        """Return the store of what was computed for `region`, unless it is a variable."""
        if isinstance(self.forms.get(region.buffer.name), Kept):
            return ()
        return (self.put(region, all_of(slot.tile), loc),)

    def put(self, region: Region, value: Operand, loc: Location) -> Put:
        """Return the store of `value` to `region` in global memory or in scratch."""
        element, valid = region_element(region, lanes(len(region.shape)))
        place = self._at(region.buffer, region.shape, element, valid)
        form = self.forms.get(region.buffer.name)
        is_shared = isinstance(form, Spilled) or region.buffer.name in self.shared
        return Put(place, value, is_shared, loc)

    def source_of_region(self, region: Region) -> tuple[Place, int | float]:
        """Return where the elements of `region` are in memory, and what those are that are not."""
        element, valid = region_element(region, lanes(len(region.shape)))
        return self._resolve(region, element, valid, region.shape, 0)

    def source_of_move(
        self, stmt: Move | Img2col, i: Sequence[Index], shape: tuple[int, ...]
    ) -> tuple[Place, int | float]:
        """Return where what `stmt` moves to element `i` is in memory, and what fills the rest."""
        element, valid = source_index(stmt, i)
        pad = stmt.pad if isinstance(stmt, Move) else 0
        return self._resolve(stmt.src, element, valid, shape, pad)

    def temporary(self, region: Region) -> Tile:
        """Return a new tile of the shape of `region`."""
        buffer = region.buffer
        return Tile(
            f"{buffer.name}_part{next(self.numbers)}", buffer.dtype, region.shape, buffer.loc
        )

    def _resolve(
        self,
        region: Region,
        element: Element,
        valid: Condition,
        shape: tuple[int, ...],
        pad: int | float,
    ) -> tuple[Place, int | float]:
        """Follow `element` of the buffer of `region` to the memory that it was filled from.

        On chip nothing hangs over, so the `pad` of a move counts there for what a view leaves open
        only; `choose_forms` sees to it that this and the pad on the way from memory are one.
        """
        form, buffer = self.forms.get(region.buffer.name), region.buffer
        match form:
            case None | Spilled():
                return self._at(buffer, shape, element, valid), pad
            case Forwarded(source, var):
                inner, exists = _filled_from(source, var, element)
                fill = source.pad if isinstance(source, Move) else 0
                both = cond.conjunction(valid, exists)
                return self._resolve(source.src, inner, both, shape, fill)
            case Kept():
                raise AssertionError(f"{buffer.name} is a variable")
            case _:
                assert_never(form)

    def _at(
        self, buffer: Buffer, shape: tuple[int, ...], element: Element, valid: Condition
    ) -> Place:
        form = self.forms.get(buffer.name)
        if isinstance(form, Spilled):  # on chip nothing hangs over
            return Place(form.scratch, shape, (self.core, *element), valid)
        assert buffer.memory is Memory.GM, f"{buffer.name} has no place in memory"
        return Place(buffer, shape, element, valid)


def _filled_from(
    source: Move | Img2col, var: str | None, element: Element
) -> tuple[Element, Condition]:
    """Return where `source` takes `element` of its buffer from, `var` being the array's index."""
    inner, exists = source_index(source, [element[axis] for axis in source.dst.spanned])
    if var is None:
        return inner, exists
    slot = {var: element[0]}
    return tuple(ix.substitute(index, slot) for index in inner), cond.substitute(exists, slot)


def all_of(tile: Tile) -> Operand:
    """Return a tile as an operand."""
    return Operand(Slot((tile,)), tuple(range(len(tile.shape))), tile.shape)


def slot_of(region: Region, form: Kept) -> Slot:
    """Return which of the tiles of a buffer `region` is in."""
    which = ix.ZERO
    for start, size in zip(region.start[: form.n_lead], region.buffer.shape, strict=False):
        which = ix.add(ix.scale(which, size), start)
    return Slot(form.tiles, which if len(form.tiles) > 1 else ix.ZERO)


def tile_axes(region: Region, form: Kept) -> tuple[int, ...]:
    """Return the axes of the tile that the dimensions of `region` run along."""
    return tuple(axis - form.n_lead for axis in region.spanned)


def _kept_operand(region: Region, form: Kept) -> Operand:
    slot = slot_of(region, form)
    if form.n_lead:
        return Operand(slot, tuple(range(len(slot.tile.shape))), region.shape)
    assert isinstance(region.view, Permute)
    order = tuple(axis for group in region.view.groups for axis in group)
    return Operand(slot, order, region.shape)
