"""Moves, by their two memories."""

from tilelang.backends.tik.instructions import Scope
from tilelang.backends.tik.lower.boxes import box_of
from tilelang.backends.tik.lower.copies import copy
from tilelang.backends.tik.lower.cube import load_operand, move_accumulator
from tilelang.backends.tik.lower.forms import Form
from tilelang.backends.tik.lower.loads import load
from tilelang.backends.tik.lower.refusals import refusal
from tilelang.backends.tik.lower.stores import store
from tilelang.backends.tik.lower.turns import fits_turn, is_turned, turn
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir.nodes import Move


def move(writer: Writer, stmt: Move, dst: Form, src: Form, machine: str) -> None:
    """Write `stmt`, a move between tiles of the forms `dst` and `src`.

    Raises:
        TileError: E123x for what the chip's moves cannot do.
    """
    if src.scope is Scope.GM and dst.scope in (Scope.L1, Scope.UB):
        load(writer, stmt, dst, src)
    elif dst.scope is Scope.GM:
        store(writer, stmt, dst, src)
    elif src.scope.is_accumulator or dst.scope.is_accumulator:
        move_accumulator(writer, stmt, dst, src)
    elif dst.scope in (Scope.L0A, Scope.L0B):
        if src.scope is not Scope.L1:
            raise _not_through_l1(writer, stmt)
        load_operand(writer, stmt, dst, src, machine)
    else:
        _move_on_chip(writer, stmt, dst, src, machine)


def _move_on_chip(writer: Writer, stmt: Move, dst: Form, src: Form, machine: str) -> None:
    target = box_of(stmt.dst, dst, writer)
    source = box_of(stmt.src, src, writer)
    if dst.is_spread != src.is_spread:
        raise refusal(
            "E1236",
            f"`{src.buffer.name}` ({src.buffer}) and `{dst.buffer.name}` ({dst.buffer}) are moved "
            "between UB and L1, or turn a column into a row",
            writer.loc,
            "store the column to workspace of `tl.alloc_gm`, and load it in a second stage",
            src.buffer,
            dst.buffer,
        )
    if is_turned(target, source) and fits_turn(target, machine):
        turn(writer, target, source, machine)
    else:
        copy(writer, target, source)


def _not_through_l1(writer: Writer, stmt: Move) -> Exception:
    return refusal(
        "E1240",
        f"`{stmt.src.buffer.name}` goes from {stmt.src.buffer.memory} to "
        f"{stmt.dst.buffer.memory} at once; the lowering loads operands of the cube from L1",
        writer.loc,
        "move the tile into a buffer of `tl.alloc_l1`, and that to L0",
        stmt.src.buffer,
        stmt.dst.buffer,
    )
