"""vgather and vscatter: elements of UB at offsets that lie in UB themselves."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.elementwise import checked_repeat
from tilelang.backends.tik.emulate.lanes import (
    combined_ids,
    lane_view,
    lanes_per_repeat,
    mark_first_reader,
    selected_lanes,
)
from tilelang.backends.tik.emulate.memory import Buffer, Bytes
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.numeric import shadow_ids, spread_ids
from tilelang.backends.tik.emulate.state import (
    State,
    check_range,
    misaligned,
    number,
    overflow,
    wrong_operand,
)
from tilelang.backends.tik.instructions import BLOCK_BYTES, Gather, Operand, Scatter, TikType
from tilelang.diagnostics import Diagnostic, TileError

_Places = Callable[[], npt.NDArray[np.intp]]


def plan_gather(work: Gather, state: State) -> Callable[[], None]:
    """Plan reads at offsets."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    _check_dtypes(work, work.dst.operand.dtype, work.src.dtype)
    chosen = selected_lanes(work, work.mask, lanes_per_repeat([work.src.dtype]))
    dst = lane_view(work, state, "dst", work.dst, chosen, n_repeats)
    src, places = _places(work, state, "src", work.src, chosen, n_repeats)
    size = work.src.dtype.n_bytes

    def run() -> None:
        index = places()
        dst.write(src.typed(work.src.dtype)[index])
        words = src.shadow_of(size)[index]
        ids: Bytes | None = None
        if words.any():
            raw = np.ascontiguousarray(words).view(np.uint8)
            ids = mark_first_reader(
                work,
                state,
                "src",
                src,
                shadow_ids(raw, size),
                lambda at: int(index.flat[at]) * size,
            )
        dst.write_ids(ids)

    return run


def plan_scatter(work: Scatter, state: State) -> Callable[[], None]:
    """Plan writes at offsets; of two lanes at one place the later one stays."""
    n_repeats = checked_repeat(work, number(work.repeat))
    if not n_repeats:
        return nothing
    _check_dtypes(work, work.dst.dtype, work.src.operand.dtype)
    chosen = selected_lanes(work, work.mask, lanes_per_repeat([work.dst.dtype]))
    src = lane_view(work, state, "src", work.src, chosen, n_repeats)
    dst, places = _places(work, state, "dst", work.dst, chosen, n_repeats)
    size = work.dst.dtype.n_bytes

    def run() -> None:
        index = places()
        ids = combined_ids(work, state, [("src", src)])
        dst.typed(work.dst.dtype)[index] = src.read()
        shadow = dst.shadow_of(size)
        shadow[index] = 0 if ids is None else spread_ids(ids, size).view(shadow.dtype)

    return run


def _places(
    work: Gather | Scatter,
    state: State,
    role: str,
    operand: Operand,
    chosen: npt.NDArray[np.intp],
    n_repeats: int,
) -> tuple[Buffer, _Places]:
    """Return the tensor that offsets point into, and what reads them as element numbers."""
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    check_range(work, "base_addr", number(work.base), 0, 2**31 - 1)
    start += number(work.base)
    size = operand.dtype.n_bytes
    offsets = _offsets(work, state, f"{role}_offset", chosen, n_repeats)

    def read() -> npt.NDArray[np.intp]:
        addresses = start + offsets()
        first, last = int(addresses.min()), int(addresses.max())
        if first < 0 or last + size > buffer.n_bytes:
            raise TileError(overflow(work, role, buffer, first, last + size))
        crooked = addresses % size != 0
        if crooked.any():
            at = int(addresses[crooked][0])
            raise TileError(misaligned(work, operand, role, at, size))
        return addresses // size

    return buffer, read


def _offsets(
    work: Gather | Scatter,
    state: State,
    role: str,
    chosen: npt.NDArray[np.intp],
    n_repeats: int,
) -> _Places:
    """Return what reads the offsets [repeats, lanes], each repeat's behind those before it."""
    if work.offsets.dtype is not TikType.INT32:
        raise wrong_operand(
            work, f"{role} `{work.offsets.tensor}` is {work.offsets.dtype}, not int32"
        )
    buffer, start = state.start_of(work, work.offsets, role, BLOCK_BYTES)
    data = work.dst if isinstance(work, Scatter) else work.src
    pitch = lanes_per_repeat([data.dtype])
    index = start // 4 + np.arange(n_repeats)[:, None] * pitch + chosen
    state.check_extent(work, role, buffer, start, (int(index.max()) + 1) * 4)

    def read() -> npt.NDArray[np.intp]:
        if buffer.shadow_of(4)[index].any():
            message = f"{role} reads undefined bytes of `{buffer.name}` as offsets"
            hint = f"write all of `{buffer.name}` that the mask covers"
            state.report(Diagnostic("E1207", message, work.loc, hint=hint))
        return buffer.typed(TikType.INT32)[index].astype(np.intp)

    return read


def _check_dtypes(work: Gather | Scatter, dst: TikType, src: TikType) -> None:
    if dst is not src:
        raise wrong_operand(work, f"dst is {dst} and src {src}; it moves elements of one dtype")
