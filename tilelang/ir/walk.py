"""Going through the statements of a program, and rebuilding it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never

from tilelang.ir.expression import Load, loads, rewrite_expr
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
    Program,
    Reduce,
    Stage,
    Stmt,
)
from tilelang.ir.region import Region


def walk(body: Body) -> Iterator[Stmt]:
    """Yield every statement of `body` in order, a loop or an `If` before what it holds."""
    for stmt in body:
        yield stmt
        match stmt:
            case Loop():
                yield from walk(stmt.body)
            case If():
                yield from walk(stmt.then)
                yield from walk(stmt.otherwise)
            case _:
                pass


def walk_program(program: Program) -> Iterator[Stmt]:
    """Yield every statement of every stage, and the workspace allocations between them."""
    for part in program.body:
        match part:
            case Alloc():
                yield part
            case Stage():
                yield from walk(part.body)
            case _:
                assert_never(part)


def names(program: Program) -> Iterator[str]:
    """Yield every name that `program` has: tensors, tiles, variables."""
    yield from (buffer.name for buffer in (*program.inputs, *program.results))
    for stage in program.stages:
        yield from (core.var for core in stage.grid)
    for stmt in walk_program(program):
        if isinstance(stmt, Alloc):
            yield stmt.buffer.name
        elif isinstance(stmt, Loop):
            yield stmt.var


def reads(stmt: Stmt) -> tuple[Region, ...]:
    """Return the regions that `stmt` itself reads (`dst` too where it accumulates)."""
    match stmt:
        case Alloc() | Loop() | If():
            return ()
        case Move(_, src) | Img2col(_, src) | Reduce(_, _, src):
            return (src,)
        case Matmul(dst, a, b) | Mmad(dst, a, b):
            return (dst, a, b)
        case Map(_, expr):
            return tuple(loads(expr))
        case _:
            assert_never(stmt)


def written(stmt: Stmt) -> Region | None:
    """Return the region that `stmt` itself writes, if it writes one."""
    match stmt:
        case Alloc() | Loop() | If():
            return None
        case Move() | Img2col() | Reduce() | Matmul() | Mmad() | Map():
            return stmt.dst
        case _:
            assert_never(stmt)


def rewrite(body: Body, change: Callable[[Stmt], Body]) -> Body:
    """Return `body` with each statement replaced by `change` of it, innermost bodies first."""
    return tuple(new for stmt in body for new in change(_rewrite_inside(stmt, change)))


def rewrite_program(program: Program, change: Callable[[Stmt], Body]) -> Program:
    """Return `program` with `change` applied to every statement of every stage."""
    body = tuple(
        replace(part, body=rewrite(part.body, change)) if isinstance(part, Stage) else part
        for part in program.body
    )
    return replace(program, body=body)


def map_regions(stmt: Stmt, change: Callable[[Region], Region]) -> Stmt:
    """Return `stmt` with `change` applied to every region it reads or writes itself."""
    match stmt:
        case Alloc() | Loop() | If():
            return stmt
        case Move() | Img2col() | Reduce():
            return replace(stmt, dst=change(stmt.dst), src=change(stmt.src))
        case Matmul() | Mmad():
            return replace(stmt, dst=change(stmt.dst), a=change(stmt.a), b=change(stmt.b))
        case Map():
            expr = rewrite_expr(
                stmt.expr,
                lambda e: replace(e, region=change(e.region)) if isinstance(e, Load) else e,
            )
            return replace(stmt, dst=change(stmt.dst), expr=expr)
        case _:
            assert_never(stmt)


def _rewrite_inside(stmt: Stmt, change: Callable[[Stmt], Body]) -> Stmt:
    match stmt:
        case Loop():
            return replace(stmt, body=rewrite(stmt.body, change))
        case If():
            then, otherwise = rewrite(stmt.then, change), rewrite(stmt.otherwise, change)
            return replace(stmt, then=then, otherwise=otherwise)
        case _:
            return stmt
