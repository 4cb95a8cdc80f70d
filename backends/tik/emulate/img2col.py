"""load3dv1: windows of a feature map as fractals; col2img: windows added to the map again."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.lanes import mark_first_reader
from tilelang.backends.tik.emulate.memory import Span
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.state import (
    State,
    check_range,
    check_ranges,
    number,
    wrong_operand,
)
from tilelang.backends.tik.instructions import (
    BLOCK_BYTES,
    FRACTAL_BYTES,
    Col2Img,
    Load3d,
    Operand,
    Scope,
)

Indices = npt.NDArray[np.intp]

_WINDOWS = 16
"""Windows of a repeat, and channels of each."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The numbers of a load3d, in elements; pairs are (height, width)."""

    pad: tuple[int, int, int, int]
    """Left, right, top, bottom."""
    size: tuple[int, int]
    stride: tuple[int, int]
    kernel: tuple[int, int]
    dilation: tuple[int, int]

    @property
    def span(self) -> tuple[int, int]:
        """The extent of a window."""
        height, width = (
            (kernel - 1) * dilation + 1
            for kernel, dilation in zip(self.kernel, self.dilation, strict=True)
        )
        return height, width

    @property
    def windows_per_row(self) -> int:
        """The number of windows in a row of output positions."""
        left, right, _, _ = self.pad
        return (self.size[1] + left + right - self.span[1]) // self.stride[1] + 1

    def windows(self, top: int, left: int, count: int) -> tuple[Indices, Indices]:
        """Return (row, column) of the corners of `count` windows from (`top`, `left`)."""
        pad_left, pad_right, _, _ = self.pad
        last = self.size[1] + pad_right - self.span[1]
        in_first_row = max((last - left) // self.stride[1] + 1, 0)
        number_ = np.arange(count)
        later = number_ - in_first_row
        row = np.where(later < 0, top, top + self.stride[0] * (1 + later // self.windows_per_row))
        column = np.where(
            later < 0,
            left + number_ * self.stride[1],
            -pad_left + self.stride[1] * (later % self.windows_per_row),
        )
        return row, column

    def is_window(self, row: Indices) -> npt.NDArray[np.bool_]:
        """Return whether windows at these rows end inside the padded map."""
        return row + self.span[0] <= self.size[0] + self.pad[3]


def plan_load3d(work: Load3d, state: State) -> Callable[[], None]:
    """Plan the gather of windows; outside the map the value is `pad_value`."""
    source, target = (state.buffers[end.tensor].scope for end in (work.src, work.dst))
    if source is not Scope.L1 or target not in (Scope.L0A, Scope.L0B, Scope.UB):
        raise wrong_operand(work, f"it moves L1 to L0A, L0B or UB, not {source} to {target}")
    repeat = number(work.repeat)
    _check_ranges(work)
    if not repeat:
        return nothing
    geometry = _geometry(work)
    blocks, inside = _source_blocks(work, geometry, repeat)
    src, start = state.start_of(work, work.src, "src", BLOCK_BYTES)
    last = int(blocks[inside].max(initial=0))
    state.check_extent(work, "src", src, start, start + (last + 1) * BLOCK_BYTES)
    dst, dst_start = state.start_of(work, work.dst, "dst", FRACTAL_BYTES)
    jump = number(work.jump) if work.repeat_mode == 1 else 1
    pitch = jump * FRACTAL_BYTES
    end = dst_start + (repeat - 1) * pitch + FRACTAL_BYTES
    state.check_extent(work, "dst", dst, dst_start, end)
    shape, strides = (repeat, FRACTAL_BYTES), (pitch, 1)
    target_data = np.ndarray(shape, np.uint8, dst.data, dst_start, strides)
    target_shadow = np.ndarray(shape, np.uint8, dst.shadow, dst_start, strides)
    index = np.where(inside, blocks + start // BLOCK_BYTES, 0)
    outside = ~inside
    pad = np.full(work.dst.dtype.per_block, number(work.pad_value)).astype(work.dst.dtype.numpy)
    pad_block = pad.view(np.uint8)

    def run() -> None:
        whole = src.data.size // BLOCK_BYTES
        for to, of, filling in (
            (target_data, src.data, pad_block),
            (target_shadow, src.shadow, 0),
        ):
            gathered = of.reshape(whole, BLOCK_BYTES)[index]
            gathered[outside] = filling
            to[...] = gathered.reshape(shape)

    return run


def plan_col2img(work: Col2Img, state: State) -> Callable[[], None]:
    """Plan the addition of windows to a map in UB; what lies in the padding is dropped."""
    _check_ranges(work)
    n_windows = number(work.repeat) * _WINDOWS
    if not n_windows:
        return nothing
    dtype, geometry = work.dst.dtype, _geometry(work)
    if work.src.dtype is not dtype:
        raise wrong_operand(
            work, f"src is {work.src.dtype} and dst {dtype}; they must be one dtype"
        )
    pixels, inside = _pixels(work, geometry, n_windows)
    channels = _WINDOWS * dtype.n_bytes
    src = _rows(work, state, "src", work.src, n_windows, channels)
    dst = _rows(work, state, "dst", work.dst, geometry.size[0] * geometry.size[1], channels)

    def run() -> None:
        target = dst.data.copy().view(dtype.numpy)
        added = np.ascontiguousarray(src.data).view(dtype.numpy)
        # Windows of a repeat lie on different pixels, so their order only matters between repeats.
        for first in range(0, n_windows, _WINDOWS):
            part = slice(first, first + _WINDOWS)
            np.add.at(target, pixels[part][inside[part]], added[part][inside[part]])
        dst.data[...] = target.view(np.uint8)
        touched = pixels[inside]
        ids = mark_first_reader(work, state, "src", src.buffer, src.shadow, src.address)
        old = mark_first_reader(work, state, "dst", dst.buffer, dst.shadow, dst.address)
        fresh = dst.shadow.copy()
        fresh[touched] = np.maximum(old[touched], ids[inside])
        dst.shadow[...] = fresh

    return run


def _rows(
    work: Col2Img, state: State, role: str, operand: Operand, n_rows: int, n_bytes: int
) -> Span:
    buffer, start = state.start_of(work, operand, role, BLOCK_BYTES)
    state.check_extent(work, role, buffer, start, start + n_rows * n_bytes)
    return Span(buffer, start, (n_rows, n_bytes), (n_bytes, 1))


def _pixels(
    work: Col2Img, geometry: Geometry, n_windows: int
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return the pixel of the map under each window, and whether it is in the map."""
    left, top = (number(value) for value in work.left_top)
    fetch_w, fetch_h = (number(value) for value in work.fetch)
    row, column = geometry.windows(top, left, n_windows)
    y = row + fetch_h * geometry.dilation[0]
    x = column + fetch_w * geometry.dilation[1]
    height, width = geometry.size
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width) & geometry.is_window(row)
    return np.where(inside, y * width + x, 0), inside


def _source_blocks(
    work: Load3d, geometry: Geometry, repeat: int
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return the block of the map behind each row [repeat, 16], and whether it is in the map."""
    left, top = (number(value) for value in work.left_top)
    fetch_w, fetch_h = (number(value) for value in work.fetch)
    kernel_h, kernel_w = geometry.kernel
    repeats = np.arange(repeat)[:, None]
    if work.repeat_mode == 1:
        row, column = (
            part.reshape(repeat, 16) for part in geometry.windows(top, left, 16 * repeat)
        )
        tap = np.full_like(repeats, fetch_h * kernel_w + fetch_w)
    else:
        row, column = (part[None, :] for part in geometry.windows(top, left, 16))
        tap = fetch_h * kernel_w + fetch_w + repeats
    group, rest = np.divmod(tap, kernel_h * kernel_w)
    tap_h, tap_w = np.divmod(rest, kernel_w)
    y = row + tap_h * geometry.dilation[0]
    x = column + tap_w * geometry.dilation[1]
    height, width = geometry.size
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width) & geometry.is_window(row)
    blocks = ((number(work.c1) + group) * height + y) * width + x
    return np.where(inside, blocks, 0), inside


def _geometry(work: Load3d | Col2Img) -> Geometry:
    left, right, top, bottom = (number(value) for value in work.pad)

    def swapped(name: str) -> tuple[int, int]:
        width, height = getattr(work, name)
        return number(height), number(width)

    return Geometry(
        (left, right, top, bottom),
        (number(work.height), number(work.width)),
        swapped("stride"),
        swapped("kernel"),
        swapped("dilation"),
    )


def _check_ranges(work: Load3d | Col2Img) -> None:
    for name, value in zip(("left", "right", "top", "bottom"), work.pad, strict=True):
        check_range(work, f"pad {name}", number(value), 0, 255)
    for name, pair, limit in (
        ("stride", work.stride, 63),
        ("filter", work.kernel, 255),
        ("dilation_filter", work.dilation, 255),
    ):
        check_ranges(work, ((f"{name}_w", pair[0], 1, limit), (f"{name}_h", pair[1], 1, limit)))
    check_ranges(
        work,
        (
            ("l1_h", work.height, 1, 32767),
            ("l1_w", work.width, 1, 32767),
            ("repeat_time", work.repeat, 0, 255),
        ),
    )
    if isinstance(work, Col2Img):
        return
    check_ranges(
        work,
        (
            ("jump_offset", work.jump, 0 if work.repeat_mode == 0 else 1, 127),
            ("repeat_mode", work.repeat_mode, 0, 1),
        ),
    )
