"""How calls that compare, select, reduce and transpose become instructions."""

from collections.abc import Callable

from tilelang.backends.tik.instructions import (
    Compact,
    Compare,
    CompareOp,
    CompareToMask,
    Expr,
    Instruction,
    Lanes,
    LoadCompareMask,
    Operand,
    Reduce,
    ReduceOp,
    Select,
    StoreCompareMask,
    Transpose,
    TransposeBlocks,
    WholeReduce,
    WholeReduceOp,
)
from tilelang.backends.tik.recorder.arguments import Arguments
from tilelang.backends.tik.recorder.tensors import TensorValue
from tilelang.backends.tik.recorder.vector_calls import (
    Method,
    lanes,
    plain_method,
    strided_lanes,
)
from tilelang.backends.tik.recorder.vector_calls import refuse_variants as refuse

_READ = Callable[[Arguments, str], Lanes]


def _compare(op: CompareOp, read: _READ) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        refuse(call)
        return Compare(
            op,
            call.operand("dst"),
            read(call, "src0"),
            read(call, "src1"),
            call.expr("repeat_times"),
            loc=call.loc,
        )

    return build


def _compare_scalar(op: CompareOp) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        refuse(call)
        return Compare(
            op,
            call.operand("dst"),
            strided_lanes(call, "src"),
            call.expr("scalar"),
            call.expr("repeat_times"),
            loc=call.loc,
        )

    return build


def _compare_to_mask(op: CompareOp) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        a = Lanes(call.operand("src0"), call.expr("src0_stride"), 0)
        b = Lanes(call.operand("src1"), call.expr("src1_stride"), 0)
        return CompareToMask(op, call.mask(), a, b, loc=call.loc)

    return build


def _selection(call: Arguments) -> Operand | None:
    """Return the tensor of bits, None for the handle that stands for CMPMASK."""
    return call.operand("sel") if isinstance(call.values["sel"], TensorValue) else None


def _select(read: _READ) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        refuse(call)
        mode = call.integer("mode")
        if mode not in (0, 1, 2):
            raise call.error("mode", "0, 1 or 2")
        b: Lanes | Expr = call.expr("src1") if mode == 1 else read(call, "src1")
        return Select(
            call.mask(),
            mode,
            read(call, "dst"),
            _selection(call),
            read(call, "src0"),
            b,
            call.expr("repeat_times"),
            loc=call.loc,
        )

    return build


def _reduce(op: ReduceOp) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        refuse(call)
        return Reduce(
            op,
            call.mask(),
            call.operand("dst"),
            call.expr("dst_rep_stride"),
            strided_lanes(call, "src"),
            call.expr("repeat_times"),
            call.flag("index_low"),
            loc=call.loc,
        )

    return build


def _whole_reduce(op: WholeReduceOp) -> Callable[[Arguments], Instruction]:
    def build(call: Arguments) -> Instruction:
        return WholeReduce(
            op,
            call.mask(),
            call.operand("dst"),
            lanes(call, "src"),
            call.operand("work_tensor"),
            call.expr("repeat_times"),
            call.flag("cal_index"),
            loc=call.loc,
        )

    return build


def _pair_sum(call: Arguments) -> Instruction:
    src = lanes(call, "src")
    dst, stride = call.operand("dst"), call.expr("dst_rep_stride")
    return Reduce(
        ReduceOp.PAIR_SUM, call.mask(), dst, stride, src, call.expr("repeat_times"), loc=call.loc
    )


def _compact(call: Arguments) -> Instruction:
    refuse(call)
    pattern = call.values["src1_pattern"]
    is_tensor = isinstance(pattern, TensorValue)
    return Compact(
        call.mask(),
        call.operand("dst"),
        Lanes(call.operand("src0"), call.expr("src0_blk_stride"), call.expr("src0_rep_stride")),
        call.operand("src1_pattern") if is_tensor else call.expr("src1_pattern"),
        call.expr("repeat_times"),
        call.expr("src1_rep_stride"),
        call.scalar("rsvd_scalar").name if call.given("rsvd_scalar") else None,
        loc=call.loc,
    )


def _transpose_blocks(call: Arguments) -> Instruction:
    return TransposeBlocks(
        call.flag("dst_high_half"),
        call.flag("src_high_half"),
        call.operands("dst_list", 16),
        call.operands("src_list", 16),
        call.expr("repeat_times"),
        call.expr("dst_rep_stride"),
        call.expr("src_rep_stride"),
        loc=call.loc,
    )


def _comparisons() -> dict[str, Method]:
    two = "dst src0 src1 repeat_times"
    methods: dict[str, Method] = {}
    for op in CompareOp:
        vec = Method(f"{two} src0_rep_stride src1_rep_stride", _compare(op, lanes))
        methods[f"vec_cmpv_{op.value}"] = vec
        methods[f"vcmpv_{op.value}"] = Method(
            f"{two} src0_blk_stride src1_blk_stride src0_rep_stride src1_rep_stride "
            "stride_unit=0 mask_mode=? *",
            _compare(op, strided_lanes),
        )
        methods[f"vcmpvs_{op.value}"] = Method(
            "dst src scalar repeat_times src_blk_stride src_rep_stride stride_unit=0 mask_mode=? *",
            _compare_scalar(op),
        )
        methods[f"vcmp_{op.value}"] = Method(
            "mask src0 src1 src0_stride src1_stride *", _compare_to_mask(op)
        )
    return methods


_SELECT = "mask mode dst sel src0 src1 repeat_times"
_REDUCE = "mask dst src repeat_times dst_rep_stride src_blk_stride src_rep_stride stride_unit=0"
_WHOLE = "mask dst src work_tensor repeat_times src_rep_stride cal_index=0"
_BLOCKS = "dst_high_half src_high_half dst_list src_list repeat_times dst_rep_stride src_rep_stride"

LANE_METHODS: dict[str, Method] = {
    **_comparisons(),
    "mov_tensor_to_cmpmask": plain_method(LoadCompareMask, "src"),
    "mov_cmpmask_to_tensor": plain_method(StoreCompareMask, "dst", options="src_cmpmask"),
    "vec_sel": Method(
        f"{_SELECT} dst_rep_stride=0 src0_rep_stride=0 src1_rep_stride=0", _select(lanes)
    ),
    "vsel": Method(
        f"{_SELECT} dst_blk_stride=0 src0_blk_stride=0 src1_blk_stride=0 dst_rep_stride=0 "
        "src0_rep_stride=0 src1_rep_stride=0 stride_unit=0 mask_mode=? *",
        _select(strided_lanes),
    ),
    **{
        op.value: Method(f"{_REDUCE} index_low=0 max_cnt_index=! mask_mode=? *", _reduce(op))
        for op in ReduceOp
    },
    "vec_cpadd": Method("mask dst src repeat_times dst_rep_stride src_rep_stride", _pair_sum),
    **{op.value: Method(_WHOLE, _whole_reduce(op)) for op in WholeReduceOp},
    "vreduce": Method(
        "mask dst src0 src1_pattern repeat_times src0_blk_stride src0_rep_stride src1_rep_stride "
        "stride_unit=0 rsvd_scalar=? mask_mode=?",
        _compact,
    ),
    "vec_trans": plain_method(Transpose, "dst src", "repeat_times dst_rep_stride src_rep_stride"),
    "vtranspose": plain_method(Transpose, "dst src"),
    "vnchwconv": Method(f"{_BLOCKS} name=? *", _transpose_blocks),
    "vec_trans_scatter": Method(_BLOCKS, _transpose_blocks),
}
"""Comparisons, selections, reductions and transposes."""
