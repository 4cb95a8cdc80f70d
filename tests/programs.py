"""A hypothesis strategy of small programs that keep every rule on `host`, and on `ascend910` too.

Each is one to three stages, drawn from five kinds (see `STAGES`); a stage reads inputs or what an
earlier stage left in workspace. Every program can be run: it reads nothing undefined, has no races,
and writes every element of its results. Sizes are awkward (1, 15, 16, 17, 0 now and then), so most
tiles hang over.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, assert_never

from hypothesis import strategies as st

from tilelang.dtypes import DType, accumulator
from tilelang.ir import condition as cond
from tilelang.ir import expression as ex
from tilelang.ir import index as ix
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
from tilelang.ir.region import AsMatrix, Buffer, Memory, Permute, Region, View, identity, whole
from tilelang.layouts import ND, Layout, LayoutKind, layout_for

ACCUMULATOR = Layout(LayoutKind.NZ, 16)
VECTOR_DTYPES = (DType.FLOAT16, DType.FLOAT32, DType.INT32)
CUBE_DTYPES = (DType.FLOAT16, DType.INT8)

SIZES = st.sampled_from([1, 3, 15, 16, 17, 31, 33])
"""Sizes of tensors."""

Draw: TypeAlias = st.DrawFn
Place: TypeAlias = tuple[Index, ...]
Shape: TypeAlias = tuple[int, ...]


@dataclass
class Plan:
    """A program while it is drawn."""

    inputs: list[Buffer] = field(default_factory=list[Buffer])
    results: list[Buffer] = field(default_factory=list[Buffer])
    body: list[Alloc | Stage] = field(default_factory=list[Alloc | Stage])
    workspaces: list[Buffer] = field(default_factory=list[Buffer])
    """Matrices in GM that earlier stages filled."""
    n_names: dict[str, int] = field(default_factory=dict[str, int])
    vector_dtypes: tuple[DType, ...] = VECTOR_DTYPES
    cube_dtypes: tuple[DType, ...] = CUBE_DTYPES

    def name(self, stem: str) -> str:
        """Return a name that is not in use: `x`, `x_1`, ..."""
        count = self.n_names.get(stem, 0)
        self.n_names[stem] = count + 1
        return f"{stem}_{count}" if count else stem

    def input(self, shape: tuple[int, ...], dtype: DType, layout: Layout = ND) -> Buffer:
        """Return a new input."""
        self.inputs.append(Buffer(self.name("x"), Memory.GM, dtype, shape, layout))
        return self.inputs[-1]

    def output(self, draw: Draw, shape: tuple[int, ...], dtype: DType, *, last: bool) -> Buffer:
        """Return what a stage writes: a result, or workspace unless it is the last stage."""
        if last or draw(st.booleans()):
            self.results.append(Buffer(self.name("y"), Memory.GM, dtype, shape, ND))
            return self.results[-1]
        self.workspaces.append(Buffer(self.name("w"), Memory.GM, dtype, shape, ND))
        self.body.append(Alloc(self.workspaces[-1]))
        return self.workspaces[-1]

    def tile(self, memory: Memory, shape: tuple[int, ...], dtype: DType) -> Buffer:
        """Return a new tile in the layout that its memory has."""
        return Buffer(self.name(memory.value), memory, dtype, shape, _layout(memory, dtype))


@st.composite
def programs(draw: Draw, *, is_wide: bool = False) -> Program:
    """Draw a program; a wide one has bfloat16 too, and float32 products, which `host` alone has."""
    plan = Plan()
    if is_wide:
        plan.vector_dtypes = (*VECTOR_DTYPES, DType.BFLOAT16)
        plan.cube_dtypes = (*CUBE_DTYPES, DType.BFLOAT16, DType.FLOAT32)
    n_stages = draw(st.integers(1, 3))
    for number in range(n_stages):
        stage = draw(st.sampled_from(STAGES))
        stage(draw, plan, number == n_stages - 1)
    tiles = draw(st.dictionaries(st.sampled_from(["m_tile", "n_tile"]), st.integers(1, 256)))
    attributes = draw(st.dictionaries(st.sampled_from(["stride", "relu"]), st.integers(-1, 2)))
    return Program(
        draw(st.sampled_from(["gemm", "kernel", "f_1"])),
        tuple(plan.inputs),
        tuple(plan.results),
        tuple(attributes.items()),
        tuple(tiles.items()),
        tuple(plan.body),
    )


# Stages ----------------------------------------------------------------------------------------


def _map_stage(draw: Draw, plan: Plan, last: bool) -> None:
    """`y = f(x, row)`, tile by tile; `row` is broadcast along the rows."""
    shape, dtype, read = _seen(draw, plan)
    row = plan.input((1, shape[1]), dtype)
    y = plan.output(draw, shape, dtype, last=last)
    rows, columns = draw(st.sampled_from([1, 8, 16])), draw(st.sampled_from([16, 32]))
    i, j = ix.variable(plan.name("i")), ix.variable(plan.name("j"))
    tile, side, out = (plan.tile(Memory.UB, (n, columns), dtype) for n in (rows, 1, rows))
    place = ix.scale(i, rows), ix.scale(j, columns)
    leaves = [ex.Load(whole(tile)), ex.Load(whole(side)), *_indices(dtype, i)]
    target = tile if draw(st.booleans()) else out
    body: Body = (
        *(Alloc(buffer) for buffer in dict.fromkeys((tile, side, target))),
        Move(whole(tile), read(place, tile.shape), draw(_pads(dtype))),
        Move(whole(side), box(row, (ix.ZERO, place[1]), side.shape)),
        Map(whole(target), draw(expressions(dtype, leaves))),
        Move(box(y, place, tile.shape), whole(target)),
    )
    extents = (-(-shape[0] // rows), -(-shape[1] // columns))
    plan.body.append(draw(_nest((i, j), extents, body)))


def _reduce_stage(draw: Draw, plan: Plan, last: bool) -> None:
    """`y[i] = reduce(x[i, :])`, or along the other axis: what hangs over is the identity."""
    x = _matrix(draw, plan)
    op = draw(st.sampled_from(ReduceOp))
    axis = draw(st.integers(0, 1))
    rows = 16
    view = identity(2) if axis == 1 else Permute(((1,), (0,)))
    n_kept, n_reduced = (x.shape[0], x.shape[1]) if axis == 1 else (x.shape[1], x.shape[0])
    width = -(-max(n_reduced, 1) // 16) * 16
    dtype = accumulator(x.dtype) if op is ReduceOp.SUM else x.dtype
    y = plan.output(draw, (n_kept, 1), dtype, last=last)
    i = ix.variable(plan.name("i"))
    tile = plan.tile(Memory.UB, (rows, width), x.dtype)
    out = plan.tile(Memory.UB, (rows, 1), dtype)
    place = (ix.scale(i, rows), ix.ZERO)
    body: Body = (
        Alloc(tile),
        Alloc(out),
        Move(whole(tile), box(x, place, tile.shape, view), _identity(op, x.dtype)),
        Reduce(whole(out), op, whole(tile), 1),
        Move(box(y, place, out.shape), whole(out)),
    )
    plan.body.append(draw(_nest((i,), (-(-n_kept // rows),), body)))


def _recurrence_stage(draw: Draw, plan: Plan, last: bool) -> None:
    """`h[t] = f(h[t - 1], x[t])` with the state in one of two places in turn."""
    x = _matrix(draw, plan)
    y = plan.output(draw, x.shape, x.dtype, last=last)
    columns = draw(st.sampled_from([16, 32]))
    j, t = ix.variable(plan.name("j")), ix.variable(plan.name("t"))
    state = plan.tile(Memory.UB, (2, 1, columns), x.dtype)
    step = plan.tile(Memory.UB, (1, columns), x.dtype)
    now, before = ix.modulo(t, 2), ix.modulo(ix.add(t, ix.constant(1)), 2)
    place = (t, ix.scale(j, columns))
    leaves: list[ex.Expr] = [ex.Load(whole(step)), ex.Load(point(state, before))]
    update = Map(point(state, now), draw(expressions(x.dtype, leaves)))
    start: Body = (Map(point(state, now), ex.Load(whole(step))),)
    first = cond.less(t, ix.constant(1)) if draw(st.booleans()) else cond.equal(t, ix.ZERO)
    choice = If(first, start, draw(_alternatives(t, update)))
    body: Body = (
        Alloc(step),
        Move(whole(step), box(x, place, step.shape)),
        choice,
        Move(box(y, place, step.shape), point(state, now)),
    )
    loop = Loop(_name(t), ix.constant(x.shape[0]), LoopKind.SERIAL, draw(STAGE_COUNTS), body)
    grid = (Core(_name(j), -(-x.shape[1] // columns)),)
    plan.body.append(Stage(grid, (Alloc(state), loop)))


def _matmul_stage(draw: Draw, plan: Plan, last: bool) -> None:
    """`c = f(a @ b)`, a tile a core, with the loads of L0 written out or left to a pass."""
    dtype = draw(st.sampled_from(plan.cube_dtypes))
    m, n, k = (draw(SIZES) for _ in range(3))
    m_tile, n_tile = draw(st.sampled_from([16, 32])), 32
    k_tile = draw(st.sampled_from([32, 64]))
    # Into L0B [k, n] must be transposed, which ascend910 does with float16 only.
    is_transposed = dtype is DType.INT8 or draw(st.booleans())
    a = plan.input((m, k), dtype)
    b = plan.input((n, k) if is_transposed else (k, n), dtype)
    i, j, step = (ix.variable(plan.name(stem)) for stem in ("i", "j", "k"))
    acc = plan.tile(Memory.L0C, (m_tile, n_tile), accumulator(dtype))
    a1 = plan.tile(Memory.L1, (m_tile, k_tile), dtype)
    b1 = plan.tile(Memory.L1, (n_tile, k_tile) if is_transposed else (k_tile, n_tile), dtype)
    row, inner, column = ix.scale(i, m_tile), ix.scale(step, k_tile), ix.scale(j, n_tile)
    b_place = (column, inner) if is_transposed else (inner, column)
    b_view = Permute(((1,), (0,))) if is_transposed else identity(2)
    b_tile = box(b1, (ix.ZERO, ix.ZERO), (k_tile, n_tile), b_view)
    init = cond.equal(step, ix.ZERO)
    loads: Body = (
        Alloc(a1),
        Alloc(b1),
        Move(whole(a1), box(a, (row, inner), a1.shape)),
        Move(whole(b1), box(b, b_place, b1.shape)),
    )
    product = draw(st.sampled_from([_whole_product, _loaded_product]))
    inside = (*loads, *product(plan, whole(acc), whole(a1), b_tile, init))
    extent = ix.constant(-(-k // k_tile))
    loop = Loop(_name(step), extent, LoopKind.SERIAL, draw(STAGE_COUNTS), inside)
    c = plan.output(draw, (m, n), acc.dtype, last=last)
    body: Body = (Alloc(acc), loop, *_epilogue(draw, plan, acc, c, (row, column)))
    plan.body.append(draw(_nest((i, j), (-(-m // m_tile), -(-n // n_tile)), body)))


def _convolution_stage(draw: Draw, plan: Plan, last: bool) -> None:
    """`y = img2col(x) @ weights` of one image in NC1HWC0."""
    height, width = draw(st.integers(3, 9)), draw(st.integers(3, 9))
    channels, n_out = draw(st.sampled_from([1, 16, 17])), 16
    window = Window(
        (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        (draw(st.integers(1, 2)), 1),
        (1, draw(st.integers(1, 2)) if width > 4 else 1),
        draw(st.sampled_from([(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 1)])),
    )
    dtype, kernel = DType.FLOAT16, window.kernel
    x_layout, w_layout = (
        layout_for(LayoutKind.NC1HWC0, dtype),
        layout_for(LayoutKind.FRACTAL_Z, dtype),
    )
    x = plan.input((channels, height, width), dtype, x_layout)
    w = plan.input((n_out, channels, *kernel), dtype, w_layout)
    n_rows = math.prod(window.output(height, width))
    depth = -(-channels // dtype.k0) * math.prod(kernel) * dtype.k0
    x1, w1 = (
        Buffer(plan.name("l1"), Memory.L1, dtype, source.shape, source.layout) for source in (x, w)
    )
    a0 = plan.tile(Memory.L0A, (16, depth), dtype)
    b0 = plan.tile(Memory.L0B, (depth, n_out), dtype)
    acc = plan.tile(Memory.L0C, (16, n_out), DType.FLOAT32)
    i = ix.variable(plan.name("i"))
    row = ix.scale(i, 16)
    weights = box(w1, (ix.ZERO, ix.ZERO), b0.shape, AsMatrix())
    y = plan.output(draw, (n_rows, n_out), DType.FLOAT32, last=last)
    body: Body = (
        *(Alloc(buffer) for buffer in (x1, w1, a0, b0, acc)),
        Move(whole(x1), whole(x)),
        Move(whole(w1), whole(w)),
        Move(whole(b0), weights),
        Img2col(whole(a0), whole(x1), window, row, ix.ZERO),
        Mmad(whole(acc), whole(a0), whole(b0), cond.TRUE),
        *_epilogue(draw, plan, acc, y, (row, ix.ZERO)),
    )
    plan.body.append(draw(_nest((i,), (-(-n_rows // 16),), body)))


# Statements of several stages --------------------------------------------------------------------


def _whole_product(
    plan: Plan, acc: Region, a: Region, b: Region, init: cond.Condition
) -> Iterator[Stmt]:
    yield Matmul(acc, a, b, init)


def _loaded_product(
    plan: Plan, acc: Region, a: Region, b: Region, init: cond.Condition
) -> Iterator[Stmt]:
    a0 = plan.tile(Memory.L0A, a.shape, a.buffer.dtype)
    b0 = plan.tile(Memory.L0B, b.shape, b.buffer.dtype)
    yield from (Alloc(a0), Alloc(b0), Move(whole(a0), a), Move(whole(b0), b))
    yield Mmad(acc, whole(a0), whole(b0), init)


def _epilogue(draw: Draw, plan: Plan, acc: Buffer, c: Buffer, place: Place) -> Body:
    """Take an accumulator to GM, whole or in chunks of rows, perhaps through a map."""
    rows, columns = acc.shape
    if draw(st.booleans()):
        return tuple(_store(draw, plan, whole(acc), c, place))
    r = ix.variable(plan.name("r"))
    part = box(acc, (ix.scale(r, 16), ix.ZERO), (16, columns))
    row, column = ix.add(place[0], ix.scale(r, 16)), place[1]
    body = tuple(_store(draw, plan, part, c, (row, column)))
    return (Loop(_name(r), ix.constant(rows // 16), LoopKind.CHUNKS, 1, body),)


def _store(draw: Draw, plan: Plan, acc: Region, c: Buffer, place: Place) -> Iterator[Stmt]:
    out = Buffer(plan.name("ub"), Memory.UB, c.dtype, acc.shape, ACCUMULATOR)
    yield Alloc(out)
    yield Move(whole(out), acc)
    if draw(st.booleans()):
        yield Map(whole(out), draw(expressions(c.dtype, [ex.Load(whole(out))])))
    yield Move(box(c, place, out.shape), whole(out))


@st.composite
def _nest(draw: Draw, variables: tuple[Index, ...], extents: tuple[int, ...], body: Body) -> Stage:
    """Run `body` for all values: the first variables on cores, the rest in serial loops."""
    n_cores = draw(st.integers(0, len(variables)))
    pairs = list(zip(map(_name, variables), extents, strict=True))
    for var, extent in reversed(pairs[n_cores:]):
        count = draw(STAGE_COUNTS)
        body = (Loop(var, ix.constant(extent), LoopKind.SERIAL, count, body),)
    return Stage(tuple(Core(var, extent) for var, extent in pairs[:n_cores]), body)


@st.composite
def _alternatives(draw: Draw, t: Index, update: Map) -> Body:
    """Do `update`, either way of an `if`."""
    if draw(st.booleans()):
        return (update,)
    odd = cond.equal(ix.modulo(t, 2), ix.constant(1))
    late = cond.negate(cond.less_equal(t, ix.maximum(ix.floor_div(t, 3), ix.constant(2))))
    test = draw(
        st.sampled_from([odd, late, cond.conjunction(odd, late), cond.disjunction(odd, late)])
    )
    return (If(test, (update,), (If(cond.negate(test), (update,), ()),)),)


# Pieces ----------------------------------------------------------------------------------------


def box(buffer: Buffer, start: Place, extent: Shape, view: View | None = None) -> Region:
    """Return the region of `extent` elements from `start`."""
    steps = (1,) * len(start)
    return Region(buffer, view or identity(buffer.rank), start, steps, extent)


def point(buffer: Buffer, index: Index) -> Region:
    """Return one of an array of tiles."""
    n_rest = buffer.rank - 1
    start, steps = (index, *(ix.ZERO,) * n_rest), (1,) * buffer.rank
    return Region(buffer, identity(buffer.rank), start, steps, (None, *buffer.shape[1:]))


def expressions(dtype: DType, leaves: Sequence[ex.Expr]) -> st.SearchStrategy[ex.Expr]:
    """Draw an expression of `dtype` from `leaves`, which have that dtype, and some literals."""
    given = st.sampled_from(list(leaves))
    return st.recursive(
        given | given | _literals(dtype),
        lambda inner: st.one_of(
            st.builds(ex.Unary, st.sampled_from(_unary_operations(dtype)), inner),
            st.builds(ex.Binary, st.sampled_from(_binary_operations(dtype)), inner, inner),
            st.builds(ex.Where, _masks(inner), inner, inner),
            st.builds(ex.Cast, _casts(inner), st.just(dtype), st.sampled_from(ex.Rounding)),
        ),
        max_leaves=6,
    )


def _masks(inner: st.SearchStrategy[ex.Expr]) -> st.SearchStrategy[ex.Expr]:
    comparisons = st.builds(ex.Comparison, st.sampled_from(ex.ComparisonOp), inner, inner)
    return st.one_of(
        comparisons,
        st.builds(ex.LogicNot, comparisons),
        st.builds(ex.Logic, st.sampled_from(ex.LogicOp), comparisons, comparisons),
    )


def _casts(inner: st.SearchStrategy[ex.Expr]) -> st.SearchStrategy[ex.Expr]:
    return st.builds(ex.Cast, inner, st.sampled_from(VECTOR_DTYPES))


def _unary_operations(dtype: DType) -> list[ex.UnaryOp]:
    return [op for op in ex.UnaryOp if dtype.is_float or op not in ex.FLOAT_ONLY]


def _binary_operations(dtype: DType) -> list[ex.BinaryOp]:
    return [op for op in ex.BinaryOp if dtype.is_float or op is not ex.BinaryOp.DIVIDE]


def _literals(dtype: DType) -> st.SearchStrategy[ex.Expr]:
    values = [0.0, -0.0, 1.0, -1.5, 0.25] if dtype.is_float else [0, 1, -3, 7]
    return st.builds(ex.Literal, st.sampled_from(values), st.just(dtype))


def _pads(dtype: DType) -> st.SearchStrategy[int | float]:
    return st.sampled_from([0, 1, -1.0, math.inf, -math.inf] if dtype.is_float else [0, 1, -7])


def _identity(op: ReduceOp, dtype: DType) -> int | float:
    """Return what does not change a reduction; of integers, the end of the range."""
    if op is ReduceOp.SUM:
        return 0
    sign = -1 if op is ReduceOp.MAX else 1
    if dtype.is_float:
        return sign * math.inf
    return -(2**31) if op is ReduceOp.MAX else 2**31 - 1


def _indices(dtype: DType, i: Index) -> list[ex.Expr]:
    numbers = (ex.IndexValue(i), ex.Position(0), ex.Position(1))
    return [x if dtype is DType.INT32 else ex.Cast(x, dtype) for x in numbers]


def _seen(draw: Draw, plan: Plan) -> tuple[Shape, DType, Callable[[Place, Shape], Region]]:
    """Return a matrix that is seen in one of several ways, and how to read a box of it."""
    way = draw(st.sampled_from(["as it is", "transposed", "merged", "a slice", "every other row"]))
    dtype, m, n = draw(st.sampled_from(plan.vector_dtypes)), draw(SIZES), draw(SIZES)
    match way:
        case "transposed":
            x, view = plan.input((n, m), dtype), Permute(((1,), (0,)))
            return (m, n), dtype, lambda place, extent: box(x, place, extent, view)
        case "merged":
            x, view = plan.input((2, m, n), dtype), Permute(((0, 1), (2,)))
            return (2 * m, n), dtype, lambda place, extent: box(x, place, extent, view)
        case "a slice":
            x = plan.input((m, 3, n), dtype)
            return (m, n), dtype, partial(_slice, x)
        case "every other row":
            x = plan.input((2 * m, n), dtype)
            return (m, n), dtype, partial(_every_other_row, x)
        case _:
            x = _matrix(draw, plan)
            return x.shape, x.dtype, partial(box, x)


def _slice(buffer: Buffer, place: Place, extent: Shape) -> Region:
    start = (place[0], ix.constant(1), place[1])
    return Region(buffer, identity(3), start, (1, 1, 1), (extent[0], None, extent[1]))


def _every_other_row(buffer: Buffer, place: Place, extent: Shape) -> Region:
    return Region(buffer, identity(2), (ix.scale(place[0], 2), place[1]), (2, 1), extent)


def _matrix(draw: Draw, plan: Plan) -> Buffer:
    """Return a matrix in GM that is defined by now, or a new input."""
    known = [buffer for buffer in plan.workspaces if buffer.dtype in plan.vector_dtypes]
    if known and draw(st.booleans()):
        return draw(st.sampled_from(known))
    sizes = SIZES | st.just(0) | SIZES
    return plan.input((draw(sizes), draw(sizes)), draw(st.sampled_from(plan.vector_dtypes)))


def _layout(memory: Memory, dtype: DType) -> Layout:
    match memory:
        case Memory.GM | Memory.UB:
            return ND
        case Memory.L1:
            return layout_for(LayoutKind.NZ, dtype)
        case Memory.L0A:
            return layout_for(LayoutKind.ZZ, dtype)
        case Memory.L0B:
            return layout_for(LayoutKind.ZN, dtype)
        case Memory.L0C:
            return ACCUMULATOR
        case _:
            assert_never(memory)


def _name(variable: Index) -> str:
    (name,) = ix.free_variables(variable)
    return name


STAGE_COUNTS = st.integers(1, 2)
"""How often the buffers of a loop's body exist."""

STAGES: tuple[Callable[[Draw, Plan, bool], None], ...] = (
    _map_stage,
    _reduce_stage,
    _recurrence_stage,
    _matmul_stage,
    _convolution_stage,
)
