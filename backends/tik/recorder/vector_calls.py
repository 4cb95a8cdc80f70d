"""How calls of TIK's vector methods become instructions: element-wise work and conversions."""

from collections.abc import Callable
from dataclasses import dataclass

from tilelang.backends.tik.instructions import (
    BLOCKS_PER_REPEAT,
    FORMS,
    HIGH_PRECISION,
    ROUND_MODES,
    BinaryOp,
    Convert,
    Elementwise,
    Expr,
    Form,
    HighPrecision,
    Instruction,
    Lanes,
    VectorOp,
    add,
    binary,
    multiply,
)
from tilelang.backends.tik.recorder.arguments import Arguments
from tilelang.diagnostics import Diagnostic, TileError


@dataclass(frozen=True, slots=True)
class Method:
    """A method of `Tik`: its parameters, and what a call of it records."""

    signature: str
    build: Callable[[Arguments], Instruction]


def plain_method(
    node: Callable[..., Instruction], operands: str, numbers: str = "", options: str = ""
) -> Method:
    """Return the method whose arguments are the fields of `node`: operands first, then numbers.

    `options` are parameters that it takes and ignores.
    """

    def build(call: Arguments) -> Instruction:
        ends = map(call.operand, operands.split())
        return node(*ends, *map(call.expr, numbers.split()), loc=call.loc)

    return Method(" ".join((operands, numbers, options)), build)


V_TAIL = "stride_unit=0 mask_mode=? round_en=!"
"""Optional parameters of the `v` names."""


def lanes(call: Arguments, name: str) -> Lanes:
    """Return operand `name` of a `vec_` call, whose blocks are contiguous."""
    return Lanes(call.operand(name), 1, call.expr(f"{name}_rep_stride"))


def strided_lanes(call: Arguments, name: str) -> Lanes:
    """Return operand `name` of a `v` call; a destination's block stride 0 means 1."""
    block_stride = call.expr(f"{name}_blk_stride")
    if name == "dst" and block_stride == 0:
        block_stride = 1
    repeat_stride = call.expr(f"{name}_rep_stride")
    if call.values.get("stride_unit") == 1:
        repeat_stride = _after_gap(block_stride, repeat_stride)
    return Lanes(call.operand(name), block_stride, repeat_stride)


def refuse_variants(call: Arguments) -> None:
    """Raise E1214 for stride units and mask modes that are not recorded."""
    if call.values.get("stride_unit", 0) not in (0, 1, False, True):
        raise _variant(call, "stride_unit", "0 or 1")
    if call.values.get("mask_mode") not in (None, 0, "normal"):
        raise _variant(call, "mask_mode", '"normal"')


def _variant(call: Arguments, name: str, wanted: str) -> TileError:
    message = f"{call.method}: {name}={call.values[name]!r} is not recorded; {wanted} is"
    return TileError(Diagnostic("E1214", message, call.loc))


def _after_gap(block_stride: Expr, gap: Expr) -> Expr:
    """Return the stride of repeats that lie `gap` blocks apart, end to start."""
    extent = add(multiply(BLOCKS_PER_REPEAT - 1, block_stride), 1)
    return binary(BinaryOp.ADD, extent, gap)


def _sources(form: Form) -> list[str]:
    return ["src"] if form.n_sources == 1 else [f"src{index}" for index in range(form.n_sources)]


def _signature(form: Form, *, has_block_strides: bool) -> str:
    operands = ["dst", *_sources(form)]
    words = ["mask", *operands]
    words += ["scalar"] if form.has_scalar else []
    words.append("repeat_times")
    if has_block_strides:
        words += [f"{operand}_blk_stride" for operand in operands]
    words += [f"{operand}_rep_stride" for operand in operands]
    return " ".join([*words, V_TAIL, "*"]) if has_block_strides else " ".join(words)


def _elementwise(op: VectorOp, read: Callable[[Arguments, str], Lanes]) -> Method:
    form = FORMS[op]

    def build(call: Arguments) -> Instruction:
        refuse_variants(call)
        return Elementwise(
            op,
            call.mask(),
            read(call, "dst"),
            tuple(read(call, name) for name in _sources(form)),
            call.expr("repeat_times"),
            call.expr("scalar") if form.has_scalar else None,
            loc=call.loc,
        )

    return Method(_signature(form, has_block_strides=read is strided_lanes), build)


def _high_precision(op: VectorOp) -> Method:
    def build(call: Arguments) -> Instruction:
        return HighPrecision(
            op,
            call.mask(),
            lanes(call, "dst"),
            lanes(call, "src"),
            call.operand("work_tensor"),
            call.expr("repeat_times"),
            loc=call.loc,
        )

    return Method("mask dst src work_tensor repeat_times dst_rep_stride src_rep_stride", build)


def _convert(read: Callable[[Arguments, str], Lanes]) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        refuse_variants(call)
        mode = call.word("round_mode")
        if mode not in ROUND_MODES:
            raise call.error("round_mode", f"one of {', '.join(map(repr, ROUND_MODES))}")
        return Convert(
            call.mask(),
            ROUND_MODES[mode],
            read(call, "dst"),
            read(call, "src"),
            call.expr("repeat_times"),
            call.expr("deqscale") if call.given("deqscale") else None,
            loc=call.loc,
        )

    return build


_RECORDED_OPS = [op for op in VectorOp if op is not VectorOp.EXPM1]

VECTOR_METHODS: dict[str, Method] = {
    **{op.value: _elementwise(op, strided_lanes) for op in _RECORDED_OPS},
    **{
        form.vec_name: _elementwise(op, lanes)
        for op, form in FORMS.items()
        if form.vec_name is not None
    },
    **{name: _high_precision(op) for op, name in HIGH_PRECISION.items()},
    "vec_conv": Method(
        "mask round_mode dst src repeat_times dst_rep_stride src_rep_stride deqscale=? "
        "ldst_high_half=!",
        _convert(lanes),
    ),
    "vconv": Method(
        "mask round_mode dst src repeat_times dst_blk_stride src_blk_stride dst_rep_stride "
        "src_rep_stride deqscale=? ldst_high_half=! stride_unit=0 mask_mode=? *",
        _convert(strided_lanes),
    ),
}
"""Element-wise methods in both name forms, and conversions."""
