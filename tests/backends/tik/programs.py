"""Random instruction programs: well-formed as text, without a meaning that could be run."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tilelang.backends.tik.instructions import (
    FORMS,
    HIGH_PRECISION,
    ROUND_MODES,
    AtomicAdd,
    BinaryOp,
    BitMask,
    Block,
    Body,
    Branch,
    BroadcastToL0c,
    Col2Img,
    Compact,
    Compare,
    CompareOp,
    CompareToMask,
    Conv2d,
    Convert,
    DataMove,
    DataMovePad,
    Elementwise,
    Exit,
    ExitKind,
    Expr,
    FieldOp,
    Fixpipe,
    ForRange,
    Gather,
    HighPrecision,
    If,
    Instruction,
    InstructionProgram,
    Item,
    Lanes,
    Load,
    Load2d,
    Load3d,
    LoadCompareMask,
    Mask,
    Matmul,
    MergeProposals,
    Mmad,
    MoveField,
    Name,
    Operand,
    Reduce,
    ReduceOp,
    Scalar,
    ScalarArray,
    ScalarFunction,
    ScalarOp,
    Scatter,
    Scope,
    Select,
    SetScalar,
    SortProposals,
    StoreCompareMask,
    StoreElement,
    Sync,
    SyncKind,
    Tensor,
    TensorMove,
    TikType,
    Transpose,
    TransposeBlocks,
    TransposeChannels,
    UnaryOp,
    VectorOp,
    WholeReduce,
    WholeReduceOp,
    all_of,
    binary,
    unary,
)

TENSORS = (
    Tensor("x", TikType.FLOAT16, (64, 64), Scope.GM),
    Tensor("y", TikType.FLOAT32, (4096,), Scope.GM, is_atomic_add=True),
    Tensor("space", TikType.INT32, (8, 2, 4), Scope.GM, is_workspace=True),
    Tensor("table", TikType.FLOAT32, (3,), Scope.GM, init_value=(1, 2.5, -3)),
    Tensor("ub", TikType.FLOAT16, (16, 128), Scope.UB),
    Tensor("wide", TikType.FLOAT32, (2048,), Scope.UB),
    Tensor("whole", TikType.INT32, (256,), Scope.UB),
    Tensor("l1", TikType.FLOAT16, (4, 64, 16), Scope.L1),
    Tensor("l0a", TikType.FLOAT16, (4, 4, 16, 16), Scope.L0A),
    Tensor("l0c", TikType.FLOAT32, (4, 64, 16), Scope.L0C),
)
SCALARS = (
    Scalar("count", TikType.INT32, 3),
    Scalar("factor", TikType.FLOAT32),
    ScalarArray("array", TikType.INT64, 4, 0),
)
NUMBERS = st.integers(-5, 300) | st.sampled_from((0, 1, 8, 64, 255))
REALS = st.floats(allow_nan=False, width=32)
_ARITHMETIC = [op for op in BinaryOp if op not in (BinaryOp.AND, BinaryOp.OR)]
_STORED = (Item("array", 2), Load(Operand("whole", TikType.INT32, 7)))
_KINDS = (0, 0, 0, 0, 2, 3, 4, 5, 6, 6)
"""How often expressions are of each kind; the first six are leaves."""


@dataclass
class Naming:
    """Hands out the names of loop variables and local tensors, each once."""

    used: int = 0
    variables: list[str] = field(default_factory=lambda: ["count", "factor"])

    def fresh(self, prefix: str) -> str:
        self.used += 1
        return f"{prefix}_{self.used}"


@st.composite
def expressions(draw: st.DrawFn, naming: Naming, depth: int = 2) -> Expr:
    kind = draw(st.sampled_from(_KINDS if depth else _KINDS[:6]))
    inner = expressions(naming, depth - 1)
    match kind:
        case 0:
            return draw(NUMBERS)
        case 2:
            return Name(draw(st.sampled_from(naming.variables)))
        case 3:
            return draw(
                st.just(Item("array", 2)) | st.just(Load(Operand("whole", TikType.INT32, 7)))
            )
        case 4:
            return unary(draw(st.sampled_from(UnaryOp)), draw(inner))
        case 5:
            op = draw(st.sampled_from((BinaryOp.AND, BinaryOp.OR)))
            return all_of(op, *draw(st.lists(inner, min_size=2, max_size=3)))
        case _:
            return binary(draw(st.sampled_from(_ARITHMETIC)), draw(inner), draw(inner))


def symbolic(expr: Expr) -> bool:
    return not isinstance(expr, int | float)


@st.composite
def operands(draw: st.DrawFn, naming: Naming, *names: str) -> Operand:
    tensors = [tensor for tensor in TENSORS if tensor.name in names or not names]
    tensor = draw(st.sampled_from(tensors))
    dtype = draw(st.sampled_from((tensor.dtype, tensor.dtype, TikType.INT16, TikType.UINT32)))
    return Operand(tensor.name, dtype, draw(offsets(naming)))


def offsets(naming: Naming) -> st.SearchStrategy[Expr]:
    return st.integers(0, 500) | expressions(naming).filter(symbolic)


@st.composite
def lanes(draw: st.DrawFn, naming: Naming) -> Lanes:
    block = draw(st.sampled_from((1, 1, 1, 2, 9)))
    return Lanes(draw(operands(naming, "ub", "wide")), block, draw(expressions(naming)))


def masks(naming: Naming) -> st.SearchStrategy[Mask]:
    half = st.integers(0, 2**64 - 1)
    return expressions(naming) | st.builds(BitMask, half, half)


def vectors(naming: Naming) -> st.SearchStrategy[Instruction]:
    mask, lane, expr = masks(naming), lanes(naming), expressions(naming)
    start = operands(naming, "ub", "wide", "whole")
    plain = st.builds(Lanes, start, st.just(1), expr)
    modes = st.sampled_from(sorted(set(ROUND_MODES.values())))
    compare = st.sampled_from(CompareOp)
    precise, reduce = st.sampled_from([*HIGH_PRECISION]), st.sampled_from(ReduceOp)
    whole = st.sampled_from(WholeReduceOp)
    flag, count = st.booleans(), st.none() | st.just("count")
    pattern = start | st.integers(1, 6)
    two = [st.builds(Lanes, start, expr, st.just(0))] * 2
    return st.one_of(
        elementwise(naming),
        st.builds(HighPrecision, precise, mask, plain, plain, start, expr),
        st.builds(Convert, mask, modes, lane, lane, expr, st.none() | expr),
        st.builds(Compare, compare, start, lane, lane | expr, expr),
        st.builds(CompareToMask, compare, mask, *two),
        st.builds(LoadCompareMask, start),
        selections(naming),
        st.builds(Reduce, reduce, mask, start, expr, lane, expr, index_low=flag),
        st.builds(WholeReduce, whole, mask, start, plain, start, expr, flag),
        st.builds(Compact, mask, start, lane, pattern, expr, expr, count),
        st.builds(Transpose, start, start, expr, expr, expr),
        transposes(naming),
        rearrangements(naming),
    )


def rearrangements(naming: Naming) -> st.SearchStrategy[Instruction]:
    expr, start = expressions(naming), operands(naming, "ub", "wide", "whole")
    plain = st.builds(Lanes, start, st.just(1), expr)
    pair = st.tuples(expr, expr)
    return st.one_of(
        st.builds(Gather, masks(naming), plain, start, start, expr, expr),
        st.builds(Scatter, masks(naming), start, plain, start, expr, expr),
        st.builds(MoveField, st.sampled_from(FieldOp), start, start, expr, expr),
        st.builds(SortProposals, start, start, expr),
        merges(naming),
        st.builds(TransposeChannels, st.booleans(), start, start, expr, expr),
        st.builds(Col2Img, start, start, st.tuples(*[expr] * 4), expr, expr, *[pair] * 5, expr),
    )


@st.composite
def merges(draw: st.DrawFn, naming: Naming) -> MergeProposals:
    expr, start = expressions(naming), operands(naming, "ub")
    count = draw(st.integers(2, 4))
    srcs = tuple(draw(start) for _ in range(count))
    lengths = tuple(draw(expr) for _ in range(count))
    return MergeProposals(draw(start), srcs, lengths, draw(expr), draw(expr))


@st.composite
def elementwise(draw: st.DrawFn, naming: Naming) -> Elementwise:
    op = draw(st.sampled_from([op for op in VectorOp if op is not VectorOp.EXPM1]))
    form = FORMS[op]
    sources = tuple(draw(lanes(naming)) for _ in range(form.n_sources))
    scalar = draw(expressions(naming) | REALS) if form.has_scalar else None
    mask, dst = draw(masks(naming)), draw(lanes(naming))
    return Elementwise(op, mask, dst, sources, draw(expressions(naming)), scalar)


@st.composite
def selections(draw: st.DrawFn, naming: Naming) -> Select:
    mode = draw(st.integers(0, 2))
    start = operands(naming, "ub")
    selection = draw(start if mode else st.none() | start)
    b = draw(expressions(naming) if mode == 1 else lanes(naming))
    dst, a = draw(lanes(naming)), draw(lanes(naming))
    return Select(draw(masks(naming)), mode, dst, selection, a, b, draw(expressions(naming)))


@st.composite
def transposes(draw: st.DrawFn, naming: Naming) -> TransposeBlocks:
    def sixteen() -> tuple[Operand, ...]:
        base, step = draw(offsets(naming)), draw(st.sampled_from((0, 16, 33)))
        even = tuple(
            Operand("ub", TikType.FLOAT16, binary(BinaryOp.ADD, base, step * i)) for i in range(16)
        )
        return draw(st.just(even) | st.just((*even[8:], *even[:8])))

    flag, expr = st.booleans(), expressions(naming)
    lists = (sixteen(), sixteen())
    return TransposeBlocks(draw(flag), draw(flag), *lists, draw(expr), draw(expr), draw(expr))


def moves(naming: Naming) -> st.SearchStrategy[Instruction]:
    start, expr = operands(naming), expressions(naming)
    small = st.integers(1, 30)
    pair = st.tuples(expr, expr)
    row = operands(naming, "wide")
    return st.one_of(
        st.builds(DataMove, start, start, expr, expr, expr, expr, st.none() | st.integers(1, 5)),
        st.builds(DataMovePad, start, start, *[expr] * 6, padding_value=st.none() | expr),
        st.builds(
            TensorMove, start, start, st.sampled_from(("", "m")), *[expr] * 4,
            deqscale=st.none() | REALS | row, relu=st.booleans(),
        ),
        st.builds(BroadcastToL0c, start, start, expr, expr, expr, expr),
        fixpipes(naming),
        st.builds(
            Load2d, start, start, expr, expr, expr, st.booleans(), st.none() | expr
        ),
        st.builds(
            Load3d, start, start, st.tuples(*[expr] * 4), expr, expr, expr, *[pair] * 5, expr,
            st.integers(0, 1), expr, expr,
        ),
        st.builds(Mmad, start, start, start, expr, expr, expr, expr),
        st.builds(
            Matmul, start, start, start, small, small, small, st.booleans(), st.none() | row
        ),
        st.builds(
            Conv2d, start, start, start, st.tuples(*[small] * 4), st.tuples(*[small] * 5),
            st.tuples(small, small), st.tuples(*[small] * 4), st.tuples(small, small),
            st.integers(-3, 3), st.booleans(), st.none() | row,
        ),
    )  # fmt: skip


@st.composite
def fixpipes(draw: st.DrawFn, naming: Naming) -> Fixpipe:
    start, expr = operands(naming), expressions(naming)
    quantize = draw(st.sampled_from((None, "fp322fp16", "int322fp16")))
    row = operands(naming, "l1")
    scale = draw(st.none() | REALS | row) if quantize else None
    ends = (draw(start), draw(start), draw(expr), draw(expr), draw(expr), draw(expr))
    extras = (draw(st.none() | row), draw(st.none() | row))
    return Fixpipe(*ends, *extras, quantize, scale, draw(st.booleans()))


@st.composite
def scalar_work(draw: st.DrawFn, naming: Naming) -> Instruction:
    expr = expressions(naming)
    target = draw(st.just(Name("count")) | st.just(Item("array", 1)))
    match draw(st.integers(0, 4)):
        case 0:
            return SetScalar(target, draw(expr | REALS))
        case 1:
            return StoreElement(draw(operands(naming, "ub", "whole")), draw(expr | REALS))
        case 2:
            op = draw(st.sampled_from(ScalarOp))
            n_args = 2 if op in (ScalarOp.MAX, ScalarOp.MIN) else 1
            mode = "round" if op is ScalarOp.CONVERT else ""
            return ScalarFunction(op, target, tuple(draw(expr) for _ in range(n_args)), mode)
        case 3:
            kind = draw(st.sampled_from((SyncKind.PIPE_BARRIER, SyncKind.SET_FLAG)))
            args = ("PIPE_V",) if kind is SyncKind.PIPE_BARRIER else ("PIPE_V", "PIPE_MTE3", 0)
            return Sync(kind, args)
        case _:
            return AtomicAdd(draw(st.sampled_from((None, TikType.FLOAT32, TikType.INT8))))


@st.composite
def bodies(draw: st.DrawFn, naming: Naming, depth: int) -> Body:
    simple = vectors(naming) | moves(naming) | scalar_work(naming)
    steps: list[Instruction] = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.integers(0, 5 if depth else 2))
        steps.append(draw(simple) if kind < 3 else draw(scopes(naming, depth - 1)))
    return tuple(steps)


@st.composite
def scopes(draw: st.DrawFn, naming: Naming, depth: int) -> Instruction:
    match draw(st.integers(0, 2)):
        case 0:
            variable = naming.fresh("i")
            begin, end = 0, draw(st.integers(1, 9) | expressions(naming).filter(symbolic))
            naming.variables.append(variable)
            local = Tensor(naming.fresh("local"), TikType.FLOAT16, (16,), Scope.UB)
            body = (local, *draw(bodies(naming, depth)), Exit(ExitKind.BREAK))
            return ForRange(variable, begin, end, body, thread_num=draw(st.integers(1, 2)))
        case 1:
            condition = expressions(naming)
            branches = tuple(
                Branch(draw(condition), draw(bodies(naming, depth)))
                for _ in range(draw(st.integers(1, 3)))
            )
            return If(branches, draw(st.none() | bodies(naming, depth)))
        case _:
            return Block(draw(bodies(naming, depth)), draw(st.booleans()))


@st.composite
def programs(draw: st.DrawFn) -> InstructionProgram:
    naming = Naming()
    mask = LoadCompareMask(Operand("ub", TikType.FLOAT16))
    head = (*TENSORS, *SCALARS, mask, StoreCompareMask(Operand("ub", TikType.FLOAT16, 16)))
    core = naming.fresh("core")
    inner = draw(bodies(naming, 2))
    blocks = draw(st.integers(2, 9) | st.just(Name("count")))
    block_loop = ForRange(core, 0, blocks, draw(bodies(naming, 1)), block_num=blocks)
    body = (*head, *inner, block_loop)
    return InstructionProgram("program", "Ascend910A", body, ("x",), ("y",), ("table",))
