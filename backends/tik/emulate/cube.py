"""load2d and mmad: fractals into L0A and L0B, and their product into L0C."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilelang.backends.tik.emulate.accumulator import alignment_of
from tilelang.backends.tik.emulate.memory import Buffer, Bytes, Span
from tilelang.backends.tik.emulate.moves import nothing
from tilelang.backends.tik.emulate.numeric import Values
from tilelang.backends.tik.emulate.state import (
    Runs,
    State,
    check_range,
    check_ranges,
    declared_note,
    number,
    wrong_operand,
)
from tilelang.backends.tik.instructions import (
    FRACTAL_BYTES,
    Load2d,
    Mmad,
    Operand,
    Scope,
    TikType,
    Work,
)
from tilelang.diagnostics import Diagnostic, TileError

_CUBE_FORMS = {
    (TikType.FLOAT16, TikType.FLOAT16): (TikType.FLOAT32, TikType.FLOAT16),
    (TikType.INT8, TikType.INT8): (TikType.INT32,),
    (TikType.UINT8, TikType.INT8): (TikType.INT32,),
    (TikType.UINT8, TikType.UINT8): (TikType.UINT32,),
    (TikType.FLOAT32, TikType.FLOAT32): (TikType.FLOAT32,),
    (TikType.BFLOAT16, TikType.BFLOAT16): (TikType.FLOAT32,),
}
"""Operand dtypes and what they may be summed in; the last two on the 910B only."""


def plan_load2d(work: Load2d, state: State) -> Callable[[], None]:
    """Plan the copy of fractals, each transposed or not."""
    source, target = (state.buffers[end.tensor].scope for end in (work.src, work.dst))
    is_path = source in (Scope.GM, Scope.L1) and target in (Scope.L0A, Scope.L0B, Scope.L1)
    if not is_path or (source is target):
        raise wrong_operand(work, f"it moves GM or L1 to L0A or L0B, not {source} to {target}")
    if work.transpose and (work.src.dtype.n_bytes != 2 or source is Scope.GM):
        raise wrong_operand(
            work,
            f"it transposes 16-bit elements from L1, not {work.src.dtype} from {source}",
            "store the operand in the other order",
        )
    check_ranges(
        work,
        (
            ("index", work.index, 0, 65535),
            ("repeat_times", work.repeat, 0, 255),
            ("src_stride", work.src_stride, 0, 65535),
        ),
    )
    repeat = number(work.repeat)
    if not repeat:
        return nothing
    src = _source_fractals(work, state, repeat)
    dst = _target_fractals(work, state, repeat)

    def run() -> None:
        for to, of in ((dst.data, src.data), (dst.shadow, src.shadow)):
            to[...] = _transposed(of) if work.transpose else of

    return run


def _transposed(fractals: Bytes) -> Bytes:
    squares = np.ascontiguousarray(fractals).view(np.uint16).reshape(-1, 16, 16)
    swapped = np.ascontiguousarray(squares.swapaxes(1, 2))
    return swapped.view(np.uint8).reshape(len(fractals), FRACTAL_BYTES)


def _source_fractals(work: Load2d, state: State, repeat: int) -> Span:
    scope = state.buffers[work.src.tensor].scope
    buffer, start = state.start_of(work, work.src, "src", 1 if scope is Scope.GM else FRACTAL_BYTES)
    start += number(work.index) * FRACTAL_BYTES
    pitch = number(work.src_stride) * FRACTAL_BYTES
    runs = Runs(repeat, FRACTAL_BYTES, pitch, "repeat_times", "src_stride", unit=FRACTAL_BYTES)
    state.check_runs(work, "src", buffer, start, runs)
    return Span(buffer, start, (repeat, FRACTAL_BYTES), (pitch, 1))


def _target_fractals(work: Load2d, state: State, repeat: int) -> Span:
    buffer, start = state.start_of(work, work.dst, "dst", FRACTAL_BYTES)
    pitch = (1 + number(work.dst_gap or 0)) * FRACTAL_BYTES
    state.check_extent(work, "dst", buffer, start, start + (repeat - 1) * pitch + FRACTAL_BYTES)
    return Span(buffer, start, (repeat, FRACTAL_BYTES), (pitch, 1))


def plan_mmad(work: Mmad, state: State) -> Callable[[], None]:
    """Plan a product; rows and columns past m, k, n inside the last fractals are ignored."""
    m, k, n = (number(extent) for extent in (work.m, work.k, work.n))
    check_ranges(
        work, (("matrix_m", m, 0, 4095), ("matrix_k", k, 0, 4095), ("matrix_n", n, 0, 4095))
    )
    _check_scopes(work, state)
    check_cube_form(work, state, work.a, work.b, work.dst)
    if not m or not k or not n:
        return nothing
    k0 = work.a.dtype.per_block
    m1, k1, n1 = -(-m // 16), -(-k // k0), -(-n // 16)
    a = cube_operand(work, state, work.a, "src_fm", (m1, k1, 16, k0))
    b = cube_operand(work, state, work.b, "src_filter", (k1, n1, 16, k0))
    c = cube_operand(work, state, work.dst, "dst_fm", (n1, m1 * 16, 16))
    accumulates = bool(number(work.accumulate))

    def run() -> None:
        left = a.values.transpose(0, 2, 1, 3).reshape(m1 * 16, k1 * k0)[:m, :k]
        right = b.values.transpose(0, 3, 1, 2).reshape(k1 * k0, n1 * 16)[:k, :n]
        store_product(c, multiply(left, right), accumulates=accumulates)
        spread_shadow(work, state, (a, b, c), (m, k, n), accumulates=accumulates)

    return run


class CubeOperand:
    """A blocked operand of the cube: its values and shadows as arrays of the blocks' shape."""

    __slots__ = ("buffer", "role", "shadow", "start", "values")

    def __init__(
        self, buffer: Buffer, role: str, start: int, dtype: TikType, shape: tuple[int, ...]
    ) -> None:
        """View `shape` elements of `dtype` from byte `start`."""
        self.buffer = buffer
        self.role = role
        self.start = start
        self.values: Values = np.ndarray(shape, dtype.numpy, buffer.data, start)
        self.shadow: Values = np.ndarray(shape, f"u{dtype.n_bytes}", buffer.shadow, start)


def cube_operand(
    work: Work, state: State, operand: Operand, role: str, shape: tuple[int, ...]
) -> CubeOperand:
    """Return a packed operand, checked for alignment and extent."""
    scope = state.buffers[operand.tensor].scope
    alignment = 512 if scope is Scope.L1 else alignment_of(scope, operand.dtype)
    buffer, start = state.start_of(work, operand, role, alignment)
    n_bytes = int(np.prod(shape)) * operand.dtype.n_bytes
    state.check_extent(work, role, buffer, start, start + n_bytes)
    return CubeOperand(buffer, role, start, operand.dtype, shape)


def multiply(left: Values, right: Values) -> Values:
    """Return the product: exact for integers, summed in float32 for floats."""
    if left.dtype.kind in "iu":
        # Products of bytes and their sums up to 2**38 of them are exact in float64.
        return (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)
    return _in_slices(left.astype(np.float32), right.astype(np.float32))


_ONE_THREAD = 1 << 18
"""Multiplications up to which OpenBLAS stays on one thread (4 * 65,536 in its sources)."""


def _in_slices(left: Values, right: Values) -> Values:
    """Return the product, in calls so small that BLAS starts no threads.

    A tile's product takes some 50 us; waking a thread on a busy machine takes ten times that.
    """
    (m, k), n = left.shape, right.shape[1]
    width = max(_ONE_THREAD // (m * k), 16)
    product = np.empty((m, n), np.float32)
    for start in range(0, n, width):
        part = slice(start, start + width)
        np.matmul(left, right[:, part], out=product[:, part])
    return product


def store_product(c: CubeOperand, product: Values, *, accumulates: bool) -> None:
    """Set or add `product` [m, n] to the accumulator [N1, M, 16]; integers wrap."""
    m, n = product.shape
    n1, rows, _ = c.values.shape
    if n != n1 * 16:
        product = np.pad(product, ((0, 0), (0, n1 * 16 - n)))
    blocks = product.reshape(m, n1, 16).transpose(1, 0, 2)
    target = c.values[:, :m, :] if m != rows else c.values
    if accumulates:
        blocks = target.astype(product.dtype) + blocks
    target[...] = blocks.astype(target.dtype)


def spread_shadow(
    work: Work,
    state: State,
    operands: tuple[CubeOperand, CubeOperand, CubeOperand],
    extents: tuple[int, int, int],
    *,
    accumulates: bool,
) -> None:
    """Set the shadow of the product: an element is undefined if its row or column is."""
    a, b, c = operands
    m, k, n = extents
    n1, rows, _ = c.shadow.shape
    if not accumulates and not a.shadow.any() and not b.shadow.any():
        c.shadow[...] = _NEVER[c.shadow.dtype.itemsize]
        c.shadow[: n // 16, :m] = 0
        if n % 16:
            c.shadow[n1 - 1, :m, : n % 16] = 0
        return
    row_ids = _row_ids(work, state, a, (m, k))
    column_ids = _column_ids(work, state, b, (k, n))
    ids = np.maximum(row_ids[:, None], column_ids[None, :])
    if accumulates:
        old = _low_byte(c.shadow).transpose(1, 0, 2).reshape(rows, n1 * 16)[:m, :n]
        ids = np.maximum(ids, _marked(work, state, c, old))
    full = np.ones((rows, n1 * 16), np.uint8)
    full[:m, :n] = ids
    blocks = full.reshape(rows, n1, 16).transpose(1, 0, 2)
    c.shadow[...] = blocks.astype(c.shadow.dtype) * _NEVER[c.shadow.dtype.itemsize]


_NEVER = {1: 0x01, 2: 0x0101, 4: 0x01010101, 8: 0x0101010101010101}
"""The shadow of a whole element whose bytes have shadow 1."""


def _low_byte(shadow: Values) -> npt.NDArray[np.uint8]:
    return (shadow & 0xFF).astype(np.uint8)


def _marked(
    work: Work, state: State, operand: CubeOperand, ids: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    if not (ids == 1).any():
        return ids
    origin = state.origins.number(work, operand.role, operand.buffer, operand.start)
    return np.where(ids == 1, np.uint8(origin), ids)


def _row_ids(
    work: Work, state: State, a: CubeOperand, extents: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    m, k = extents
    ids = _low_byte(a.shadow)
    matrix = (
        ids.transpose(0, 2, 1, 3).reshape(ids.shape[0] * 16, -1)
        if ids.ndim == 4
        else ids.transpose(1, 0, 2).reshape(ids.shape[1], -1)
    )
    return _marked(work, state, a, matrix[:m, :k].max(axis=1))


def _column_ids(
    work: Work, state: State, b: CubeOperand, extents: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    k, n = extents
    ids = _low_byte(b.shadow)
    matrix = (
        ids.transpose(0, 3, 1, 2).reshape(ids.shape[0] * ids.shape[3], -1)
        if ids.ndim == 4
        else ids.transpose(0, 2, 1).reshape(-1, ids.shape[1])
    )
    return _marked(work, state, b, matrix[:k, :n].max(axis=0))


def _check_scopes(work: Mmad, state: State) -> None:
    wanted = (
        ("src_fm", work.a, Scope.L0A),
        ("src_filter", work.b, Scope.L0B),
        ("dst_fm", work.dst, Scope.L0C),
    )
    for role, operand, scope in wanted:
        buffer = state.buffers[operand.tensor]
        if buffer.scope is not scope and not (scope is Scope.L0C and buffer.scope.is_accumulator):
            raise TileError(
                Diagnostic(
                    "E1205",
                    f"mmad: {role} `{buffer.name}` is in {buffer.scope}; it must be in {scope}",
                    work.loc,
                    notes=declared_note(buffer),
                )
            )


def check_cube_form(work: Work, state: State, a: Operand, b: Operand, c: Operand) -> None:
    """Raise E1213 for dtypes that the cube does not multiply, or does not sum in `c`'s."""
    is_new = a.dtype in (TikType.FLOAT32, TikType.BFLOAT16)
    sums = _CUBE_FORMS.get((a.dtype, b.dtype), ())
    if c.dtype in sums and (not is_new or state.soc.machine.is_split):
        return
    raise TileError(
        Diagnostic(
            "E1213",
            f"the cube of {state.soc.name} does not multiply {a.dtype} by {b.dtype} into {c.dtype}",
            work.loc,
            hint="use float16 with float32 sums, or int8 with int32 sums",
        )
    )


def check_positive(work: Work, name: str, value: int, limit: int) -> None:
    """Raise E1202 for an extent outside 1 .. `limit`."""
    check_range(work, name, value, 1, limit)
