"""Choose how each buffer of a program is stored.

Tensors come as their layout says. What only this backend sees is its own choice: the cube's
operands lie in panels from the moment they leave the tensor, everything else is a plain array.
"""

from collections.abc import Iterator

from tilelang.backends.llvm.convolution.windows import NO_WINDOWS, Windows
from tilelang.backends.llvm.form import Form, layout_form, packed
from tilelang.backends.llvm.products.panels import (
    Side,
    accumulator_form,
    find_method,
    matrix_axes,
    operand_form,
)
from tilelang.backends.llvm.runtime.host import Host
from tilelang.backends.llvm.storage import plain
from tilelang.ir import index as ix
from tilelang.ir.nodes import Alloc, Mmad, Program
from tilelang.ir.region import Buffer, Memory
from tilelang.ir.walk import walk_program
from tilelang.layouts import LayoutKind

_OF_MAPS = (LayoutKind.NC1HWC0, LayoutKind.FRACTAL_Z)
"""Layouts of convolutions, which serve a CPU as they are."""


def choose_forms(program: Program, host: Host, windows: Windows = NO_WINDOWS) -> dict[str, Form]:
    """Return the form of every buffer, by name; an operand that is read from a map has none."""
    sides = find_sides(program, host)
    forms = {buffer.name: layout_form(buffer) for buffer in (*program.inputs, *program.results)}
    for stmt in walk_program(program):
        if isinstance(stmt, Alloc) and stmt.buffer.name not in windows.operands:
            forms[stmt.buffer.name] = _form(stmt.buffer, sides.get(stmt.buffer.name, set()))
    return forms | {name: slab.form for name, slab in windows.slabs.items()}


def find_sides(program: Program, host: Host) -> dict[str, set[Side]]:
    """Return the parts that each buffer has in products, by its name."""
    sides: dict[str, set[Side]] = {}
    for stmt in walk_program(program):
        if isinstance(stmt, Mmad):
            for name, side in _sides(stmt, host):
                sides.setdefault(name, set()).add(side)
    return {name: _merged(found) for name, found in sides.items()}


def _sides(stmt: Mmad, host: Host) -> Iterator[tuple[str, Side]]:
    method = find_method(stmt.a.buffer.dtype, stmt.b.buffer.dtype, host)
    for region, is_a in ((stmt.a, True), (stmt.b, False)):
        axes = matrix_axes(region)
        if axes is None:
            continue
        outer, k = axes if is_a else (axes[1], axes[0])
        start = region.start[region.spanned[1 if is_a else 0]]
        wide = ix.known_divisor(start) % (16 * method.unit) == 0
        block = (16 if wide else 8) * method.unit
        yield region.buffer.name, Side(is_a, outer, k, method, block)


def _merged(found: set[Side]) -> set[Side]:
    """Return `found` with one width of blocks: the smallest that any use needs."""
    block = min(side.k_block for side in found)
    return {Side(side.is_a, side.outer, side.k, side.method, block) for side in found}


def _form(buffer: Buffer, sides: set[Side]) -> Form:
    if buffer.memory is Memory.L0C:
        return accumulator_form(buffer.shape, buffer.dtype)
    if len(sides) == 1:
        return operand_form(buffer.shape, next(iter(sides)))
    if buffer.layout.kind in _OF_MAPS:
        return layout_form(buffer)
    order = [(axis, 1, 0) for axis in range(buffer.rank)]
    return packed(buffer.shape, order, plain(buffer.dtype))
