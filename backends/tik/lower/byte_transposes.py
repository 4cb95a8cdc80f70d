"""8-bit operands of the cube whose rows run the wrong way: turned round in UB.

load2d transposes 16-bit fractals only. So the tile goes from L1 to UB, where vnchwconv transposes
squares of 16 by 16 bytes into the fractals that L0A or L0B takes, and from there by L1 into L0.
The verifier lets such operands pass where a machine lists the 8-bit types among the `transposes` of
its paths to L0.
"""

from dataclasses import replace

from tilelang.backends.tik.instructions import (
    DataMove,
    Load2d,
    Operand,
    Scope,
    TransposeBlocks,
)
from tilelang.backends.tik.lower.boxes import Box
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.forms import Axis
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import index as ix
from tilelang.ir.index import Index

_ROWS = 16
_ROW_BYTES = 32
_FRACTAL = _ROWS * _ROW_BYTES
_MAX_REPEATS = 255  # TIK reference, load2dv1 and vnchwconv


def load_turned(writer: Writer, dst: Box, src: Box, k_axis: int, gap: int | None) -> None:
    """Write the load of `src` in L1, of which rows run across k, into all of `dst` in L0."""
    n_k, n_lines = dst.counts[k_axis], dst.counts[1 - k_axis]
    assert n_k % _ROW_BYTES == 0, "the verifier wants whole fractals"
    assert n_lines % _ROWS == 0, "the verifier wants whole fractals"
    n_bytes = n_k * n_lines
    with writer.scope():
        plain = _into_ub(writer, src, k_axis, (n_k, n_lines))
        turned = writer.tensor("turned", dst.form.dtype, (n_bytes,), Scope.UB)
        first_is_k = k_axis == 0
        pitches = (n_lines * _ROW_BYTES, _FRACTAL) if first_is_k else (_FRACTAL, n_k * _ROWS)
        _turn(writer, (turned, plain), dst, (n_k, n_lines), pitches)
        packed = writer.tensor("packed", dst.form.dtype, (n_bytes,), Scope.L1)
        ends = (Operand(packed, dst.form.dtype), Operand(turned, dst.form.dtype))
        writer.write(DataMove(*ends, 1, n_bytes // _ROW_BYTES, loc=writer.loc))
        for start in range(0, n_bytes // _FRACTAL, _MAX_REPEATS):
            place = dst.operand(writer, ix.constant(start * _FRACTAL))
            source = Operand(packed, dst.form.dtype, start * _FRACTAL)
            repeat = min(_MAX_REPEATS, n_bytes // _FRACTAL - start)
            writer.write(Load2d(place, source, 0, repeat, 1, False, gap, loc=writer.loc))


def _into_ub(writer: Writer, src: Box, k_axis: int, counts: tuple[int, int]) -> str:
    """Move the tile to UB as [lines / 32][k][32], and return the tensor there."""
    n_k, n_lines = counts
    rounded = -(-n_lines // _ROW_BYTES) * _ROW_BYTES
    name = writer.tensor("plain", src.form.dtype, (rounded * n_k,), Scope.UB)
    form = replace(src.form, name=name, scope=Scope.UB)
    axes = (Axis(n_k, _ROW_BYTES), Axis(rounded, 1, _ROW_BYTES, n_k * _ROW_BYTES))
    source_axes = (src.axes[k_axis], src.axes[1 - k_axis])
    source = Box(src.form, src.base, source_axes, (n_k, rounded))
    copy(writer, Box(form, ix.ZERO, axes, (n_k, rounded)), source)
    return name


def _turn(
    writer: Writer,
    tensors: tuple[str, str],
    dst: Box,
    counts: tuple[int, int],
    pitches: tuple[int, int],
) -> None:
    """Write the transposes; `pitches` are elements between fractals along k, and along lines."""
    (turned, plain), (n_k, n_lines) = tensors, counts
    repeat = n_k // _ROW_BYTES
    # With one repeat every start moves on by the stride (TIK reference), so it is 0 then.
    to_stride, of_stride = (pitches[0] // _ROW_BYTES, _ROW_BYTES) if repeat > 1 else (0, 0)

    def rows(tensor: str, start: Index) -> tuple[Operand, ...]:
        places = (ix.add(start, ix.constant(row * _ROW_BYTES)) for row in range(_ROWS))
        return tuple(Operand(tensor, dst.form.dtype, writer.expr(place)) for place in places)

    def write(line: Index, half: int) -> None:
        """Write the transposes of 16 lines, which are one half of the lanes of a block."""
        to = rows(turned, ix.scale(line, pitches[1]))
        block = ix.scale(ix.floor_div(line, 2), n_k * _ROW_BYTES)
        for high_k in (False, True):
            of = rows(plain, ix.add(block, ix.constant(high_k * _FRACTAL)))
            work = TransposeBlocks(
                high_k, bool(half), to, of, repeat, to_stride, of_stride, loc=writer.loc
            )
            writer.write(work)

    n_groups = n_lines // _ROWS
    for pair in writer.repeated("pair", n_groups // 2) if n_groups > 1 else ():
        for half in range(2):
            write(ix.add(ix.scale(pair, 2), ix.constant(half)), half)
    if n_groups % 2:
        write(ix.constant(n_groups - 1), 0)
