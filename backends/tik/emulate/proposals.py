"""Records of eight elements, proposals: moving their fields, sorting and merging them by score."""

from collections.abc import Callable, Sequence

import numpy as np

from tilelang.backends.tik.emulate.elementwise import checked_repeat
from tilelang.backends.tik.emulate.memory import Span
from tilelang.backends.tik.emulate.moves import check_no_overlap, nothing
from tilelang.backends.tik.emulate.state import State, check_range, number, wrong_operand
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    FieldOp,
    MergeProposals,
    MoveField,
    Operand,
    SortProposals,
)
from tilelang.diagnostics import Diagnostic, TileError

_FIELDS = 8
"""Elements of a proposal."""
_SCORE = 4
"""The field that proposals are sorted by."""
_PER_REPEAT = 16
"""Proposals of a repeat of vconcat, vextract and vrpsort16."""
_LISTS = {3: 2, 7: 3, 15: 4}
"""How many lists the bits of `valid_bit` choose: the first ones."""
_MAX_LENGTH = 4095
"""Proposals in a list of vmrgsort4 (twelve bits of its register)."""


def plan_move_field(work: MoveField, state: State) -> Callable[[], None]:
    """Plan moves between a vector and one field of proposals."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    index = number(work.index)
    check_range(work, "mode_number", index, 0, 5)
    extracts = work.op is FieldOp.EXTRACT
    src_fields, dst_fields = (_FIELDS, 1) if extracts else (1, _FIELDS)
    of_src, of_dst = (index, 0) if extracts else (0, index)
    src = _span(work, state, "src", work.src, (n_repeats, _PER_REPEAT, src_fields))
    dst = _span(work, state, "dst", work.dst, (n_repeats, _PER_REPEAT, dst_fields))

    def run() -> None:
        dst.data[:, :, of_dst] = src.data[:, :, of_src]
        dst.shadow[:, :, of_dst] = src.shadow[:, :, of_src]

    return run


def plan_sort(work: SortProposals, state: State) -> Callable[[], None]:
    """Plan sorts of 16 proposals each; in place is fine."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    src = _span(work, state, "src", work.src, (n_repeats, _PER_REPEAT, _FIELDS))
    dst = _span(work, state, "dst", work.dst, (n_repeats, _PER_REPEAT, _FIELDS))
    return _sorter(work, state, dst, (("src", src),))


def plan_merge(work: MergeProposals, state: State) -> Callable[[], None]:
    """Plan merges of two to four lists."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    lengths = _lengths(work, n_repeats)
    total = sum(lengths)
    dst = _span(work, state, "dst", work.dst, (n_repeats, total, _FIELDS))
    sources: list[tuple[str, Span]] = []
    for at, (operand, length) in enumerate(zip(work.srcs, lengths, strict=False)):
        role = f"src_list[{at}]"
        src = _span(work, state, role, operand, (n_repeats, length, _FIELDS), total)
        check_no_overlap(work, state, dst, src)
        sources.append((role, src))
    return _sorter(work, state, dst, sources)


def _lengths(work: MergeProposals, n_repeats: int) -> list[int]:
    """Return the lengths of the lists that take part.

    Raises:
        TileError: E1202 for bits that choose no first lists, too few lists, lengths out of range,
            or unequal lists in several repeats.
    """
    valid = number(work.valid)
    n_lists = _LISTS.get(valid, 0)
    if not 0 < n_lists <= len(work.srcs):
        message = f"vmrgsort4: valid_bit {valid:#b} does not fit {len(work.srcs)} lists"
        hint = "write 0b11, 0b111 or 0b1111: a bit for each of the first lists"
        raise TileError(Diagnostic("E1202", message, work.loc, hint=hint))
    lengths = [number(length) for length in work.lengths[:n_lists]]
    for length in lengths:
        check_range(work, "element_lengths", length, 1, _MAX_LENGTH)
    if n_repeats > 1 and (n_lists < 4 or len(set(lengths)) > 1):
        message = f"vmrgsort4: {n_repeats} repeats want four lists of one length, not {lengths}"
        hint = "merge other lists with repeat_times=1"
        raise TileError(Diagnostic("E1202", message, work.loc, hint=hint))
    return lengths


def _sorter(
    work: SortProposals | MergeProposals,
    state: State,
    dst: Span,
    sources: Sequence[tuple[str, Span]],
) -> Callable[[], None]:
    """Return what writes all proposals of a row of `sources` to the row of `dst`, sorted.

    Equal scores keep their order, and where a score is undefined the whole row is.
    """
    dtype = work.dst.dtype

    def run() -> None:
        for row in range(dst.counts[0]):
            data = np.concatenate([src.data[row] for _, src in sources])
            shadow = np.concatenate([src.shadow[row] for _, src in sources])
            scores = np.ascontiguousarray(data[:, _SCORE]).view(dtype.numpy)[:, 0]
            order = np.argsort(-scores.astype(np.float64), kind="stable")
            dst.data[row] = data[order]
            dst.shadow[row] = shadow[order]
            for role, src in sources:
                undefined = src.shadow[row][:, _SCORE].any(axis=1)
                if undefined.any():
                    place = (row, int(np.argmax(undefined)), _SCORE, 0)
                    offset = src.address(int(np.ravel_multi_index(place, src.counts)))
                    dst.shadow[row] = state.origins.number(work, role, src.buffer, offset)

    return run


def _span(
    work: MoveField | SortProposals | MergeProposals,
    state: State,
    role: str,
    operand: Operand,
    counts: tuple[int, int, int],
    pitch: int | None = None,
) -> Span:
    """Return the bytes [repeats, records, fields, bytes] from `operand` on, checked.

    `pitch` is the number of records from one repeat to the next, without it those of a repeat.
    """
    size = operand.dtype.n_bytes
    if operand.dtype is not work.dst.dtype:
        raise wrong_operand(
            work, f"{role} `{operand.tensor}` is {operand.dtype}, and dst {work.dst.dtype}"
        )
    n_repeats, n_records, n_fields = counts
    record = n_fields * size
    step = (n_records if pitch is None else pitch) * record
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    end = start + (n_repeats - 1) * step + n_records * record
    state.check_extent(work, role, buffer, start, end)
    return Span(buffer, start, (*counts, size), (step, record, size, 1))
