"""Writes to GM: overwriting or adding, by one core or by several."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.lanes import mark_first_reader
from tilelang.backends.tik.emulate.memory import Bytes, Span
from tilelang.backends.tik.emulate.state import State
from tilelang.backends.tik.instructions import Scope, TikType, Work, method_name
from tilelang.diagnostics import Diagnostic


def writer(
    work: Work, state: State, dst: Span, source: Span, dtype: TikType
) -> Callable[[Bytes, Bytes], None]:
    """Return a function that writes data and shadow from `source` to `dst`, which may be in GM."""
    if dst.buffer.scope is not Scope.GM:
        data_view, shadow_view = dst.data, dst.shadow

        def write(data: Bytes, shadow: Bytes) -> None:
            data_view[...] = data
            shadow_view[...] = shadow

        return write

    def write_to_gm(data: Bytes, shadow: Bytes) -> None:
        if shadow.any():
            shadow = mark_first_reader(work, state, "src", source.buffer, shadow, source.address)
        if state.atomic is not None:
            _add(state.atomic, dst, data, shadow)
            return
        if state.core is not None:
            _claim(work, state, dst, data, dtype)
        dst.data[...] = data
        dst.shadow[...] = shadow

    return write_to_gm


def _add(dtype: TikType, dst: Span, data: Bytes, shadow: Bytes) -> None:
    """Add burst by burst: bursts may overlap, each sees what those before it added."""
    for old, old_shadow, new, new_shadow in zip(
        _rows(dst.data), _rows(dst.shadow), _rows(data), _rows(shadow), strict=True
    ):
        total = _as(old, dtype) + _as(new, dtype)
        old[...] = total.astype(dtype.numpy).view(np.uint8)
        np.maximum(old_shadow, new_shadow, out=old_shadow)


def _rows(array: Bytes) -> Bytes:
    return array if array.ndim == 2 else array.reshape(1, -1)


def _as(row: Bytes, dtype: TikType) -> npt.NDArray[Any]:
    return np.ascontiguousarray(row).view(dtype.numpy)


def _claim(work: Work, state: State, dst: Span, data: Bytes, dtype: TikType) -> None:
    """Note that this core writes `dst`; E1212 if another one wrote other values there."""
    buffer = dst.buffer
    assert state.core is not None
    me = state.core + 1
    if buffer.owner is None:
        buffer.owner = np.zeros(buffer.data.size, np.uint16)
    owner = dst.owner
    foreign = (owner != 0) & (owner != me)
    if foreign.any():
        differing = foreign & (dst.data != data)
        if differing.any():
            _report_race(work, state, dst, differing, dtype)
    owner[...] = me


def _report_race(
    work: Work, state: State, dst: Span, differing: npt.NDArray[np.bool_], dtype: TikType
) -> None:
    place = tuple(int(index) for index in np.argwhere(differing)[0])
    offset = dst.start + sum(
        index * stride for index, stride in zip(place, dst.strides, strict=True)
    )
    if offset >= dst.buffer.n_bytes:
        return
    element = offset // dtype.n_bytes
    state.report(
        Diagnostic(
            "E1212",
            f"{method_name(work)}: cores {int(dst.owner[place]) - 1} and {state.core} store "
            f"different values at byte {element * dtype.n_bytes:,} of "
            f"`{dst.buffer.name}` (element {element:,})",
            work.loc,
            hint="let each core store its own elements, or add with set_atomic_add",
        )
    )
