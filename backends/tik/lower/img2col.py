"""load3d: windows of a feature map in L1 as fractals of L0A."""

from tilelang.backends.tik.instructions import Load3d
from tilelang.backends.tik.lower.boxes import Box, box_of
from tilelang.backends.tik.lower.forms import Form
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index
from tilelang.ir.nodes import Img2col

MAX_REPEATS = 255  # TIK reference, load3dv1, as the other limits here
_LIMITS = (("kernel", 255), ("stride", 63), ("dilation", 255), ("padding", 255))
_MAX_SIDE = 32767
_ROWS = 16


def load_windows(writer: Writer, stmt: Img2col, dst_form: Form, src_form: Form) -> None:
    """Write one load3d for every 16 rows: `repeat_mode` 0 goes through the kernel's positions.

    Raises:
        TileError: E1244 for numbers that its fields do not hold.
    """
    src = box_of(stmt.src, src_form, writer)
    dst = box_of(stmt.dst, dst_form, writer)
    _, height, width = src.counts
    _check(writer, stmt, dst, (height, width))
    window, k0 = stmt.window, src.form.per_block
    top, bottom, left, right = window.padding
    _, n_columns = window.output(height, width)
    n_taps = window.kernel[0] * window.kernel[1]
    first = ix.floor_div(stmt.column, k0)
    group, tap = ix.floor_div(first, n_taps), ix.modulo(first, n_taps)
    n_rows, n_fractals = dst.counts[0] // _ROWS, -(-dst.counts[1] // k0)
    for step in writer.repeated("rows", n_rows):
        position = ix.add(stmt.row, ix.scale(step, _ROWS))
        corner_w = _corner(ix.modulo(position, n_columns), window.stride[1], left)
        corner_h = _corner(ix.floor_div(position, n_columns), window.stride[0], top)
        place = dst.axes[0].offset(ix.scale(step, _ROWS))
        work = Load3d(
            dst.operand(writer, place),
            src.operand(writer),
            (left, right, top, bottom),
            height,
            width,
            writer.expr(group),
            (
                writer.expr(ix.modulo(tap, window.kernel[1])),
                writer.expr(ix.floor_div(tap, window.kernel[1])),
            ),
            (writer.expr(corner_w), writer.expr(corner_h)),
            _swapped(window.stride),
            _swapped(window.kernel),
            _swapped(window.dilation),
            1,
            0,
            n_fractals,
            loc=writer.loc,
        )
        writer.write(work)


def _swapped(pair: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) of (height, width), which is how TIK has them."""
    return pair[1], pair[0]


def _corner(position: Index, stride: int, padding: int) -> Index:
    return ix.add(ix.scale(position, stride), ix.constant(-padding))


def _is_fractals(dst: Box) -> bool:
    """Return whether fractals of 16 rows follow one another along the columns of `dst`."""
    rows, columns = dst.axes
    k0 = dst.form.per_block
    is_one = columns.room <= k0
    return rows.inner == k0 and (is_one or columns.stride(k0) == _ROWS * k0)


def _check(writer: Writer, stmt: Img2col, dst: Box, sides: tuple[int, int]) -> None:
    window, buffer, (height, width) = stmt.window, stmt.src.buffer, sides
    faults = [
        f"{name} is {value}, at most {limit}"
        for name, limit in _LIMITS
        for value in getattr(window, name)
        if value > limit
    ]
    faults += [
        f"a side is {side}, at most {_MAX_SIDE:,}" for side in (height, width) if side > _MAX_SIDE
    ]
    whole = (height, width) == buffer.shape[-2:] and stmt.dst.is_whole
    if not whole:
        faults.append("only whole rows and whole tiles are loaded")
    if stmt.dst.shape[1] > MAX_REPEATS * buffer.dtype.k0:
        faults.append(f"{stmt.dst.shape[1]} columns, at most {MAX_REPEATS * buffer.dtype.k0:,}")
    if not _is_fractals(dst):
        k0 = dst.form.per_block
        faults.append(f"`{stmt.dst.buffer.name}` is not in fractals of {k0} columns, one by one")
    if window.output(height, width)[1] < 1:
        faults.append("no window fits the map")
    if faults:
        raise refusal(
            "E1244",
            f"load3d of `{buffer.name}` cannot do this: {'; '.join(faults)}",
            writer.loc,
            "split the convolution into parts within these limits",
            buffer,
        )
