"""Programs that make no sense get messages and no crash: the text form lets one write anything."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verify.writing import alloc, program
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.expression import (
    Binary,
    BinaryOp,
    Cast,
    Comparison,
    ComparisonOp,
    IndexValue,
    Literal,
    Load,
    LogicNot,
    Position,
    Unary,
    UnaryOp,
    Where,
)
from tilelang.ir.nodes import (
    Alloc,
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
    Stmt,
    Window,
)
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, identity, whole
from tilelang.layouts import LayoutKind, layout_for
from tilelang.machines import find_machine, machine_names
from tilelang.passes.infer_layouts import infer_layouts
from tilelang.passes.legalise import legalise
from tilelang.verify import verify

variables = st.sampled_from("ikz").map(ix.variable)
numbers = st.sampled_from([-1, 0, 1, 8, 16, 32]).map(ix.constant)
sums = st.builds(ix.add, st.builds(ix.scale, variables, st.sampled_from([-1, 1, 16])), numbers)
indices = st.one_of(numbers, sums, st.builds(ix.modulo, sums, st.sampled_from([1, 2, 3])))


@st.composite
def buffers(draw: st.DrawFn) -> Buffer:
    dtype, kind = draw(st.sampled_from(DType)), draw(st.sampled_from(LayoutKind))
    shape = draw(st.lists(st.sampled_from([0, 1, 3, 16, 17, 32]), max_size=4))
    return Buffer(
        "unnamed", draw(st.sampled_from(Memory)), dtype, tuple(shape), layout_for(kind, dtype)
    )


@st.composite
def regions(draw: st.DrawFn, choices: list[Buffer]) -> Region:
    """Draw a region that need not fit its buffer at all."""
    buffer = draw(st.sampled_from(choices))
    axes = draw(st.permutations(range(buffer.rank)))
    pairs = Permute((tuple(axes[:2]), *((axis,) for axis in axes[2:])))
    turned = Permute(tuple((axis,) for axis in reversed(range(buffer.rank))))
    views = [identity(buffer.rank), turned, AsMatrix(), *([pairs] if axes else [])]
    view = draw(st.sampled_from(views))
    n_axes = 2 if view == AsMatrix() else len(getattr(view, "groups", ()))
    n_axes += draw(st.sampled_from([0, 0, 0, 0, 1]))
    start = tuple(draw(indices) for _ in range(n_axes))
    step = tuple(draw(st.integers(0, 2)) for _ in range(n_axes))
    extent = tuple(draw(st.sampled_from([None, -1, 0, 1, 16, 32])) for _ in range(n_axes))
    some = Region(buffer, view, start, step, extent)
    return draw(st.sampled_from([some, whole(buffer)]))


def expressions(choices: list[Buffer]):
    dtypes = st.sampled_from(DType)
    leaves = st.one_of(
        st.builds(Load, regions(choices)),
        st.builds(Literal, st.sampled_from([0, 0.5, True, float("nan"), 1e300]), dtypes),
        st.builds(IndexValue, indices),
        st.builds(Position, st.integers(-1, 3)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Unary, st.sampled_from(UnaryOp), inner),
            st.builds(Binary, st.sampled_from(BinaryOp), inner, inner),
            st.builds(Comparison, st.sampled_from(ComparisonOp), inner, inner),
            st.builds(Where, inner, inner, inner),
            st.builds(LogicNot, inner),
            st.builds(Cast, inner, dtypes),
        ),
        max_leaves=4,
    )


def statements(choices: list[Buffer]):
    some, pads = regions(choices), st.sampled_from([0, 0.5, float("-inf")])
    conditions = st.one_of(st.builds(cond.less, indices, indices), st.just(cond.TRUE))
    sizes = st.sampled_from([0, 1, 3])
    windows = st.builds(Window, st.tuples(sizes, sizes), st.tuples(sizes, sizes))
    simple = st.one_of(
        st.builds(Alloc, st.sampled_from(choices)),
        st.builds(Move, some, some, pads),
        st.builds(Img2col, some, some, windows, indices, indices),
        st.builds(Matmul, some, some, some, conditions),
        st.builds(Mmad, some, some, some, conditions),
        st.builds(Map, some, expressions(choices)),
        st.builds(Reduce, some, st.sampled_from(ReduceOp), some, st.integers(-1, 3)),
    )

    def nested(inner: st.SearchStrategy[Stmt]) -> st.SearchStrategy[Stmt]:
        bodies = st.lists(inner, max_size=2).map(tuple)
        kinds = st.sampled_from(LoopKind)
        loops = st.builds(Loop, st.sampled_from("ikz"), indices, kinds, st.integers(0, 2), bodies)
        return st.one_of(loops, st.builds(If, conditions, bodies, bodies))

    return st.recursive(simple, nested, max_leaves=4)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    drawn = draw(st.lists(buffers(), min_size=1, max_size=5))
    choices = [replace(buffer, name=name) for buffer, name in zip(drawn, "abcde", strict=False)]
    body = draw(st.lists(statements(choices), max_size=3))
    gm = [buffer for buffer in choices if buffer.memory is Memory.GM]
    tiles = [buffer for buffer in choices if buffer.memory is not Memory.GM]
    n_inputs = len(gm) // 2
    return program(
        *alloc(*tiles),
        *body,
        inputs=gm[:n_inputs],
        results=gm[n_inputs:],
        grid=(Core("i", draw(st.integers(-1, 3))),),
        tiles={"m_tile": 32},
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=programs(), machine=st.sampled_from(machine_names()))
def test_nonsense_gets_a_message_from_every_stage(made: Program, machine: str):
    chosen = find_machine(machine)
    names = frozenset("ace")
    said: list[str] = []
    for stage in (
        lambda: infer_layouts(made, names),
        lambda: legalise(made, chosen),
        lambda: verify(made, chosen),
    ):
        try:
            stage()
        except TileError as error:
            said += [str(error), *(diagnostic.code for diagnostic in error.diagnostics)]
    assert all(text.startswith(("E03", "error[E03")) for text in said)
