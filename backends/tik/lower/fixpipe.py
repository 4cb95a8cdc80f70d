"""Results on their way from L0C to GM: fixpipe, the only one on the Ascend 910B.

TIK's fixpipe stores column groups of 16, of m rows each: [N1, m, 16] (TIK reference, fixpipe,
atlastikapi_07_0093). The unit's own conversion from NZ to ND is a parameter of Ascend C's Fixpipe
(atlasascendc_api_07_0251) and not of TIK's. A blocked tensor takes up to 16 rows of all groups at
once. Of a row-major one a row is such a block with m = 1.

Doubtful: a row starts at a multiple of 64 bytes in L0C, which is what the unit asks for (Ascend C,
Fixpipe: src is 64-byte aligned); TIK's rule for accumulators of 32 bits is 1024 bytes and names no
chip.
"""

from collections.abc import Sequence

from tilelang.backends.tik.instructions import BLOCK_BYTES, Fixpipe, Scope, TikType
from tilelang.backends.tik.lower.boxes import Box, Digit, Piece, box_of, merged, pieces
from tilelang.backends.tik.lower.cases import Inside, for_cases
from tilelang.backends.tik.lower.copies import MAX_BLOCKS, MAX_BURSTS, shifted_by
from tilelang.backends.tik.lower.cube import FRACTAL_ELEMENTS, FRACTAL_ROWS
from tilelang.backends.tik.lower.forms import Form
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Move

_MODES: dict[tuple[TikType, TikType], tuple[str | None, float | None]] = {
    (TikType.FLOAT32, TikType.FLOAT32): (None, None),
    (TikType.INT32, TikType.INT32): (None, None),
    (TikType.FLOAT32, TikType.FLOAT16): ("fp322fp16", None),
    (TikType.INT32, TikType.FLOAT16): ("int322fp16", 1.0),
}
"""`quantize_params` of each pair of dtypes: mode and scale (TIK reference, fixpipe, table 2)."""


def store_results(writer: Writer, move: Move, dst_form: Form, src_form: Form) -> None:
    """Write a move from an accumulator to GM; what hangs over the tensor is not stored.

    Raises:
        TileError: E1248 for another way or pair of dtypes, or rows that would be overrun.
    """
    _check(writer, move, dst_form, src_form)
    src = box_of(move.src, src_form, writer)
    dst = box_of(move.dst, dst_form, writer)

    def write(inside: Inside | None) -> None:
        if inside is None:
            return
        starts = [first for first, _ in inside]
        counts = [last - first for first, last in inside]
        target, source = dst.part(starts, counts), src.part(starts, counts)
        if dst.axes[-1].block:
            counts[-1] = -(-counts[-1] // FRACTAL_ROWS) * FRACTAL_ROWS
            target, source = dst.part(starts, counts), src.part(starts, counts)
        for piece in pieces(counts, (target.axes, source.axes)):
            _store_piece(writer, move, (target, source), piece)

    for_cases(writer, move.dst, write)


def _store_piece(writer: Writer, move: Move, boxes: tuple[Box, Box], piece: Piece) -> None:
    digits = merged(piece.digits)
    run = next((digit for digit in digits if set(digit.strides) == {1}), Digit(1, (1, 1)))
    if run.count % FRACTAL_ROWS:
        raise _overrun(writer, move, run.count)
    offsets = tuple(
        ix.add(*(a.offset(ix.constant(at)) for a, at in zip(box.axes, piece.starts, strict=True)))
        for box in boxes
    )
    others = [digit for digit in digits if digit is not run]
    groups = next((d for d in others if _are_groups(d, boxes[0], run.count)), Digit(1, (0, 0)))
    rest = [digit for digit in others if digit is not groups]
    _store_digits(writer, boxes, offsets, rest, (run.count, groups))


def _are_groups(digit: Digit, dst: Box, run: int) -> bool:
    """Return whether the steps of `digit` are column groups that one fixpipe can store."""
    to, of = digit.strides
    gap = (to - run) * dst.form.dtype.n_bytes
    fits = 0 <= gap <= MAX_BLOCKS * BLOCK_BYTES and gap % BLOCK_BYTES == 0
    return of == FRACTAL_ELEMENTS and digit.count <= MAX_BURSTS and fits


def _store_digits(
    writer: Writer,
    boxes: tuple[Box, Box],
    offsets: tuple[Index, ...],
    digits: Sequence[Digit],
    run_and_groups: tuple[int, Digit],
) -> None:
    if digits:
        for step in writer.repeated("row", digits[0].count):
            moved = shifted_by(offsets, digits[0], step)
            _store_digits(writer, boxes, moved, digits[1:], run_and_groups)
        return
    run, groups = run_and_groups
    dst, src = (box.operand(writer, offset) for box, offset in zip(boxes, offsets, strict=True))
    gap = (groups.strides[0] - run) * dst.dtype.n_bytes // BLOCK_BYTES if groups.count > 1 else 0
    mode, scale = _MODES[src.dtype, dst.dtype]
    burst = run * src.dtype.n_bytes // BLOCK_BYTES
    work = Fixpipe(
        dst, src, groups.count, burst, gap, 0, quantize=mode, scale=scale, loc=writer.loc
    )
    writer.write(work)


def _check(writer: Writer, move: Move, dst: Form, src: Form) -> None:
    name, target = move.src.buffer.name, move.dst.buffer
    if dst.scope is not Scope.GM:
        raise refusal(
            "E1248",
            f"`{name}` goes from L0C to {target.memory}; of TIK's instructions only fixpipe reads "
            "L0C on chips whose cube core has no UB, and it stores to GM",
            writer.loc,
            "move the result to workspace of `tl.alloc_gm`, and load it from there",
            move.src.buffer,
            target,
        )
    if (src.dtype, dst.dtype) not in _MODES:
        raise refusal(
            "E1248",
            f"`{name}` is {src.dtype} and `{target.name}` {dst.dtype}; TIK's fixpipe converts "
            "float32 to float16 and int32 to float16",
            writer.loc,
            f"store {src.dtype}, and convert it in a stage of vector work",
            move.src.buffer,
            target,
        )


def _overrun(writer: Writer, move: Move, count: int) -> Exception:
    buffer = move.dst.buffer
    size = buffer.shape[-1]
    return refusal(
        "E1248",
        f"{count} elements of `{buffer.name}` lie beside each other where a tile ends; fixpipe, "
        "which stores results from L0C, writes 16 columns at once and would overrun the next row",
        writer.loc,
        f"pad the last dimension of `{buffer.name}` from {size} to "
        f"{-(-size // FRACTAL_ROWS) * FRACTAL_ROWS}",
        buffer,
    )
