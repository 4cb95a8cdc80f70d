"""Rules of a buffer by itself: its dtype, its layout, and the sizes of tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tilelang.diagnostics import Diagnostic, Location
from tilelang.dtypes import BLOCK_BYTES, ELEMENT_TYPES, DType
from tilelang.ir.nodes import Alloc, Program
from tilelang.ir.region import Buffer, Memory
from tilelang.ir.walk import walk_program
from tilelang.layouts import FRACTAL_ROWS, Layout, LayoutKind
from tilelang.machines import Machine, find_machine, machine_names
from tilelang.verify.wording import declared, either, layout_lines

FRACTAL_KINDS = (LayoutKind.NZ, LayoutKind.ZZ, LayoutKind.ZN, LayoutKind.NN)
"""Layouts of matrices in blocks of 16 by C0."""

_ONLY_LAYOUT = {
    Memory.L0A: LayoutKind.ZZ,
    Memory.L0B: LayoutKind.ZN,
    Memory.L0C: LayoutKind.NZ,
}

_KIND = {0: "a tensor", 1: "a tile"}


def dtype_faults(program: Program, machine: Machine) -> Iterator[Diagnostic]:
    """Yield the element types that `machine` does not have, once each."""
    allocs = (stmt for stmt in walk_program(program) if isinstance(stmt, Alloc))
    places = [(buffer, buffer.loc) for buffer in (*program.inputs, *program.results)]
    places += [(stmt.buffer, stmt.loc) for stmt in allocs]
    seen = {*machine.dtypes, DType.BOOL}  # bool: another rule
    for buffer, loc in places:
        if buffer.dtype not in seen:
            seen.add(buffer.dtype)
            yield _unknown_dtype(buffer, loc, machine)


def _unknown_dtype(buffer: Buffer, loc: Location, machine: Machine) -> Diagnostic:
    others = [name for name in machine_names() if buffer.dtype in find_machine(name).dtypes]
    return Diagnostic(
        "E0309",
        f"`{buffer.name}` is {buffer}, and {machine.name} has no {buffer.dtype}",
        loc,
        f"use one of {', '.join(map(str, machine.dtypes))}; {buffer.dtype} runs on "
        f"{', '.join(others)}",
    )


def tensor_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield what is wrong with the tensors of the signature, whatever is done with them."""
    for buffer in (*program.inputs, *program.results):
        yield from buffer_faults(buffer, buffer.loc)


def buffer_faults(buffer: Buffer, loc: Location) -> Iterator[Diagnostic]:
    """Yield what is wrong with `buffer`, declared at `loc`, whatever is done with it."""
    least = 0 if buffer.memory is Memory.GM else 1
    if buffer.shape and min(buffer.shape) < least:
        yield Diagnostic(
            "E0308",
            f"`{buffer.name}` is {buffer}, and every size of {_KIND[least]} is {least} or more",
            loc,
            f"make every size {least} or more"
            + (", for example with `max(size, 1)`" if least else ""),
        )
    if buffer.dtype is DType.BOOL:
        yield Diagnostic(
            "E0308",
            f"`{buffer.name}` would hold bool, which only exists inside an expression",
            loc,
            f"use one of {', '.join(map(str, ELEMENT_TYPES))}, and `tl.where(condition, 1, 0)`",
        )
    yield from _layout_faults(buffer, loc)


def _layout_faults(buffer: Buffer, loc: Location) -> Iterator[Diagnostic]:
    layout, name = buffer.layout, buffer.name
    if buffer.rank < layout.logical_rank:
        yield Diagnostic(
            "E0360",
            f"`{name}` is {buffer}, and layout {layout} orders {layout.logical_rank} dimensions",
            loc,
            f"give `{name}` at least {layout.logical_rank} dimensions, or another layout",
        )
        return
    only = _ONLY_LAYOUT.get(buffer.memory)
    if only and layout.kind is not only:
        wanted = Layout(only, _legal_widths(buffer)[0])
        yield Diagnostic(
            "E0360",
            f"`{name}` is {layout} in {buffer.memory}, which holds {only.value} only",
            loc,
            f"leave the layout of `{name}` out, and it becomes {only.value}",
            details=layout_lines((name, layout, buffer), ("wanted", wanted, buffer)),
        )
        return
    widths = _legal_widths(buffer)
    if layout.kind is not LayoutKind.ND and layout.c0 not in widths:
        yield Diagnostic(
            "E0360",
            f"blocks of `{name}` are {layout.c0} wide, and {layout} blocks of {buffer.dtype} in "
            f"{buffer.memory} are {either(list(map(str, widths)))} wide",
            loc,
            f"write {layout.kind.value} with a block width of {widths[0]}",
        )


def _legal_widths(buffer: Buffer) -> list[int]:
    """Return the block widths (C0) that `buffer` may have: 32 bytes, or 16 from the cube on."""
    if buffer.memory is Memory.L0C:
        return [FRACTAL_ROWS]
    if buffer.memory in (Memory.UB, Memory.GM):
        return sorted({buffer.dtype.k0, FRACTAL_ROWS})
    return [buffer.dtype.k0]


@dataclass(frozen=True, slots=True)
class _Odd:
    """A size of a tile that is no multiple of `block`; `word` is "rows" or "columns"."""

    buffer: Buffer
    loc: Location
    size: int
    block: int
    word: str


def tile_faults(program: Program) -> Iterator[Diagnostic]:
    """Yield the sizes of the cube's tiles that are no multiple of their blocks.

    A size is reported once, with every tile that it spoils.
    """
    groups: dict[tuple[int, int], list[_Odd]] = {}
    for odd in _odd_sizes(program):
        groups.setdefault((odd.size, odd.block), []).append(odd)
    for first, *others in groups.values():
        notes = (declared(other.buffer) for other in others if other.buffer != first.buffer)
        yield Diagnostic(
            "E0351",
            f"`{first.buffer.name}` is {first.buffer}, and the {first.word} of an "
            f"{first.buffer.memory} tile must be a multiple of {_block_text(first)}, not "
            f"{first.size}",
            first.loc,
            _nearest(first.size, first.block, program),
            tuple(dict.fromkeys(chain.from_iterable(notes))),
        )


def _odd_sizes(program: Program) -> Iterator[_Odd]:
    for stmt in walk_program(program):
        if not isinstance(stmt, Alloc):
            continue
        buffer = stmt.buffer
        loose = buffer.memory in (Memory.GM, Memory.UB)
        if loose or buffer.rank < 2 or buffer.layout.kind not in FRACTAL_KINDS:
            continue
        words = ("rows", "columns")
        for size, block, word in zip(buffer.shape[-2:], buffer.layout.block, words, strict=True):
            if size % block:
                yield _Odd(buffer, stmt.loc, size, block, word)


def _block_text(odd: _Odd) -> str:
    """Return the block with the reason why it is not 16, if it is not."""
    reason = f" ({BLOCK_BYTES} bytes of {odd.buffer.dtype})" if odd.block != FRACTAL_ROWS else ""
    return f"{odd.block}{reason}"


def _nearest(size: int, block: int, program: Program) -> str:
    """Return the hint that names the legal sizes around `size`."""
    below = size // block * block
    sizes = [str(legal) for legal in (below, below + block) if legal]
    names = [name for name, value in program.tiles if value == size]
    if len(names) == 1:
        sizes = [f"{names[0]}={legal}" for legal in sizes]
    return f"write {either(sizes)}"
