"""Results that fixpipe cannot store where they belong, brought there by a stage of vector work.

Fixpipe stores 16 columns at once. A row-major tensor whose rows are no multiple of that gets its
results through workspace, in fractals, from where vector work stores rows of any length.
"""

from dataclasses import replace

from tilelang.backends.tik.lower.cube import FRACTAL_ROWS
from tilelang.ir.nodes import Alloc, Body, Move, Program, Stmt
from tilelang.ir.region import Buffer, Memory, whole
from tilelang.ir.walk import rewrite_program, walk, walk_program
from tilelang.layouts import ND, Layout, LayoutKind
from tilelang.passes.separate import separate_stages


def stage_results(program: Program) -> Program:
    """Return `program` with results that fixpipe would store past the end of rows staged.

    The same object is returned where that cannot be, for the lowering to refuse.
    """
    taken = {stmt.buffer.name for stmt in walk_program(program) if isinstance(stmt, Alloc)}

    def change(stmt: Stmt) -> Body:
        return _through_ub(stmt, taken) if _would_overrun(stmt) else (stmt,)

    changed = rewrite_program(program, change)
    if changed == program:
        return program
    staged = separate_stages(changed, lambda stage: any(map(_leaves_by_ub, walk(stage.body))))
    return program if any(map(_leaves_by_ub, walk_program(staged))) else staged


def _would_overrun(stmt: Stmt) -> bool:
    if not isinstance(stmt, Move) or stmt.src.buffer.memory is not Memory.L0C:
        return False
    dst = stmt.dst
    if dst.buffer.memory is not Memory.GM or dst.buffer.layout != ND:
        return False
    return bool(dst.buffer.shape[-1] % FRACTAL_ROWS or stmt.src.shape[-1] % FRACTAL_ROWS)


def _leaves_by_ub(stmt: Stmt) -> bool:
    if not isinstance(stmt, Move):
        return False
    return (stmt.src.buffer.memory, stmt.dst.buffer.memory) == (Memory.L0C, Memory.UB)


def _through_ub(stmt: Stmt, taken: set[str]) -> Body:
    """Return the move of a result as two, with a tile of UB between."""
    assert isinstance(stmt, Move), "only moves overrun"
    name = f"{stmt.src.buffer.name}_tile"
    while name in taken:
        name += "_"
    taken.add(name)
    layout = Layout(LayoutKind.NZ, FRACTAL_ROWS)
    tile = Buffer(name, Memory.UB, stmt.dst.buffer.dtype, stmt.src.shape, layout, stmt.loc)
    middle = whole(tile, stmt.loc)
    return (Alloc(tile, stmt.loc), replace(stmt, dst=middle), replace(stmt, src=middle))
