"""Rules of matrix products: operands in the cube's memories, in fractals, of sizes that agree."""

from collections.abc import Iterator

from tilelang.diagnostics import Diagnostic
from tilelang.dtypes import DType
from tilelang.ir.nodes import Matmul, Mmad
from tilelang.ir.region import Memory, Region
from tilelang.layouts import LayoutKind, layout_for
from tilelang.machines import CubeForm, Machine, find_machine, machine_names
from tilelang.verify.operands import fractal_hint, has_fractals, transpose_faults
from tilelang.verify.scope import Scope
from tilelang.verify.wording import (
    ALLOCATORS,
    declared,
    either,
    is_transposed,
    layout_lines,
    place,
    region_text,
    shape_text,
    turn_round,
)


def product_faults(stmt: Matmul | Mmad, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`, whose regions are well-formed."""
    if misplaced := _destination_among_operands(stmt):
        yield misplaced
        return
    memory = list(_memory_faults(stmt))
    form = scope.machine.cube_form(stmt.a.buffer.dtype, stmt.b.buffer.dtype)
    yield from memory
    yield from _size_faults(stmt)
    yield from _dtype_faults(stmt, form, scope.machine)
    yield from _turned_faults(stmt)
    if isinstance(stmt, Matmul) and form and not memory:
        yield from _load_faults(stmt.a, Memory.L0A, stmt, scope)
        yield from _load_faults(stmt.b, Memory.L0B, stmt, scope)


def _destination_among_operands(stmt: Matmul | Mmad) -> Diagnostic | None:
    """Return the mistake of who writes the destination last, as numpy's `out=` stands."""
    name = "matmul" if isinstance(stmt, Matmul) else "mmad"
    sums = [it for it in (stmt.a, stmt.b) if it.buffer.memory is Memory.L0C]
    if not sums or stmt.dst.buffer.memory is Memory.L0C:
        return None
    accumulator = region_text(sums[-1])
    return Diagnostic(
        "E0330",
        f"`{name}` accumulates in L0C, and `{region_text(stmt.dst)}`, its first argument, is in "
        f"{stmt.dst.buffer.memory}",
        stmt.loc,
        f"write the destination first: `tl.{name}({accumulator}, ...)`",
        declared(stmt.dst.buffer, sums[-1].buffer),
    )


def _memory_faults(stmt: Matmul | Mmad) -> Iterator[Diagnostic]:
    loads_itself = isinstance(stmt, Matmul)
    name = "matmul" if loads_itself else "mmad"
    operands = (
        (stmt.dst, "accumulates in", Memory.L0C),
        (stmt.a, "reads its left operand from", Memory.L1 if loads_itself else Memory.L0A),
        (stmt.b, "reads its right operand from", Memory.L1 if loads_itself else Memory.L0B),
    )
    for region, does, memory in operands:
        if region.buffer.memory is not memory:
            yield Diagnostic(
                "E0330",
                f"`{name}` {does} {memory}, and `{region_text(region)}` is in "
                f"{region.buffer.memory}",
                place(region, stmt.loc),
                _memory_hint(region, memory, loads_itself),
                declared(region.buffer),
            )


def _memory_hint(region: Region, memory: Memory, loads_itself: bool) -> str:
    name, allocator = region.buffer.name, ALLOCATORS[memory]
    if memory is Memory.L0C:
        return f"allocate `{name}` with `{allocator}`"
    if not loads_itself and region.buffer.memory is Memory.L1:
        return f"write `tl.matmul`, which loads from L1, or move `{name}` into `{allocator}` first"
    if loads_itself and region.buffer.memory in (Memory.L0A, Memory.L0B):
        return f"write `tl.mmad`, which takes L0 operands, or keep `{name}` in L1"
    return f"move `{name}` into a buffer of `{allocator}` first"


def _size_faults(stmt: Matmul | Mmad) -> Iterator[Diagnostic]:
    matrices = True
    for region in (stmt.dst, stmt.a, stmt.b):
        if len(region.shape) != 2:
            matrices = False
            yield Diagnostic(
                "E0331",
                f"`{region_text(region)}` has shape {shape_text(region.shape)}, and a matrix "
                "product takes matrices of two dimensions",
                place(region, stmt.loc),
                "index the leading dimensions, as in `x[i, :, :]`",
                declared(region.buffer),
            )
    if matrices and (stmt.a.shape[1], stmt.dst.shape) != (
        stmt.b.shape[0],
        (stmt.a.shape[0], stmt.b.shape[1]),
    ):
        yield _sizes_differ(stmt)


def _sizes_differ(stmt: Matmul | Mmad) -> Diagnostic:
    dst, a, b = stmt.dst, stmt.a, stmt.b
    (m, k), (k_of_b, n) = a.shape, b.shape
    if k != k_of_b:
        reason = f"{k} columns meet {k_of_b} rows"
        hint = f"give `{b.buffer.name}` {k} rows, or `{a.buffer.name}` {k_of_b} columns"
        if k == n:
            hint = turn_round(b)
        elif m == k_of_b:
            hint = turn_round(a)
    else:
        reason = f"the product is {shape_text((m, n))}"
        hint = f"allocate `{dst.buffer.name}` as {shape_text((m, n))}"
    return Diagnostic(
        "E0332",
        f"cannot multiply {shape_text(a.shape)} `{region_text(a)}` by {shape_text(b.shape)} "
        f"`{region_text(b)}` into {shape_text(dst.shape)} `{region_text(dst)}`: {reason}",
        stmt.loc,
        hint,
        declared(dst.buffer, a.buffer, b.buffer),
    )


def _dtype_faults(
    stmt: Matmul | Mmad, form: CubeForm | None, machine: Machine
) -> Iterator[Diagnostic]:
    dst, a, b = (region.buffer for region in (stmt.dst, stmt.a, stmt.b))
    if not {a.dtype, b.dtype} <= set(machine.dtypes):
        return  # said of the buffer itself
    if form is None:
        yield Diagnostic(
            "E0334",
            f"the cube of {machine.name} does not multiply {a.dtype} `{a.name}` by {b.dtype} "
            f"`{b.name}`",
            stmt.loc,
            _form_hint(a.dtype, b.dtype, machine),
            declared(a, b),
        )
    elif dst.dtype is not form.accumulator:
        yield Diagnostic(
            "E0333",
            f"`{dst.name}` is {dst.dtype}, and the cube sums {a.dtype} x {b.dtype} in "
            f"{form.accumulator}",
            place(stmt.dst, stmt.loc),
            f"allocate `{dst.name}` as {form.accumulator}: write `tl.acc({a.name}.dtype)`",
            declared(dst),
        )


def _form_hint(a: DType, b: DType, machine: Machine) -> str:
    """Return what to use on `machine`, and which machines take what was written."""
    hint = f"use {either([str(form) for form in machine.cube])} on {machine.name}"
    others = {name: find_machine(name).cube_form(a, b) for name in machine_names()}
    forms = {name: form for name, form in others.items() if form}
    if not forms:
        return f"{hint}; no machine multiplies {a} by {b}"
    form: CubeForm = next(iter(forms.values()))
    return f"{hint}; {form} runs on {', '.join(forms)}"


def _turned_faults(stmt: Matmul | Mmad) -> Iterator[Diagnostic]:
    """Yield the operands that are transposed where the cube reads or writes them in place."""
    for region in (stmt.dst,) if isinstance(stmt, Matmul) else (stmt.dst, stmt.a, stmt.b):
        if is_transposed(region.view, region.buffer.rank):
            yield Diagnostic(
                "E0335",
                f"`{region_text(region)}` is transposed, and the cube uses tiles of "
                f"{region.buffer.memory} as they lie",
                place(region, stmt.loc),
                f"{turn_round(region)}; only a move from L1 to L0A or L0B transposes",
                declared(region.buffer),
            )


def _load_faults(
    region: Region, target: Memory, stmt: Matmul, scope: Scope
) -> Iterator[Diagnostic]:
    """Yield why an operand of `matmul` cannot be loaded from L1 into `target`."""
    loc, buffer = place(region, stmt.loc), region.buffer
    if has_fractals(region):
        yield from transpose_faults(region, target, loc, scope)
        return
    wanted = layout_for(LayoutKind.NZ, buffer.dtype)
    yield Diagnostic(
        "E0335",
        f"`{region_text(region)}` is {buffer.layout} in L1, and `matmul` loads {target} fractal by "
        "fractal, from NZ, ZZ, ZN or NN",
        loc,
        fractal_hint(region),
        declared(buffer),
        layout_lines((buffer.name, buffer.layout, buffer), ("wanted", wanted, buffer)),
    )
