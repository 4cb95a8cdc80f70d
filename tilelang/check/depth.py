"""How many terms the sums of a program have, and how many statements it executes."""

from collections.abc import Iterator
from math import prod
from typing import assert_never

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
)


def sum_depth(program: Program) -> int:
    """Return the most terms that any product or reduction of `program` adds into one element."""
    return max([1, *_depths(program, with_reductions=True)])


def product_depth(program: Program) -> int:
    """Return the most products that `program` adds into one element."""
    return max([1, *_depths(program, with_reductions=False)])


def _depths(program: Program, *, with_reductions: bool) -> Iterator[int]:
    for stage in program.stages:
        for is_product, depth in _found(stage.body, 1):
            if is_product or with_reductions:
                yield depth


def _found(body: Body, trips: int) -> Iterator[tuple[bool, int]]:
    """Yield for each sum whether it is of products, and how many terms it has."""
    for stmt in body:
        match stmt:
            case Loop():
                extent = stmt.extent.constant if stmt.extent.is_constant else 1
                yield from _found(stmt.body, trips * max(extent, 1))
            case If():
                yield from _found((*stmt.then, *stmt.otherwise), trips)
            case Matmul() | Mmad():
                yield True, trips * stmt.a.shape[-1]
            case Reduce():
                yield False, trips * stmt.src.shape[stmt.axis]
            case Alloc() | Move() | Img2col() | Map():
                pass
            case _:
                assert_never(stmt)


def n_steps(program: Program) -> int:
    """Return how many statements `program` executes at most, all cores together."""
    return sum(
        prod(core.extent for core in stage.grid) * _n_steps(stage.body) for stage in program.stages
    )


def _n_steps(body: Body) -> int:
    total = 0
    for stmt in body:
        match stmt:
            case Loop():
                extent = stmt.extent.constant if stmt.extent.is_constant else 1
                total += max(extent, 0) * _n_steps(stmt.body)
            case If():
                total += max(_n_steps(stmt.then), _n_steps(stmt.otherwise))
            case _:
                total += 1
    return total
