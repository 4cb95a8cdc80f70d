"""data_move between two boxes: bursts of whole blocks, by whatever digit takes fewest of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from tilelang.backends.tik.instructions import BLOCK_BYTES, DataMove, Scope
from tilelang.backends.tik.lower.boxes import Box, Digit, Piece, merged, period, pieces
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

MAX_BURSTS = 4095  # TIK reference, data_move
MAX_BLOCKS = 65535  # TIK reference, data_move: of a burst, and of a gap


def copy(writer: Writer, dst: Box, src: Box) -> None:
    """Write the moves of `src` to `dst`, which have equal counts and dtypes.

    Runs of neighbours must be whole blocks on both sides; on chip they must start at blocks. GM
    may have any pitch: rows that start a whole number of blocks apart go together.

    Raises:
        TileError: E1231 if neighbours of one side are not neighbours on the other.
    """
    for piece in pieces(dst.counts, (dst.axes, src.axes)):
        _copy_piece(writer, dst, src, piece)


def _copy_piece(writer: Writer, dst: Box, src: Box, piece: Piece) -> None:
    run, digits = _run(piece)
    n_bytes = run * dst.form.dtype.n_bytes
    if n_bytes % BLOCK_BYTES:
        raise _scattered(writer, dst, src, n_bytes)
    shift = [_start(box, piece) for box in (dst, src)]
    for start in range(0, n_bytes // BLOCK_BYTES, MAX_BLOCKS):
        burst = min(n_bytes // BLOCK_BYTES - start, MAX_BLOCKS)
        skipped = ix.constant(start * dst.form.per_block)
        offsets = tuple(ix.add(offset, skipped) for offset in shift)
        plan = _best_plan(digits, (dst, src), burst)
        if plan is None:
            raise _scattered(writer, dst, src, n_bytes)
        _loops(writer, (dst, src), offsets, plan.others, plan, burst)


def _start(box: Box, piece: Piece) -> Index:
    pairs = zip(box.axes, piece.starts, strict=True)
    return ix.add(*(axis.offset(ix.constant(start)) for axis, start in pairs))


def _run(piece: Piece) -> tuple[int, list[Digit]]:
    """Return the elements that are neighbours on both sides, and the digits above them."""
    digits = merged(piece.digits)
    unit = next((digit for digit in digits if set(digit.strides) == {1}), None)
    if unit is None:
        return 1, digits
    return unit.count, [digit for digit in digits if digit is not unit]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Bursts along the digit `by`, every `phases`th of them at once; loops over `others`."""

    by: Digit
    phases: int
    others: tuple[Digit, ...]

    @property
    def n_instructions(self) -> int:
        return prod(digit.count for digit in self.others) * min(self.phases, self.by.count)


def _best_plan(digits: Sequence[Digit], boxes: tuple[Box, Box], burst: int) -> _Plan | None:
    plans = [
        plan
        for digit in (*digits, Digit(1, (0, 0)))
        if (plan := _plan(digit, [d for d in digits if d is not digit], boxes, burst))
    ]
    return min(plans, key=lambda plan: plan.n_instructions, default=None)


def _plan(by: Digit, others: Sequence[Digit], boxes: tuple[Box, Box], burst: int) -> _Plan | None:
    phases = 1
    for box, stride in zip(boxes, by.strides, strict=True):
        needed = period(stride, box.form.per_block)
        if needed > 1 and box.form.scope is not Scope.GM:
            return None
        phases = max(phases, needed)
    for box, stride in zip(boxes, by.strides, strict=True):
        gap = _gap(box, stride * phases, burst)
        if by.count > phases and not 0 <= gap <= MAX_BLOCKS:
            return None
    on_chip = [i for i, box in enumerate(boxes) if box.form.scope is not Scope.GM]
    loose = any(d.strides[i] % boxes[i].form.per_block for i in on_chip for d in (*others, by))
    return None if loose else _Plan(by, phases, tuple(others))


def _gap(box: Box, stride: int, burst: int) -> int:
    return stride // box.form.per_block - burst


def _loops(
    writer: Writer,
    boxes: tuple[Box, Box],
    offsets: tuple[Index, ...],
    digits: Sequence[Digit],
    plan: _Plan,
    burst: int,
) -> None:
    if not digits:
        for start, n_bursts, shifted in _bursts(writer, plan, offsets):
            del start
            _move(writer, boxes, shifted, plan, n_bursts, burst)
        return
    for step in writer.repeated("part", digits[0].count):
        _loops(writer, boxes, shifted_by(offsets, digits[0], step), digits[1:], plan, burst)


def shifted_by(offsets: tuple[Index, ...], digit: Digit, step: Index) -> tuple[Index, ...]:
    """Return `offsets` after `step` steps of `digit`."""
    pairs = zip(offsets, digit.strides, strict=True)
    return tuple(ix.add(offset, ix.scale(step, stride)) for offset, stride in pairs)


def _bursts(
    writer: Writer, plan: _Plan, offsets: tuple[Index, ...]
) -> Iterator[tuple[int, int, tuple[Index, ...]]]:
    """Yield (start, bursts, offsets) of every instruction: phases with equal counts in a loop."""
    fewer, n_longer = divmod(plan.by.count, plan.phases)
    for first, n_phases, n_bursts in (
        (0, n_longer, fewer + 1),
        (n_longer, plan.phases - n_longer, fewer),
    ):
        if not n_phases or not n_bursts:
            continue
        for phase in writer.repeated("phase", n_phases):
            place = shifted_by(offsets, plan.by, ix.add(phase, ix.constant(first)))
            for start in range(0, n_bursts, MAX_BURSTS):
                skip = ix.constant(start * plan.phases)
                yield start, min(MAX_BURSTS, n_bursts - start), shifted_by(place, plan.by, skip)


def _move(
    writer: Writer,
    boxes: tuple[Box, Box],
    offsets: tuple[Index, ...],
    plan: _Plan,
    n_bursts: int,
    burst: int,
) -> None:
    dst, src = (box.operand(writer, offset) for box, offset in zip(boxes, offsets, strict=True))
    gaps = [0, 0]
    if n_bursts > 1:
        pairs = zip(boxes, plan.by.strides, strict=True)
        gaps = [_gap(box, stride * plan.phases, burst) for box, stride in pairs]
    writer.write(DataMove(dst, src, n_bursts, burst, gaps[1], gaps[0], loc=writer.loc))


def _scattered(writer: Writer, dst: Box, src: Box, n_bytes: int) -> Exception:
    one, other = src.form.buffer, dst.form.buffer
    return refusal(
        "E1231",
        f"`{one.name}` ({one.layout}) and `{other.name}` ({other.layout}) share runs of {n_bytes} "
        "bytes only, and moves take blocks of 32 bytes: this would transpose elements",
        writer.loc,
        "declare the tensor in the layout that the tile has (NC1HWC0 features and FRACTAL_Z "
        "weights for convolutions), or with the tile's last dimension last",
        one,
        other,
    )
