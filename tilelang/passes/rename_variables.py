"""Give the variables of a body other names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import Expr, IndexValue, rewrite_expr
from tilelang.ir.index import Index
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
from tilelang.ir.region import Region
from tilelang.ir.walk import map_regions


def rename_variables(body: Body, names: Mapping[str, str]) -> Body:
    """Return `body` with the loops and indices of the variables in `names` called as there."""
    values = {old: ix.variable(new) for old, new in names.items()}
    return tuple(_renamed(stmt, names, values) for stmt in body)


def _renamed(stmt: Stmt, names: Mapping[str, str], values: Mapping[str, Index]) -> Stmt:
    stmt = map_regions(stmt, lambda region: _region(region, values))
    match stmt:
        case Alloc() | Move() | Reduce():
            return stmt
        case Loop(var, extent, body=body):
            return replace(
                stmt,
                var=names.get(var, var),
                extent=ix.substitute(extent, values),
                body=rename_variables(body, names),
            )
        case If(condition, then, otherwise):
            return replace(
                stmt,
                condition=cond.substitute(condition, values),
                then=rename_variables(then, names),
                otherwise=rename_variables(otherwise, names),
            )
        case Img2col(row=row, column=column):
            row, column = ix.substitute(row, values), ix.substitute(column, values)
            return replace(stmt, row=row, column=column)
        case Matmul(init=init) | Mmad(init=init):
            return replace(stmt, init=cond.substitute(init, values))
        case Map(expr=expr):
            return replace(stmt, expr=rewrite_expr(expr, lambda e: _expr(e, values)))
        case _:
            assert_never(stmt)


def _region(region: Region, values: Mapping[str, Index]) -> Region:
    start = tuple(ix.substitute(index, values) for index in region.start)
    return replace(region, start=start)


def _expr(expr: Expr, values: Mapping[str, Index]) -> Expr:
    if isinstance(expr, IndexValue):
        return replace(expr, index=ix.substitute(expr.index, values))
    return expr
