"""Vector instructions over boxes: which digit becomes the blocks of a repeat, which the repeats.

An iteration is cut into chunks: the elements of one block of the narrowest operand. A repeat takes
several chunks of one digit, as far apart as block strides reach; the repeats go along that digit or
another one; loops do the rest. Of all ways that the fields allow, the
quickest is taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TypeAlias

from tilelang.backends.tik.instructions import BitMask, Lanes, Mask, TikType
from tilelang.backends.tik.lower.boxes import Box, Digit, merged, pieces
from tilelang.backends.tik.lower.copies import shifted_by
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

MAX_REPEATS = 255  # TIK reference: repeat_times of vector instructions
MAX_STRIDE = 255  # TIK reference: block and repeat strides
_REPEAT_BYTES = 256
_START_CYCLES = 20  # davinci.md section 6: of a vector instruction

Emit: TypeAlias = Callable[[Mask, int, tuple[Lanes, ...]], None]
"""Writes an instruction of (mask, repeats, lanes of every operand)."""


@dataclass(frozen=True, slots=True)
class Domain:
    """An iteration over `counts`, along axes that every operand has; the last axis is lanes."""

    counts: tuple[int, ...]
    operands: tuple[Box, ...]
    max_repeats: int = MAX_REPEATS

    @property
    def chunk(self) -> int:
        """Elements of a chunk."""
        return 32 // min(box.form.dtype.n_bytes for box in self.operands)

    @property
    def per_repeat(self) -> int:
        """Chunks of a repeat: as many as the widest operand has room for."""
        widest = max(box.form.dtype.n_bytes for box in self.operands)
        return _REPEAT_BYTES // (widest * self.chunk)

    @property
    def widths(self) -> tuple[int, ...]:
        """Blocks of a chunk, of each operand."""
        return tuple(self.chunk * box.form.dtype.n_bytes // 32 for box in self.operands)


def for_lanes(writer: Writer, domain: Domain, emit: Emit, mask: BitMask | None = None) -> None:
    """Write what `emit` makes of every part of `domain`; with `mask`, of one chunk at a time."""
    *lead, n_last = domain.counts
    whole, rest = divmod(n_last, domain.chunk)
    if whole:
        part = _Part(writer, domain, emit, domain.chunk, mask)
        part.write((*lead, whole), 0)
    if rest:
        part = _Part(writer, domain, emit, rest, mask)
        part.write((*lead, 1), whole * domain.chunk)


@dataclass(frozen=True, slots=True)
class _Plan:
    """`blocks` gives the chunks of a repeat, `repeats` its repeats; `others` are looped over.

    Strides are in blocks. `repeats` is None where the repeats go on along `blocks`.
    """

    blocks: Digit
    repeats: Digit | None
    others: tuple[Digit, ...]

    def cycles(self, per_repeat: int, max_repeats: int) -> int:
        """Return about how long it takes: a start for every instruction, and its repeats."""
        outside = prod(digit.count for digit in self.others)
        whole, rest = divmod(self.blocks.count, per_repeat)
        if self.repeats is None:
            n_instructions = -(-whole // max_repeats) + bool(rest)
            return outside * (n_instructions * _START_CYCLES + whole + bool(rest))
        groups, n_repeats = whole + bool(rest), self.repeats.count
        return outside * groups * (-(-n_repeats // max_repeats) * _START_CYCLES + n_repeats)


@dataclass(frozen=True, slots=True)
class _Part:
    """The chunks of a domain that have `n_lanes` lanes each."""

    writer: Writer
    domain: Domain
    emit: Emit
    n_lanes: int
    mask: BitMask | None

    def write(self, counts: tuple[int, ...], start: int) -> None:
        """Write the instructions for `counts`, in chunks along the last axis, from `start` on."""
        domain = self.domain
        axes = [_cut_axes(box, domain.chunk) for box in domain.operands]
        shifts = [box.axes[-1].offset(ix.constant(start)) for box in domain.operands]
        for piece in pieces(counts, axes):
            offsets = tuple(
                ix.add(shift, *map(_offset, own, piece.starts))
                for shift, own in zip(shifts, axes, strict=True)
            )
            digits = [self._in_blocks(digit) for digit in merged(piece.digits)]
            self._loops(self._best_plan(digits), offsets)

    def _in_blocks(self, digit: Digit) -> Digit:
        """Return `digit` with strides in blocks."""
        pairs = list(zip(digit.strides, self.domain.operands, strict=True))
        odd = next((box for stride, box in pairs if stride % box.form.per_block), None)
        if odd is not None:
            raise refusal(
                "E1233",
                f"rows of `{odd.form.buffer.name}` start between blocks of 32 bytes, where no "
                "vector instruction starts",
                self.writer.loc,
                "make starts along the last dimension multiples of 16 elements (32 of 8 bits)",
                odd.form.buffer,
            )
        return Digit(digit.count, tuple(stride // box.form.per_block for stride, box in pairs))

    def _in_elements(self, digit: Digit) -> Digit:
        pairs = zip(digit.strides, self.domain.operands, strict=True)
        return Digit(digit.count, tuple(stride * box.form.per_block for stride, box in pairs))

    def _best_plan(self, digits: Sequence[Digit]) -> _Plan:
        one = Digit(1, (0,) * len(self.domain.operands))
        plans: list[_Plan] = []
        for blocks in (*(digit for digit in digits if self._fits_blocks(digit)), one):
            rest = [digit for digit in digits if digit is not blocks]
            for repeats in (None, *rest):
                others = tuple(digit for digit in rest if digit is not repeats)
                plan = _Plan(blocks, repeats, others)
                if self._fits_repeats(plan):
                    plans.append(plan)
        per_repeat, limit = self.domain.per_repeat, self.domain.max_repeats
        return min(plans, key=lambda plan: plan.cycles(per_repeat, limit))

    def _fits_blocks(self, digit: Digit) -> bool:
        """Return whether a repeat can take chunks along `digit`.

        Chunks must be whole. An operand with several blocks a chunk has one stride for them all.
        """
        if self.n_lanes < self.domain.chunk or self.mask is not None:
            return False
        pairs = zip(digit.strides, self.domain.widths, strict=True)
        return all(stride == w if w > 1 else stride <= MAX_STRIDE for stride, w in pairs)

    def _fits_repeats(self, plan: _Plan) -> bool:
        if self.domain.max_repeats == 1:
            return plan.repeats is None
        if plan.repeats is not None:
            return all(stride <= MAX_STRIDE for stride in plan.repeats.strides)
        per_repeat = self.domain.per_repeat
        if plan.blocks.count < 2 * per_repeat:
            return True
        return all(per_repeat * stride <= MAX_STRIDE for stride in plan.blocks.strides)

    def _loops(self, plan: _Plan, offsets: tuple[Index, ...]) -> None:
        """Write loops over what the plan leaves to them, and the instructions inside."""
        if plan.others:
            digit = self._in_elements(plan.others[0])
            inner = replace(plan, others=plan.others[1:])
            for step in self.writer.repeated("line", digit.count):
                self._loops(inner, shifted_by(offsets, digit, step))
        elif plan.repeats is None:
            self._along_blocks(plan.blocks, offsets)
        else:
            self._across(plan.blocks, plan.repeats, offsets)

    def _along_blocks(self, blocks: Digit, offsets: tuple[Index, ...]) -> None:
        """Write repeats that go on where the blocks of the one before end."""
        per_repeat, limit = self.domain.per_repeat, self.domain.max_repeats
        whole, rest = divmod(blocks.count, per_repeat)
        step = self._in_elements(blocks)
        strides = tuple(per_repeat * stride for stride in blocks.strides)
        if limit == 1:
            for number in self.writer.repeated("repeat", whole) if whole else ():
                moved = shifted_by(offsets, step, ix.scale(number, per_repeat))
                self._instruction(blocks, Digit(1, strides), moved, per_repeat)
        else:
            for start in range(0, whole, limit):
                moved = shifted_by(offsets, step, ix.constant(start * per_repeat))
                count = min(limit, whole - start)
                self._instruction(blocks, Digit(count, strides), moved, per_repeat)
        if rest:
            moved = shifted_by(offsets, step, ix.constant(whole * per_repeat))
            self._instruction(blocks, Digit(1, strides), moved, rest)

    def _across(self, blocks: Digit, repeats: Digit, offsets: tuple[Index, ...]) -> None:
        """Write repeats that go along another digit than their blocks."""
        per_repeat, limit = self.domain.per_repeat, self.domain.max_repeats
        whole, rest = divmod(blocks.count, per_repeat)
        step, along = self._in_elements(blocks), self._in_elements(repeats)
        for number in self.writer.repeated("group", whole) if whole else ():
            group = shifted_by(offsets, step, ix.scale(number, per_repeat))
            for start in range(0, repeats.count, limit):
                count = Digit(min(limit, repeats.count - start), repeats.strides)
                moved = shifted_by(group, along, ix.constant(start))
                self._instruction(blocks, count, moved, per_repeat)
        if not rest:
            return
        group = shifted_by(offsets, step, ix.constant(whole * per_repeat))
        for start in range(0, repeats.count, limit):
            count = Digit(min(limit, repeats.count - start), repeats.strides)
            self._instruction(blocks, count, shifted_by(group, along, ix.constant(start)), rest)

    def _instruction(
        self, blocks: Digit, repeats: Digit, offsets: tuple[Index, ...], n_chunks: int
    ) -> None:
        """Write one instruction of `repeats.count` repeats of `n_chunks` chunks."""
        n_lanes = n_chunks * self.n_lanes
        lanes = tuple(
            Lanes(
                box.operand(self.writer, offset),
                1 if width > 1 or n_lanes <= box.form.per_block else blocks.strides[i],
                # Of one repeat the stride does not matter, and people write 8.
                repeats.strides[i] if repeats.count > 1 else 8,
            )
            for i, (box, offset, width) in enumerate(
                zip(self.domain.operands, offsets, self.domain.widths, strict=True)
            )
        )
        self.emit(n_lanes if self.mask is None else self.mask, repeats.count, lanes)


def _offset(axis: Axis, start: int) -> Index:
    return axis.offset(ix.constant(start))


def _cut_axes(box: Box, chunk: int) -> list[Axis]:
    """Return the axes of `box` with the last one counting chunks."""
    *lead, last = box.axes
    if not last.block:
        return [*lead, Axis(last.size, last.inner * chunk)]
    assert last.block % chunk == 0, "rows of a block hold whole chunks"
    if last.block == chunk:
        return [*lead, Axis(last.size, last.outer)]
    return [*lead, Axis(last.size, last.inner * chunk, last.block // chunk, last.outer)]


def as_type(box: Box, dtype: TikType) -> Box:
    """Return `box` seen as elements of `dtype`, of the same size."""
    return replace(box, form=replace(box.form, dtype=dtype))
