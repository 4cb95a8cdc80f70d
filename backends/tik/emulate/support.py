"""Which vector instructions each chip has, by dtype (tik.md section 4.1)."""

from typing import assert_never

from tilelang.backends.tik.instructions import (
    Col2Img,
    Compact,
    Compare,
    CompareToMask,
    DataMovePad,
    Elementwise,
    Gather,
    Lanes,
    Load2d,
    MergeProposals,
    MoveField,
    Rearrangement,
    Reduce,
    ReduceOp,
    Scatter,
    Select,
    SortProposals,
    TransposeChannels,
    VectorOp,
    WholeReduce,
    Work,
    method_name,
)
from tilelang.backends.tik.soc import Soc
from tilelang.diagnostics import Diagnostic, TileError

_ABSENT = "build it from instructions that the chip has: see `tilelang explain E1213`"
_CHIPS = ("ascend310", "ascend910", "ascend310p", "ascend910b")
_SHORT = {
    "h": "float16",
    "f": "float32",
    "b": "bfloat16",
    "s": "int32",
    "w": "int16",
    "u": "uint16",
    "v": "uint32",
}

_EVERYTHING = "".join(_SHORT)

# One column a chip in the order of _CHIPS; a letter a dtype, as in _SHORT; "-": none.
_ARITHMETIC = "hfs hfs hfsw hfsw"
_DIVISION = "- hf hf hf"
_BITS = "wu wu wu wu"
_FLOATS = "hf hf hf hf"
_HALF_FIRST = "h h hf hf"
_NEWER = "- - hfsw hfsw"
_SHIFT = "- - wusv wusv"

_ELEMENTWISE: dict[VectorOp, str] = {
    **dict.fromkeys(
        (VectorOp.ADD, VectorOp.SUB, VectorOp.MUL, VectorOp.MAX, VectorOp.MIN), _ARITHMETIC
    ),
    **dict.fromkeys((VectorOp.ADDS, VectorOp.MULS), "hf hf hfsw hfsw"),
    **dict.fromkeys((VectorOp.MAXS, VectorOp.MINS), _NEWER),
    **dict.fromkeys((VectorOp.DIV, VectorOp.SQRT), _DIVISION),
    **dict.fromkeys((VectorOp.EXP, VectorOp.LN), "h hf hf hf"),
    **dict.fromkeys((VectorOp.ABS, VectorOp.REC, VectorOp.RSQRT), _FLOATS),
    VectorOp.RELU: "h h hfs hfs",
    VectorOp.LEAKY_RELU: "- - hf hf",
    **dict.fromkeys((VectorOp.AND, VectorOp.OR, VectorOp.NOT), _BITS),
    **dict.fromkeys((VectorOp.SHL, VectorOp.SHR), _SHIFT),
    **dict.fromkeys((VectorOp.AXPY, VectorOp.MLA, VectorOp.MADD, VectorOp.MADD_RELU), _FLOATS),
    **dict.fromkeys((VectorOp.ADD_RELU, VectorOp.SUB_RELU), "- - hfw hfw"),
    VectorOp.DUP: "uwhvsf uwhvsf uwhvsf uwhvsfb",
}
"""`EXPM1` is no instruction of its own."""


def check_support(work: Work, soc: Soc) -> None:
    """Raise E1213 if the chip lacks the instruction, or lacks it for its dtype."""
    found = _requirement(work)
    if found is None:
        return
    columns, dtype = found
    letters = columns.split()[_CHIPS.index(soc.machine.name)]
    legal = [_SHORT[letter] for letter in letters if letter != "-"]
    if dtype in legal:
        return
    name = method_name(work)
    if not legal:
        raise TileError(Diagnostic("E1213", f"{soc.name} has no {name}", work.loc, hint=_ABSENT))
    wanted = ", ".join(legal)
    raise TileError(
        Diagnostic("E1213", f"{name} of {soc.name} takes {wanted}, not {dtype}", work.loc)
    )


def _requirement(work: Work) -> tuple[str, str] | None:
    """Return (a column of dtypes for each chip, the dtype of `work`); None: every chip has it."""
    if isinstance(work, Rearrangement):
        return _rearrangement(work)
    match work:
        case Elementwise(op, dst=dst):
            return _ELEMENTWISE[op], dst.operand.dtype.value
        case Reduce(op, src=src):
            return _FLOATS if op is ReduceOp.SUM else _HALF_FIRST, src.operand.dtype.value
        case WholeReduce(src=src):
            return _FLOATS, src.operand.dtype.value
        case Compare(a=a, b=Lanes()) | CompareToMask(a=a):
            return "h hf hf hfs", a.operand.dtype.value
        case Compare(a=a):
            return "- - hf hf", a.operand.dtype.value
        case Select(dst=dst, mode=mode):
            return "h hf hf hf" if mode == 0 else "- - hf hf", dst.operand.dtype.value
        case Compact(src=src):
            return "- - wuhfsv wuhfsv", src.operand.dtype.value
        case _:
            return _by_chip(work)


def _rearrangement(work: Rearrangement) -> tuple[str, str]:
    match work:
        case Gather(dst=Lanes(operand=dst)):
            return "- - wuhfsv wuhfsv", dst.dtype.value
        case Scatter(dst=dst):
            return "- - wuhfsv -", dst.dtype.value
        case MoveField(dst=dst) | SortProposals(dst=dst) | MergeProposals(dst=dst):
            return "h h hf -", dst.dtype.value
        case TransposeChannels():
            return f"- {_EVERYTHING} {_EVERYTHING} -", "float16"
        case Col2Img(dst=dst):
            return "- hf hf -", dst.dtype.value
        case _:
            assert_never(work)


def _by_chip(work: Work) -> tuple[str, str] | None:
    """Return the requirement of instructions that a chip has for every dtype, or for none."""
    match work:
        case DataMovePad():
            return f"- - - {_EVERYTHING}", "float16"
        case Load2d(dst_gap=gap) if gap is not None:
            return f"- - {_EVERYTHING} {_EVERYTHING}", "float16"
        case _:
            return None
