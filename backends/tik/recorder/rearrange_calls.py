"""How calls that move elements in UB, by offset, record, channel or window, become instructions."""

from functools import partial

from tilelang.backends.tik.instructions import (
    Col2Img,
    Expr,
    FieldOp,
    Gather,
    Instruction,
    MergeProposals,
    MoveField,
    Operand,
    Scatter,
    SortProposals,
    TransposeChannels,
)
from tilelang.backends.tik.recorder.arguments import Arguments
from tilelang.backends.tik.recorder.vector_calls import (
    Method,
    lanes,
    plain_method,
    refuse_variants,
)
from tilelang.diagnostics import Diagnostic, TileError


def _gather(call: Arguments) -> Instruction:
    refuse_variants(call)
    return Gather(
        call.mask(),
        lanes(call, "dst"),
        call.operand("src"),
        call.operand("src_offset"),
        call.expr("repeat_times"),
        call.expr("base_addr"),
        loc=call.loc,
    )


def _scatter(call: Arguments) -> Instruction:
    refuse_variants(call)
    return Scatter(
        call.mask(),
        call.operand("dst"),
        lanes(call, "src"),
        call.operand("dst_offset"),
        call.expr("repeat_times"),
        call.expr("base_addr"),
        loc=call.loc,
    )


def _merge(call: Arguments) -> Instruction:
    if call.values["if_exhausted_suspension"] not in (False, 0):
        message = f"{call.method}: if_exhausted_suspension=True is not recorded; False is"
        raise TileError(Diagnostic("E1214", message, call.loc))
    srcs = _tensors(call, "src_list")
    valid = call.values["valid_bit"]
    return MergeProposals(
        call.operand("dst"),
        srcs,
        _lengths(call, len(srcs)),
        int(valid, 2) if isinstance(valid, str) else call.expr("valid_bit"),
        call.expr("repeat_times") if call.given("repeat_times") else 1,
        loc=call.loc,
    )


def _tensors(call: Arguments, name: str) -> tuple[Operand, ...]:
    """Return the starts of two to four lists."""
    items = call.values[name]
    n_lists = len(items) if isinstance(items, list | tuple) else 0  # pyright: ignore[reportUnknownArgumentType]
    if not 2 <= n_lists <= 4:
        raise call.error(name, "a list of 2 to 4 tensors")
    return call.operands(name, n_lists)


def _lengths(call: Arguments, n_lists: int) -> tuple[Expr, ...]:
    """Return a length for every list; one number stands for all of them."""
    value = call.values["element_lengths"]
    if isinstance(value, list | tuple):
        return call.exprs("element_lengths", n_lists)
    return (call.expr("element_lengths"),) * n_lists


def _transpose_channels(call: Arguments) -> Instruction:
    ends = (call.operand("dst"), call.operand("src"))
    length, channels = call.expr("m_len"), call.expr("channels")
    return TransposeChannels(call.flag("chw2hwc"), *ends, length, channels, loc=call.loc)


def _col2img(call: Arguments) -> Instruction:
    left, right, top, bottom = call.exprs("pad", 4)
    return Col2Img(
        call.operand("dst"),
        call.operand("src"),
        (left, right, top, bottom),
        call.expr("l1_h"),
        call.expr("l1_w"),
        call.pair("fetch_filter"),
        call.pair("left_top"),
        call.pair("stride"),
        call.pair("filter"),
        call.pair("dilation_filter"),
        call.expr("repeat_time"),
        loc=call.loc,
    )


_BY_OFFSET = "repeat_times {}_rep_stride base_addr=0 stride_unit=0 mask_mode=?"

REARRANGE_METHODS: dict[str, Method] = {
    "vgather": Method(f"mask dst src src_offset {_BY_OFFSET.format('dst')}", _gather),
    "vscatter": Method(f"mask dst src dst_offset {_BY_OFFSET.format('src')}", _scatter),
    **{
        op.value: plain_method(partial(MoveField, op), "dst src", "repeat_times mode_number")
        for op in FieldOp
    },
    "vrpsort16": plain_method(SortProposals, "dst src", "repeat_times"),
    "vmrgsort4": Method(
        "dst src_list element_lengths if_exhausted_suspension valid_bit repeat_times=? "
        "vms4_sr_scalar_array=!",
        _merge,
    ),
    "v4dtrans": Method("chw2hwc dst src m_len channels", _transpose_channels),
    "col2img": Method(
        "dst src pad l1_h l1_w fetch_filter_w fetch_filter_h left_top_w left_top_h stride_w "
        "stride_h filter_w filter_h dilation_filter_w dilation_filter_h repeat_time",
        _col2img,
    ),
}
"""Methods that move elements in UB."""
