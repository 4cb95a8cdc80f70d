"""The memories of a core: what allocates a tile in each of them, and workspace."""

from __future__ import annotations

from collections.abc import Sequence

from tilelang.diagnostics import Note, callsite
from tilelang.dtypes import DType, DTypeLike
from tilelang.ir.named import as_int
from tilelang.ir.nodes import Alloc
from tilelang.ir.region import Buffer, Memory
from tilelang.language import mistakes
from tilelang.language import trace as tracing
from tilelang.language.handles import Index, is_index
from tilelang.language.literals import want_dtype
from tilelang.language.tensors import Tensor, plain
from tilelang.layouts import FRACTAL_ROWS, ND, Layout, LayoutKind, layout_for


def alloc_l1(
    shape: Sequence[int], dtype: DTypeLike, *, layout: str | None = None, name: str | None = None
) -> Tensor:
    """Allocate a tile in L1, where the operands of `matmul` and `load3d` wait.

    It is laid out NZ, unless `layout` or its use says NC1HWC0 (maps), FRACTAL_Z (weights) or ND.
    Rows and columns of NZ are multiples of 16, columns of 32 bytes too.

    Example:
        a1 = tl.alloc_l1((64, 32), x.dtype)
    """
    return _alloc(Memory.L1, shape, dtype, layout, name)


def alloc_l0a(shape: Sequence[int], dtype: DTypeLike, *, name: str | None = None) -> Tensor:
    """Allocate a left operand [m, k] of `mmad`, laid out ZZ; multiples of 16, and k of 32 bytes.

    Example:
        a0 = tl.alloc_l0a((64, 32), x.dtype)
    """
    return _alloc(Memory.L0A, shape, dtype, None, name)


def alloc_l0b(shape: Sequence[int], dtype: DTypeLike, *, name: str | None = None) -> Tensor:
    """Allocate a right operand [k, n] of `mmad`, laid out ZN; multiples of 16, and k of 32 bytes.

    Example:
        b0 = tl.alloc_l0b((32, 64), x.dtype)
    """
    return _alloc(Memory.L0B, shape, dtype, None, name)


def alloc_l0c(shape: Sequence[int], dtype: DTypeLike, *, name: str | None = None) -> Tensor:
    """Allocate an accumulator [m, n] of the cube, laid out NZ; multiples of 16.

    Its dtype is `tl.acc` of the operands': float32, or int32 for integers. Only `matmul` and `mmad`
    write it; a move to the unified buffer takes it from there.

    Example:
        acc = tl.alloc_l0c((64, 64), tl.acc(x.dtype))
    """
    return _alloc(Memory.L0C, shape, dtype, None, name)


def alloc_ub(
    shape: Sequence[int], dtype: DTypeLike, *, layout: str | None = None, name: str | None = None
) -> Tensor:
    """Allocate a tile in the unified buffer, where all vector work is done; of any shape.

    It is laid out NZ if it meets results of the cube, else ND, unless `layout` says so.

    Example:
        t = tl.alloc_ub((16, 64), "float32")
    """
    return _alloc(Memory.UB, shape, dtype, layout, name)


def alloc_gm(
    shape: Sequence[int], dtype: DTypeLike, *, layout: str = "ND", name: str | None = None
) -> Tensor:
    """Allocate workspace in global memory, between stages; undefined until a stage writes it.

    Example:
        sums = tl.alloc_gm((4, 64), "float32")
        for i in tl.cores(4):
            row = tl.alloc_ub((1, 64), "float32")
            row[:] = tl.cast(i, "float32")
            tl.data_move(sums[i, 0], row)

    Raises:
        TileError: E0130 inside a loop or branch.
    """
    trace = tracing.current("tl.alloc_gm")
    if not trace.is_between_stages:
        raise mistakes.error(
            "E0130",
            "`alloc_gm` stands inside a loop or branch, wanted between stages",
            "allocate the workspace before the `cores` loop that writes it",
            Note("inside this", trace.scope.loc),
        )
    return _alloc(Memory.GM, shape, dtype, layout, name)


def _alloc(
    memory: Memory, shape: Sequence[int], dtype: DTypeLike, layout: str | None, name: str | None
) -> Tensor:
    operation = f"tl.alloc_{memory.value}"
    trace = tracing.current(operation)
    frame = callsite.user_frame()
    if name is not None and not (isinstance(name, str) and name.isidentifier()):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistakes.error(
            "E0134",
            f"`{operation}` is given name={mistakes.shown(name)}, wanted an identifier",
            'write a name as in Python: `name="left"`',
        )
    wish = name or next(iter(callsite.assigned_names(frame)), None) or f"{memory.value}_1"
    sizes = _shape(operation, shape)
    element = want_dtype(dtype)
    loc = trace.here()
    buffer = Buffer(
        trace.unique_name(wish), memory, element, sizes, _layout(memory, layout, element), loc
    )
    if layout is None:
        trace.automatic.add(buffer.name)
    if memory is Memory.GM:
        trace.record_workspace(Alloc(buffer, loc))
        return plain(buffer, None)
    trace.record(Alloc(buffer, loc))
    return plain(buffer, trace.scope)


def _shape(operation: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of an allocation as ints."""
    sizes = shape if isinstance(shape, tuple | list) else ()
    good = sizes and all(
        is_index(size) and not isinstance(size, Index) and size > 0 for size in sizes
    )
    if not good:
        wanted = "write a tuple of sizes known before the kernel runs: `(m_tile, k_tile)`"
        hint = mistakes.whole_number(sizes, wanted)
        if is_index(shape) and not isinstance(shape, Index):
            hint = f"write a tuple, of one size as well: `({shape},)`"
        if isinstance(shape, str):
            hint = f'write the shape first, then the dtype: `{operation}((16, 16), "{shape}")`'
        message = f"`{operation}` is given the shape {shape!r}, wanted positive ints"
        raise mistakes.error("E0134", message, hint)
    return tuple(as_int(size) for size in sizes)


def _layout(memory: Memory, name: str | None, dtype: DType) -> Layout:
    if name is None:
        return ND
    kinds = {kind.value: kind for kind in LayoutKind}
    if name not in list(kinds):
        hint = f"use one of {', '.join(kinds)}; `tilelang layout --list` has others' names for them"
        raise mistakes.error("E0135", f"there is no layout {name!r}", hint)
    if memory is Memory.UB and kinds[name] is LayoutKind.NZ:
        return Layout(LayoutKind.NZ, FRACTAL_ROWS)  # as accumulators leave L0C
    return layout_for(kinds[name], dtype)
