"""The statements of a stage's body, each written by the module that knows it."""

from typing import assert_never

from tilelang.backends.llvm.convolution.pixels import emit_zeros
from tilelang.backends.llvm.frame import Frame
from tilelang.backends.llvm.products.ahead import find_ahead
from tilelang.backends.llvm.products.cube import emit_mmad
from tilelang.backends.llvm.vectors.elements import emit_img2col, emit_move
from tilelang.backends.llvm.vectors.folds import Finish, Fold, with_pairs
from tilelang.backends.llvm.vectors.maps import emit_map
from tilelang.backends.llvm.vectors.reductions import emit_fold, emit_reduce
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
    for stmt in with_pairs(body):
        match stmt:
            case Fold():
                emit_fold(frame, stmt)
            case Finish(product, way_out):
                emit_mmad(frame, product, way_out)
            case _:
                _emit(frame, stmt)


def _emit(frame: Frame, stmt: Stmt) -> None:
    match stmt:
        case Alloc():
            _emit_alloc(frame, stmt)
        case Loop():
            _emit_loop(frame, stmt)
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


def _emit_alloc(frame: Frame, stmt: Alloc) -> None:
    """Clear the margins of a buffer that has some; every buffer has its place already."""
    if slab := frame.windows.slabs.get(stmt.buffer.name):
        emit_zeros(frame, frame.places[stmt.buffer.name].pointer, slab)


def _emit_loop(frame: Frame, stmt: Loop) -> None:
    before = frame.ahead
    with frame.loop(stmt.var, ix.ZERO, stmt.extent):
        frame.ahead = find_ahead(frame, stmt)
        emit_body(frame, stmt.body)
        frame.ahead = before


def _emit_if(frame: Frame, stmt: If) -> None:
    with frame.code.when(frame.condition(stmt.condition)):
        emit_body(frame, stmt.then)
    if stmt.otherwise:
        with frame.code.when(frame.condition(cond.negate(stmt.condition))):
            emit_body(frame, stmt.otherwise)
