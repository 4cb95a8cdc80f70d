"""Instructions of the pipes as calls: the method's name and the texts of its arguments."""

from dataclasses import dataclass
from typing import assert_never

from tilelang.backends.tik.emit.cube_calls import cube_call, transfer_call
from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.emit.rearrange_calls import rearrange_call
from tilelang.backends.tik.instructions import (
    FORMS,
    HIGH_PRECISION,
    Binary,
    BinaryOp,
    BroadcastToL0c,
    Compact,
    Compare,
    CompareToMask,
    Conv2d,
    Convert,
    DataMove,
    DataMovePad,
    Elementwise,
    Expr,
    Fixpipe,
    HighPrecision,
    Lanes,
    Load2d,
    Load3d,
    LoadCompareMask,
    Matmul,
    Mmad,
    Operand,
    Rearrangement,
    Reduce,
    Select,
    StoreCompareMask,
    TensorMove,
    Transpose,
    TransposeBlocks,
    Vector,
    WholeReduce,
    Work,
)

LIST_VARIABLE = "entry"
"""The variable of comprehensions in the text."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method of `Tik`; `result` is the variable that it sets."""

    method: str
    arguments: tuple[str, ...]
    result: str | None = None


def call_of(work: Work, texts: Texts) -> Call:
    """Return the call that records `work`."""
    match work:
        case DataMove() | DataMovePad() | TensorMove() | BroadcastToL0c() | Fixpipe():
            return Call(*transfer_call(work, texts))
        case Load2d() | Load3d() | Mmad() | Matmul() | Conv2d():
            return Call(*cube_call(work, texts))
        case _:
            return _vector_call(work, texts)


def _vector_call(work: Vector, texts: Texts) -> Call:
    if isinstance(work, Rearrangement):
        return Call(*rearrange_call(work, texts))
    match work:
        case Elementwise():
            return _elementwise(work, texts)
        case HighPrecision():
            return _high_precision(work, texts)
        case Convert():
            return _convert(work, texts)
        case Compare():
            return _compare(work, texts)
        case CompareToMask() | LoadCompareMask() | StoreCompareMask():
            return _compare_mask(work, texts)
        case Select():
            return _select(work, texts)
        case Reduce() | WholeReduce() | Compact():
            return _reduction(work, texts)
        case Transpose() | TransposeBlocks():
            return _transpose(work, texts)
        case _:
            assert_never(work)


def _high_precision(work: HighPrecision, texts: Texts) -> Call:
    operands = [texts.operand(item) for item in (work.dst.operand, work.src.operand, work.work)]
    tail = [texts.value(work.repeat), *_repeats(texts, work.dst, work.src)]
    return Call(HIGH_PRECISION[work.op], (texts.mask(work.mask), *operands, *tail))


def _compare_mask(work: CompareToMask | LoadCompareMask | StoreCompareMask, texts: Texts) -> Call:
    match work:
        case CompareToMask(op, mask, a, b):
            operands = [texts.operand(lanes.operand) for lanes in (a, b)]
            arguments = (texts.mask(mask), *operands, *_blocks(texts, a, b))
            return Call(f"vcmp_{op.value}", arguments, "cmpmask")
        case LoadCompareMask(src):
            return Call("mov_tensor_to_cmpmask", (texts.operand(src),), "cmpmask")
        case StoreCompareMask(dst):
            return Call("mov_cmpmask_to_tensor", (texts.operand(dst), "cmpmask"))
        case _:
            assert_never(work)


def _transpose(work: Transpose | TransposeBlocks, texts: Texts) -> Call:
    numbers = [texts.value(item) for item in (work.repeat, work.dst_stride, work.src_stride)]
    if isinstance(work, Transpose):
        ends = [texts.operand(item) for item in (work.dst, work.src)]
        return Call("vec_trans", (*ends, *numbers))
    flags = (str(work.dst_high_half), str(work.src_high_half))
    lists = (operand_list(texts, work.dsts), operand_list(texts, work.srcs))
    return Call("vnchwconv", (*flags, *lists, *numbers))


def _blocks(texts: Texts, *operands: Lanes) -> list[str]:
    return [texts.value(lanes.block_stride) for lanes in operands]


def _repeats(texts: Texts, *operands: Lanes) -> list[str]:
    return [texts.value(lanes.repeat_stride) for lanes in operands]


def _has_plain_blocks(*operands: Lanes) -> bool:
    """Whether the `vec_` form, whose blocks are contiguous, can say it."""
    return all(lanes.block_stride == 1 for lanes in operands)


def _elementwise(work: Elementwise, texts: Texts) -> Call:
    form = FORMS[work.op]
    operands = (work.dst, *work.srcs)
    head = [texts.mask(work.mask), *(texts.operand(lanes.operand) for lanes in operands)]
    head += [texts.value(work.scalar)] if work.scalar is not None else []
    head.append(texts.value(work.repeat))
    if form.vec_name is not None and _has_plain_blocks(*operands):
        return Call(form.vec_name, (*head, *_repeats(texts, *operands)))
    strides = [*_blocks(texts, *operands), *_repeats(texts, *operands)]
    return Call(work.op.value, (*head, *strides))


def _convert(work: Convert, texts: Texts) -> Call:
    operands = (work.dst, work.src)
    mode = "" if work.round_mode == "none" else work.round_mode
    names = [texts.operand(lanes.operand) for lanes in operands]
    head = [texts.mask(work.mask), f'"{mode}"', *names, texts.value(work.repeat)]
    tail = [] if work.deqscale is None else [f"deqscale={texts.value(work.deqscale)}"]
    if _has_plain_blocks(*operands):
        return Call("vec_conv", (*head, *_repeats(texts, *operands), *tail))
    return Call("vconv", (*head, *_blocks(texts, *operands), *_repeats(texts, *operands), *tail))


def _compare(work: Compare, texts: Texts) -> Call:
    dst, a, b = texts.operand(work.dst), work.a, work.b
    repeat = texts.value(work.repeat)
    if not isinstance(b, Lanes):
        head = [dst, texts.operand(a.operand), texts.value(b), repeat]
        return Call(f"vcmpvs_{work.op.value}", (*head, *_blocks(texts, a), *_repeats(texts, a)))
    head = [dst, texts.operand(a.operand), texts.operand(b.operand), repeat]
    if _has_plain_blocks(a, b):
        return Call(f"vec_cmpv_{work.op.value}", (*head, *_repeats(texts, a, b)))
    strides = [*_blocks(texts, a, b), *_repeats(texts, a, b)]
    return Call(f"vcmpv_{work.op.value}", (*head, *strides))


def _select(work: Select, texts: Texts) -> Call:
    selection = "cmpmask" if work.selection is None else texts.operand(work.selection)
    b = work.b
    other = texts.operand(b.operand) if isinstance(b, Lanes) else texts.value(b)
    # Of a number as the last source TIK wants strides all the same, and ignores them.
    operands = (work.dst, work.a, b if isinstance(b, Lanes) else Lanes(work.a.operand, 1, 0))
    names = [texts.operand(work.dst.operand), selection, texts.operand(work.a.operand), other]
    head = [texts.mask(work.mask), str(work.mode), *names, texts.value(work.repeat)]
    if work.selection is not None and _has_plain_blocks(*operands):
        return Call("vec_sel", (*head, *_repeats(texts, *operands)))
    return Call("vsel", (*head, *_blocks(texts, *operands), *_repeats(texts, *operands)))


def _reduction(work: Reduce | WholeReduce | Compact, texts: Texts) -> Call:
    mask, dst = texts.mask(work.mask), texts.operand(work.dst)
    src, repeat = texts.operand(work.src.operand), texts.value(work.repeat)
    repeats = _repeats(texts, work.src)
    match work:
        case Reduce():
            strides = [texts.value(work.dst_stride), *_blocks(texts, work.src), *repeats]
            tail = ["index_low=True"] if work.index_low else []
            return Call(work.op.value, (mask, dst, src, repeat, *strides, *tail))
        case WholeReduce():
            tail = ["cal_index=True"] if work.with_index else []
            scratch = texts.operand(work.work)
            return Call(work.op.value, (mask, dst, src, scratch, repeat, *repeats, *tail))
        case Compact():
            strides = [*_blocks(texts, work.src), *repeats, texts.value(work.pattern_stride)]
            tail = [] if work.count is None else [f"rsvd_scalar={work.count}"]
            pattern = _either(texts, work.pattern)
            return Call("vreduce", (mask, dst, src, pattern, repeat, *strides, *tail))
        case _:
            assert_never(work)


def _either(texts: Texts, value: Expr | Operand) -> str:
    return texts.operand(value) if isinstance(value, Operand) else texts.value(value)


def operand_list(texts: Texts, operands: tuple[Operand, ...]) -> str:
    """Return a list of start addresses, as a comprehension where a formula gives them."""
    parts = [_with_constant(operand.offset) for operand in operands]
    numbers = [number for _, number in parts]
    formula = _formula(numbers)
    origins = {
        (item.tensor, item.dtype, base) for item, (base, _) in zip(operands, parts, strict=True)
    }
    if formula is None or len(origins) > 1:
        return f"[{', '.join(texts.operand(operand) for operand in operands)}]"
    base = parts[0][0]
    if base != 0:
        # Python must add the numbers first: the sum with `base` is recorded.
        summand = formula if min(numbers) == 0 else f"({formula})"
        formula = f"{texts.summand(base)} + {summand}"
    return f"[{texts.base(operands[0])}[{formula}] for {LIST_VARIABLE} in range({len(operands)})]"


def _with_constant(offset: Expr) -> tuple[Expr, int]:
    """Return (a, b) where `offset` is `a + b`, b being a number."""
    match offset:
        case int():
            return 0, offset
        case Binary(BinaryOp.ADD, base, int(constant)):
            return base, constant
        case _:
            return offset, 0


def _formula(numbers: list[int]) -> str | None:
    """Return `numbers` as text over their position: evenly spaced, so and turned, or in pairs."""
    first, step, low = numbers[0], numbers[1] - numbers[0], min(numbers)
    places = range(len(numbers))
    if numbers == [first + step * place for place in places]:
        spaced = f"{step} * {LIST_VARIABLE}"
        return f"{first} + {spaced}" if first else spaced
    length = step * len(numbers)
    if step > 0 and numbers == [low + (first - low + step * place) % length for place in places]:
        turned = f"({step} * {LIST_VARIABLE} + {first - low}) % {length}"
        return f"{low} + {turned}" if low else turned
    pair, inside = numbers[2 % len(numbers)] - first, step
    if numbers == [first + pair * (place // 2) + inside * (place % 2) for place in places]:
        paired = f"{pair} * ({LIST_VARIABLE} // 2) + {inside} * ({LIST_VARIABLE} % 2)"
        return f"{first} + {paired}" if first else f"({paired})"
    return None
