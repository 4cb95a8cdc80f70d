"""The statements of a stage's body, each written by the module that knows it."""

from typing import assert_never

from tilelang.backends.llvm.cube import emit_mmad
from tilelang.backends.llvm.elements import emit_img2col, emit_map, emit_move
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.reductions import emit_reduce
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Reduce,
    Stmt,
)


def emit_body(frame: Frame, body: Body) -> None:
    """Write the statements of `body` in order."""
    for stmt in body:
        _emit(frame, stmt)


def _emit(frame: Frame, stmt: Stmt) -> None:
    match stmt:
        case Alloc():
            pass  # every buffer has its place already
        case Loop():
            with frame.loop(stmt.var, ix.ZERO, stmt.extent):
                emit_body(frame, stmt.body)
        case If():
            _emit_if(frame, stmt)
        case Move():
            emit_move(frame, stmt)
        case Img2col():
            emit_img2col(frame, stmt)
        case Mmad():
            emit_mmad(frame, stmt)
        case Map():
            emit_map(frame, stmt)
        case Reduce():
            emit_reduce(frame, stmt)
        case Matmul():
            raise AssertionError("expand_matmul left a Matmul")
        case _:
            assert_never(stmt)


def _emit_if(frame: Frame, stmt: If) -> None:
    with frame.code.when(frame.condition(stmt.condition)):
        emit_body(frame, stmt.then)
    if stmt.otherwise:
        with frame.code.when(frame.condition(cond.negate(stmt.condition))):
            emit_body(frame, stmt.otherwise)
