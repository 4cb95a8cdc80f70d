"""Moves of elements in UB as calls: (method, texts of the arguments)."""

from typing import assert_never

from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.instructions import (
    Col2Img,
    Expr,
    Gather,
    MergeProposals,
    MoveField,
    Rearrangement,
    Scatter,
    SortProposals,
    TransposeChannels,
    method_name,
)


def rearrange_call(work: Rearrangement, texts: Texts) -> tuple[str, tuple[str, ...]]:
    """Return the call that records `work`."""
    return method_name(work), tuple(_arguments(work, texts))


def _arguments(work: Rearrangement, texts: Texts) -> list[str]:
    match work:
        case Gather(mask, dst, src, offsets, repeat, base):
            ends = [texts.operand(end) for end in (dst.operand, src, offsets)]
            return [texts.mask(mask), *ends, *_values(texts, repeat, dst.repeat_stride, base)]
        case Scatter(mask, dst, src, offsets, repeat, base):
            ends = [texts.operand(end) for end in (dst, src.operand, offsets)]
            return [texts.mask(mask), *ends, *_values(texts, repeat, src.repeat_stride, base)]
        case MoveField(_, dst, src, repeat, index):
            return [texts.operand(dst), texts.operand(src), *_values(texts, repeat, index)]
        case SortProposals(dst, src, repeat):
            return [texts.operand(dst), texts.operand(src), texts.value(repeat)]
        case MergeProposals():
            return _merge(work, texts)
        case TransposeChannels(to_last, dst, src, length, channels):
            ends = [texts.operand(dst), texts.operand(src)]
            return [str(to_last), *ends, *_values(texts, length, channels)]
        case Col2Img():
            return _col2img(work, texts)
        case _:
            assert_never(work)


def _merge(work: MergeProposals, texts: Texts) -> list[str]:
    lists = f"[{', '.join(texts.operand(source) for source in work.srcs)}]"
    lengths = f"[{', '.join(_values(texts, *work.lengths))}]"
    return [
        texts.operand(work.dst),
        lists,
        lengths,
        "False",
        *_values(texts, work.valid, work.repeat),
    ]


def _col2img(work: Col2Img, texts: Texts) -> list[str]:
    pairs = (work.fetch, work.left_top, work.stride, work.kernel, work.dilation)
    numbers = [number for pair in pairs for number in pair]
    return [
        texts.operand(work.dst),
        texts.operand(work.src),
        f"[{', '.join(_values(texts, *work.pad))}]",
        *_values(texts, work.height, work.width, *numbers, work.repeat),
    ]


def _values(texts: Texts, *exprs: Expr) -> list[str]:
    return [texts.value(expr) for expr in exprs]
