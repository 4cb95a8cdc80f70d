"""Hypothesis strategies of IR nodes as such: every form there is, whether or not it is legal."""

import math
from itertools import pairwise

from hypothesis import strategies as st

from tilelang.dtypes import ELEMENT_TYPES, DType
from tilelang.ir import condition as cond
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index
from tilelang.ir.nodes import (
    Alloc,
    Body,
    Core,
    If,
    Img2col,
    Loop,
    LoopKind,
    Map,
    Matmul,
    Mmad,
    Move,
    Program,
    Reduce,
    ReduceOp,
    Stage,
    Stmt,
    Window,
)
from tilelang.ir.region import (
    AsMatrix,
    Buffer,
    Memory,
    Permute,
    Region,
    View,
    identity,
    view_shape,
    whole,
)
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

Strategy = st.SearchStrategy

VARIABLES = ("i", "j", "chunks")
"""The variables of the grid that every statement is in; one is a word of the grammar."""

# Names that a user may choose and that mean something else elsewhere.
TENSORS = (
    Buffer(
        "a", Memory.GM, DType.FLOAT16, (2, 3, 5, 7), layout_for(LayoutKind.FRACTAL_Z, DType.FLOAT16)
    ),
    Buffer("T", Memory.GM, DType.INT8, (17, 0), layout_for(LayoutKind.NN, DType.INT8)),
    Buffer("inf", Memory.GM, DType.FLOAT32, (3,), ND),
    Buffer("kernel", Memory.GM, DType.UINT8, (), ND),
)
TILES = (
    Buffer(
        "b1",
        Memory.L1,
        DType.BFLOAT16,
        (4, 16, 1, 9),
        layout_for(LayoutKind.NC1HWC0, DType.BFLOAT16),
    ),
    Buffer(
        "cores", Memory.L0A, DType.FLOAT32, (2, 16, 15), layout_for(LayoutKind.ZZ, DType.FLOAT32)
    ),
    Buffer("tiles", Memory.L0B, DType.INT32, (31, 16), Layout(LayoutKind.ZN, 16)),
    Buffer("nan", Memory.L0C, DType.FLOAT32, (16, 16), Layout(LayoutKind.NZ, 16)),
    Buffer("exp", Memory.UB, DType.FLOAT16, (1, 33), Layout(LayoutKind.NZ, 16)),
    Buffer("float16", Memory.UB, DType.INT32, (4,), ND),
    Buffer("ü", Memory.UB, DType.BFLOAT16, (), ND),
    Buffer("i", Memory.UB, DType.UINT8, (1, 1, 1), ND),
)

numbers = st.integers(-9, 9) | st.sampled_from([16, 128, -64, 10**12])
special = st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e-30])
floats = special | st.floats(allow_nan=False)


def _larger_index(inner: Strategy[Index]) -> Strategy[Index]:
    divisors = st.integers(1, 64)
    return st.one_of(
        st.builds(ix.add, inner, inner),
        st.builds(ix.scale, inner, numbers),
        st.builds(ix.floor_div, inner, divisors),
        st.builds(ix.modulo, inner, divisors),
        st.builds(ix.minimum, inner, inner),
        st.builds(ix.maximum, inner, inner, inner),
    )


indices: Strategy[Index] = st.recursive(
    st.builds(ix.constant, numbers) | st.builds(ix.variable, st.sampled_from(VARIABLES)),
    _larger_index,
    max_leaves=6,
)


def _larger_condition(inner: Strategy[Condition]) -> Strategy[Condition]:
    return st.one_of(
        st.builds(cond.conjunction, inner, inner),
        st.builds(cond.disjunction, inner, inner, inner),
        st.builds(cond.negate, inner),
    )


conditions: Strategy[Condition] = st.recursive(
    st.sampled_from([cond.TRUE, cond.FALSE])
    | st.builds(cond.compare, st.sampled_from(cond.Relation), indices),
    _larger_condition,
    max_leaves=6,
)


@st.composite
def _groups(draw: st.DrawFn, rank: int) -> Permute:
    """Draw a view: the axes cut into runs of neighbours, in any order, perhaps with empty ones."""
    cuts = sorted(draw(st.sets(st.integers(1, max(rank - 1, 1)), max_size=rank)) | {0, rank})
    runs = [tuple(range(*pair)) for pair in pairwise(cuts)]
    empty: list[tuple[int, ...]] = draw(st.lists(st.just(()), max_size=1))
    return Permute(tuple(draw(st.permutations([run for run in runs if run] + empty))))


def _views(rank: int) -> Strategy[View]:
    weights: Strategy[View] = st.just(AsMatrix()) if rank == 4 else st.nothing()
    return st.just(identity(rank)) | _groups(rank) | weights


VIEWS = [_views(rank) for rank in range(5)]
AXES: Strategy[tuple[Index, int, int | None] | None] = st.one_of(
    st.none(),  # all of the axis
    st.tuples(indices, st.just(1), st.none()),
    st.tuples(indices, st.sampled_from([1, 2, -3]), st.integers(0, 40)),
)


@st.composite
def regions(draw: st.DrawFn, buffer: Buffer) -> Region:
    if draw(st.booleans()):
        return whole(buffer)
    view = draw(VIEWS[buffer.rank])
    axes = [draw(AXES) or (ix.ZERO, 1, size) for size in view_shape(buffer, view)]
    starts, steps, extents = zip(*axes, strict=True) if axes else ((), (), ())
    return Region(buffer, view, starts, steps, extents)


any_regions = st.one_of([regions(buffer) for buffer in (*TENSORS, *TILES)])


def _literals() -> Strategy[ex.Expr]:
    whole_numbers = st.sampled_from([DType.INT8, DType.UINT8, DType.INT32])
    fractions = st.sampled_from([DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32])
    return st.one_of(
        st.builds(ex.Literal, numbers, whole_numbers),
        st.builds(ex.Literal, floats | numbers, fractions),
        st.builds(ex.Literal, st.booleans(), st.just(DType.BOOL)),
    )


def _larger_expression(inner: Strategy[ex.Expr]) -> Strategy[ex.Expr]:
    dtypes = st.sampled_from(ELEMENT_TYPES)
    return st.one_of(
        st.builds(ex.Unary, st.sampled_from(ex.UnaryOp), inner),
        st.builds(ex.Binary, st.sampled_from(ex.BinaryOp), inner, inner),
        st.builds(ex.Comparison, st.sampled_from(ex.ComparisonOp), inner, inner),
        st.builds(ex.Logic, st.sampled_from(ex.LogicOp), inner, inner),
        st.builds(ex.LogicNot, inner),
        st.builds(ex.Where, inner, inner, inner),
        st.builds(ex.Cast, inner, dtypes, st.sampled_from(ex.Rounding)),
    )


# Trees of any operations, also where their dtypes do not agree.
expressions: Strategy[ex.Expr] = st.recursive(
    st.one_of(
        st.builds(ex.Load, any_regions),
        _literals(),
        st.builds(ex.IndexValue, indices),
        st.builds(ex.Position, st.integers(0, 3)),
    ),
    _larger_expression,
    max_leaves=8,
)


def _windows() -> Strategy[Window]:
    size, edge = st.integers(1, 5), st.integers(0, 3)
    pair = st.tuples(size, size)
    return st.builds(Window, pair, pair, pair, st.tuples(edge, edge, edge, edge))


statements: Strategy[Stmt] = st.one_of(
    st.builds(Move, any_regions, any_regions, floats | numbers),
    st.builds(Img2col, any_regions, any_regions, _windows(), indices, indices),
    st.builds(Matmul, any_regions, any_regions, any_regions, conditions),
    st.builds(Mmad, any_regions, any_regions, any_regions, conditions),
    st.builds(Map, any_regions, expressions),
    st.builds(Reduce, any_regions, st.sampled_from(ReduceOp), any_regions, st.integers(0, 3)),
)


def _compound(inner: Strategy[Body], depth: int) -> Strategy[Body]:
    """Draw a body that holds others; a loop variable is named after how deep it is."""
    branch = st.builds(If, conditions, inner, inner)
    kinds, counts = st.sampled_from(LoopKind), st.integers(1, 3)
    loop = st.builds(Loop, st.just(f"k{depth}"), indices, kinds, counts, inner)
    return st.lists(statements | branch | loop, max_size=2).map(tuple)


bodies = _compound(_compound(st.lists(statements, max_size=2).map(tuple), 1), 2)


@st.composite
def any_programs(draw: st.DrawFn) -> Program:
    """Draw a program of any nodes; only its names are right."""
    n_inputs, n_results = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    results = TENSORS[n_inputs : n_inputs + n_results]
    workspaces = TENSORS[n_inputs + n_results :]
    cores = tuple(Core(var, draw(st.integers(0, 9))) for var in VARIABLES)
    names = st.sampled_from(["m_tile", "relu", "for_"])
    settings = st.dictionaries(names, numbers | st.floats(allow_nan=False))
    tiles = st.dictionaries(names, numbers)
    return Program(
        draw(st.sampled_from(["gemm", "kernel", "tiles"])),
        TENSORS[:n_inputs],
        results,
        tuple(draw(settings).items()),
        tuple(draw(tiles).items()),
        (*map(Alloc, workspaces), Stage((), ()), Stage(cores, (*map(Alloc, TILES), *draw(bodies)))),
    )
