"""The verifier: every rule that a program must keep on a machine, checked before and after passes.

Rules are generators of `Diagnostic`, one module per family. All broken rules are raised together.
"""

from collections.abc import Iterator
from typing import assert_never

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.diagnostics.order import order
from tilelang.ir.nodes import (
    Alloc,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
    Stmt,
)
from tilelang.ir.walk import reads, written
from tilelang.machines import Machine
from tilelang.verify.buffers import buffer_faults, dtype_faults, tensor_faults, tile_faults
from tilelang.verify.capacity import capacity_faults
from tilelang.verify.chunks import chunks_faults
from tilelang.verify.convolution import img2col_faults
from tilelang.verify.cube import product_faults
from tilelang.verify.lost_sums import lost_sum_faults
from tilelang.verify.moves import move_faults
from tilelang.verify.regions import form_faults, region_faults
from tilelang.verify.results import input_faults, result_faults, undefined_faults
from tilelang.verify.scope import Scope, walk_in_scope
from tilelang.verify.structure import (
    grid_faults,
    loop_faults,
    memory_faults,
    name_faults,
    program_memory_faults,
    scope_faults,
    width_faults,
)
from tilelang.verify.vector import map_faults, reduce_faults
from tilelang.verify.wording import place

__all__ = ["verify"]


def verify(program: Program, machine: Machine) -> Program:
    """Return `program`, which keeps every rule on `machine`.

    Layouts are inferred and moves are legal for the machine's generation by then
    (`infer_layouts`, `legalise`).

    Raises:
        TileError: E03xx, every broken rule, in the order in which to mend them.
    """
    faults = dict.fromkeys(_faults(program, machine))
    if faults:
        raise TileError(*sorted(faults, key=order))
    return program


def _faults(program: Program, machine: Machine) -> Iterator[Diagnostic]:
    yield from name_faults(program)
    yield from program_memory_faults(program)
    yield from tensor_faults(program)
    yield from grid_faults(program)
    yield from dtype_faults(program, machine)
    yield from tile_faults(program)
    for stmt, scope in walk_in_scope(program, machine):
        yield from _statement_faults(stmt, scope)
    yield from chunks_faults(program)
    yield from capacity_faults(program, machine)
    yield from undefined_faults(program)
    yield from lost_sum_faults(program)
    yield from input_faults(program)
    yield from result_faults(program)


def _statement_faults(stmt: Stmt, scope: Scope) -> Iterator[Diagnostic]:
    """Yield what is wrong with `stmt`; only its form, if that is already wrong."""
    target = written(stmt)
    regions = reads(stmt) if target is None else tuple(dict.fromkeys((target, *reads(stmt))))
    form = list(scope_faults(stmt, regions, scope))
    for region in regions:
        form += form_faults(region, place(region, stmt.loc))
    form = form or list(width_faults(stmt, regions, scope))
    yield from form
    if form:
        return
    for region in regions:
        yield from region_faults(region, place(region, stmt.loc), scope)
    yield from _own_faults(stmt, scope)


def _own_faults(stmt: Stmt, scope: Scope) -> Iterator[Diagnostic]:
    match stmt:
        case Alloc(buffer):
            yield from memory_faults(stmt, scope)
            yield from buffer_faults(buffer, stmt.loc)
        case Loop():
            yield from loop_faults(stmt)
        case If():
            pass
        case Move():
            yield from move_faults(stmt, scope)
        case Img2col():
            yield from img2col_faults(stmt, scope)
        case Matmul() | Mmad():
            yield from product_faults(stmt, scope)
        case Map():
            yield from map_faults(stmt, scope)
        case Reduce():
            yield from reduce_faults(stmt, scope)
        case _:
            assert_never(stmt)
