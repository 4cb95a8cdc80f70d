"""Transposes in UB: of 16 x 16 elements, between lists of blocks, of channels."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.elementwise import checked_repeat
from tilelang.backends.tik.emulate.memory import Buffer, Span
from tilelang.backends.tik.emulate.moves import check_no_overlap, nothing
from tilelang.backends.tik.emulate.state import State, check_range, number, wrong_operand
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    FRACTAL_BYTES,
    Operand,
    Transpose,
    TransposeBlocks,
    TransposeChannels,
    Work,
)

Plane = npt.NDArray[np.uint8]


def plan_transpose(work: Transpose, state: State) -> Callable[[], None]:
    """Plan transposes of 16 x 16 elements of 16 bits."""
    n_repeats = checked_repeat(work, number(work.repeat), 4095)
    if not n_repeats:
        return nothing
    for operand in (work.dst, work.src):
        if operand.dtype.n_bytes != 2:
            raise wrong_operand(
                work, f"`{operand.tensor}` is {operand.dtype}; it transposes elements of 16 bits"
            )
    src = _squares(work, state, "src", work.src, number(work.src_stride), n_repeats)
    dst = _squares(work, state, "dst", work.dst, number(work.dst_stride), n_repeats)

    def run() -> None:
        for target, source in ((dst.data, src.data), (dst.shadow, src.shadow)):
            square = np.ascontiguousarray(source).view(np.uint16).reshape(-1, 16, 16)
            swapped = np.ascontiguousarray(square.swapaxes(1, 2))
            target[...] = swapped.view(np.uint8).reshape(target.shape)

    return run


def _squares(
    work: Transpose, state: State, role: str, operand: Operand, stride: int, n_repeats: int
) -> Span:
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    check_range(work, f"{role}_rep_stride", stride, 0, 4095)
    end = start + (n_repeats - 1) * stride * FRACTAL_BYTES + FRACTAL_BYTES
    state.check_extent(work, role, buffer, start, end)
    return Span(buffer, start, (n_repeats, FRACTAL_BYTES), (stride * FRACTAL_BYTES, 1))


def plan_transpose_blocks(work: TransposeBlocks, state: State) -> Callable[[], None]:
    """Plan a transpose between 16 source and 16 destination blocks, for every repeat."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    size = work.srcs[0].dtype.n_bytes
    if size == 8 or any(operand.dtype.n_bytes != size for operand in (*work.srcs, *work.dsts)):
        raise wrong_operand(work, "its 32 operands must have elements of one size: 1, 2 or 4 bytes")
    sources = _block_spans(work, state, "src", work.srcs, number(work.src_stride), n_repeats)
    targets = _block_spans(work, state, "dst", work.dsts, number(work.dst_stride), n_repeats)
    arrange = {1: _arrange_bytes, 2: _arrange_halves, 4: _arrange_words}[size]

    def run() -> None:
        for of in (_data, _shadow):
            # [16 blocks, repeats, 32 bytes]; all sources are read before a target is written.
            source = np.stack([of(span) for span in sources])
            target = [of(span) for span in targets]
            for index, rows in enumerate(arrange(work, source, target)):
                target[index][...] = rows

    return run


def plan_transpose_channels(work: TransposeChannels, state: State) -> Callable[[], None]:
    """Plan a transpose between [channels, length] and [length, channels]."""
    length, channels = number(work.length), number(work.channels)
    check_range(work, "m_len", length, 1, 4095)
    check_range(work, "channels", channels, 1, 4095)
    size = work.src.dtype.n_bytes
    if work.dst.dtype is not work.src.dtype or length * size % BLOCK_BYTES:
        raise wrong_operand(
            work,
            f"{length} elements of {work.src.dtype} for {work.dst.dtype}; it moves whole blocks of "
            "one dtype",
            f"make m_len a multiple of {work.src.dtype.per_block}",
        )
    rows, columns = (channels, length) if work.to_last else (length, channels)
    src = _matrix(work, state, "src", work.src, (rows, columns, size))
    dst = _matrix(work, state, "dst", work.dst, (columns, rows, size))
    check_no_overlap(work, state, dst, src)

    def run() -> None:
        dst.data[...] = src.data.swapaxes(0, 1)
        dst.shadow[...] = src.shadow.swapaxes(0, 1)

    return run


def _matrix(
    work: TransposeChannels, state: State, role: str, operand: Operand, counts: tuple[int, int, int]
) -> Span:
    rows, columns, size = counts
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    state.check_extent(work, role, buffer, start, start + rows * columns * size)
    return Span(buffer, start, counts, (columns * size, size, 1))


def _data(span: Span) -> Plane:
    return span.data


def _shadow(span: Span) -> Plane:
    return span.shadow


def _block_spans(
    work: Work,
    state: State,
    role: str,
    operands: tuple[Operand, ...],
    stride: int,
    n_repeats: int,
) -> list[Span]:
    check_range(work, f"{role}_rep_stride", stride, 0, 65535)
    # Vendor's rule: with one repeat the starts move on by the stride.
    first = stride * BLOCK_BYTES if n_repeats == 1 else 0
    spans: list[Span] = []
    for index, operand in enumerate(operands):
        name = f"{role}_list[{index}]"
        buffer, start = state.start_of(work, operand, name, BLOCK_BYTES)
        spans.append(_span(work, state, name, buffer, start + first, stride, n_repeats))
    return spans


def _span(  # noqa: PLR0913 - the place of a list entry is that many numbers
    work: Work, state: State, name: str, buffer: Buffer, start: int, stride: int, n_repeats: int
) -> Span:
    pitch = stride * BLOCK_BYTES
    state.check_extent(work, name, buffer, start, start + (n_repeats - 1) * pitch + BLOCK_BYTES)
    return Span(buffer, start, (n_repeats, BLOCK_BYTES), (pitch, 1))


def _arrange_halves(work: TransposeBlocks, source: Plane, target: list[Plane]) -> list[Plane]:
    """16 bits: element k of target e is element e of source k."""
    square = source.view(np.uint16)
    return list(np.ascontiguousarray(square.transpose(2, 1, 0)).view(np.uint8))


def _arrange_words(work: TransposeBlocks, source: Plane, target: list[Plane]) -> list[Plane]:
    """32 bits: targets 2 c and 2 c + 1 are column c of the 16 sources, in two halves."""
    columns = np.ascontiguousarray(source.view(np.uint32).transpose(2, 1, 0)).view(np.uint8)
    return [half for column in columns for half in (column[:, :32], column[:, 32:])]


def _arrange_bytes(work: TransposeBlocks, source: Plane, target: list[Plane]) -> list[Plane]:
    """8 bits: 16 x 16 bytes between the halves of blocks that the flags choose."""
    low = 16 * work.src_high_half
    half = np.ascontiguousarray(source[:, :, low : low + 16].transpose(2, 1, 0))
    place = 16 * work.dst_high_half
    rows = [block.copy() for block in target]
    for row, new in zip(rows, half, strict=True):
        row[:, place : place + 16] = new
    return rows
