"""How calls that move data and drive the cube become instructions."""

from tilelang.backends.tik.instructions import (
    AtomicAdd,
    BroadcastToL0c,
    Conv2d,
    DataMove,
    DataMovePad,
    Expr,
    Fixpipe,
    Instruction,
    Load2d,
    Load3d,
    Matmul,
    Mmad,
    Operand,
    ScalarFunction,
    ScalarOp,
    Sync,
    SyncKind,
    TensorMove,
    TikType,
)
from tilelang.backends.tik.recorder.arguments import Arguments
from tilelang.backends.tik.recorder.tensors import TensorValue
from tilelang.backends.tik.recorder.vector_calls import Method, plain_method
from tilelang.diagnostics import Diagnostic, TileError


def _data_move(call: Arguments) -> Instruction:
    mode = call.extra[0] if call.extra else None
    return DataMove(
        call.operand("dst"),
        call.operand("src"),
        call.expr("nburst"),
        call.expr("burst"),
        call.expr("src_stride"),
        call.expr("dst_stride"),
        mode if isinstance(mode, int) and mode else None,
        loc=call.loc,
    )


def _data_move_pad(call: Arguments) -> Instruction:
    return DataMovePad(
        call.operand("dst"),
        call.operand("src"),
        call.expr("nburst"),
        call.expr("burst"),
        call.expr("dst_gap"),
        call.expr("src_gap"),
        call.expr("right_padding"),
        call.expr("left_padding"),
        call.expr("padding_value") if call.given("padding_value") else None,
        loc=call.loc,
    )


def _scale(call: Arguments, value: object) -> Expr | Operand | None:
    """Return a scale: a number, or a tensor of one value a column."""
    if value is None:
        return None
    if isinstance(value, TensorValue):
        return value.operand()
    return Arguments(call.method, {"scale": value}, call.loc).expr("scale")


def _tensor_move(call: Arguments) -> Instruction:
    mode = call.word("block_mode")
    if mode not in ("", "m"):
        message = f'tensor_mov: block_mode={mode!r} is not recorded; "" and "m" are'
        raise TileError(Diagnostic("E1214", message, call.loc))
    return TensorMove(
        call.operand("dst"),
        call.operand("src"),
        mode,
        call.expr("nburst"),
        call.expr("burst_len"),
        call.expr("dst_stride"),
        call.expr("src_stride"),
        _scale(call, call.values["deqscale"]),
        call.flag("relu"),
        loc=call.loc,
    )


def _fixpipe(call: Arguments) -> Instruction:
    given = call.values["extend_params"]
    options: dict[str, object] = dict(given) if isinstance(given, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    quantize = options.get("quantize_params")
    details: dict[str, object] = dict(quantize) if isinstance(quantize, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    extended = Arguments(call.method, {**options, **details}, call.loc)
    return Fixpipe(
        call.operand("dst"),
        call.operand("src"),
        call.expr("cburst_num"),
        call.expr("burst_len"),
        call.expr("dst_stride"),
        call.expr("src_stride"),
        extended.operand("bias") if extended.given("bias") else None,
        extended.operand("element-wise-add") if extended.given("element-wise-add") else None,
        extended.word("mode") if details else None,
        _scale(call, details.get("mode_param")),
        bool(options.get("relu", False)),
        loc=call.loc,
    )


def _load2d(call: Arguments) -> Instruction:
    return Load2d(
        call.operand("dst"),
        call.operand("src"),
        call.expr("index"),
        call.expr("repeat_times"),
        call.expr("src_stride"),
        call.flag("if_transpose"),
        call.expr("dst_gap") if "dst_gap" in call.values else None,
        loc=call.loc,
    )


def _load3d(call: Arguments) -> Instruction:
    left, right, top, bottom = call.exprs("pad", 4)
    return Load3d(
        call.operand("dst"),
        call.operand("src"),
        (left, right, top, bottom),
        call.expr("l1_h"),
        call.expr("l1_w"),
        call.expr("c1_index"),
        call.pair("fetch_filter"),
        call.pair("left_top"),
        call.pair("stride"),
        call.pair("filter"),
        call.pair("dilation_filter"),
        call.expr("jump_offset"),
        call.integer("repeat_mode"),
        call.expr("repeat_time"),
        call.expr("pad_value") if call.given("pad_value") else 0,
        loc=call.loc,
    )


def _matmul(call: Arguments) -> Instruction:
    return Matmul(
        call.operand("dst"),
        call.operand("a"),
        call.operand("b"),
        call.integer("m"),
        call.integer("k"),
        call.integer("n"),
        True if call.values["init_l1out"] is None else call.flag("init_l1out"),
        call.operand("bias") if call.given("bias") else None,
        loc=call.loc,
    )


def _conv2d(call: Arguments) -> Instruction:
    c1, height, width, c0 = call.integers("fm_shape", 4)
    k1, kernel_h, kernel_w, n_out, k0 = call.integers("kernel_shape", 5)
    left, right, top, bottom = call.integers("pad", 4)
    stride_h, stride_w = call.integers("stride", 2)
    dilation_h, dilation_w = call.integers("dilation", 2)
    pad_value = call.expr("pad_value")
    return Conv2d(
        call.operand("dst"),
        call.operand("feature_map"),
        call.operand("weight"),
        (c1, height, width, c0),
        (k1, kernel_h, kernel_w, n_out, k0),
        (stride_h, stride_w),
        (left, right, top, bottom),
        (dilation_h, dilation_w),
        pad_value if isinstance(pad_value, int | float) else 0,
        True if call.values["init_l1out"] is None else call.flag("init_l1out"),
        call.operand("bias") if call.given("bias") else None,
        loc=call.loc,
    )


_ATOMIC = {0: None, 1: "float32", 2: "float16", 3: "int16", 4: "int32", 5: "int8", 6: "bfloat16"}


def _set_atomic_add(call: Arguments) -> Instruction:
    mode = call.values["mode"]
    name = _ATOMIC.get(mode, mode) if isinstance(mode, int) else mode
    if name is None:
        return AtomicAdd(None, loc=call.loc)
    if name not in _ATOMIC.values():
        raise call.error("mode", "0 .. 6, or the name of a dtype")
    return AtomicAdd(TikType(name), loc=call.loc)


def _sync(kind: SyncKind) -> Method:
    def build(call: Arguments) -> Instruction:
        operand = next((v.operand() for v in call.extra if isinstance(v, TensorValue)), None)
        args = tuple(value for value in call.extra if isinstance(value, str | int))
        return Sync(kind, args, operand, loc=call.loc)

    return Method("*", build)


def _scalar_function(op: ScalarOp, signature: str, sources: tuple[str, ...]) -> Method:
    def build(call: Arguments) -> Instruction:
        return ScalarFunction(
            op,
            call.scalar("dst").target(),
            tuple(call.expr(name) for name in sources),
            call.word("round_mode") if "round_mode" in call.values else "",
            loc=call.loc,
        )

    return Method(signature, build)


_LOAD2D_TAIL = "if_transpose=0 addr_mode=!"

MOVE_METHODS: dict[str, Method] = {
    "data_move": Method("dst src sid nburst burst src_stride dst_stride *", _data_move),
    "data_move_pad": Method(
        "dst src nburst burst dst_gap src_gap right_padding=0 left_padding=0 padding_value=?",
        _data_move_pad,
    ),
    "tensor_mov": Method(
        "dst src block_mode nburst burst_len dst_stride src_stride deqscale=? sid_store_mode=! "
        "relu=0 pad_mode=! pad_value=! onthefly_mode=! *",
        _tensor_move,
    ),
    "broadcast_ub_to_l0c": plain_method(
        BroadcastToL0c, "dst src", "nburst burst_len src_gap dst_gap", "*"
    ),
    "fixpipe": Method(
        "dst src cburst_num burst_len dst_stride src_stride extend_params=?", _fixpipe
    ),
    "load2dv1": Method(f"dst src index repeat_times src_stride sid {_LOAD2D_TAIL}", _load2d),
    "load2dv2": Method(
        f"dst src index repeat_times dst_gap src_stride sid {_LOAD2D_TAIL}", _load2d
    ),
    "load3dv1": Method(
        "dst src pad l1_h l1_w c1_index fetch_filter_w fetch_filter_h left_top_w left_top_h "
        "stride_w stride_h filter_w filter_h dilation_filter_w dilation_filter_h jump_offset "
        "repeat_mode repeat_time _csize=! pad_value=?",
        _load3d,
    ),
    "mmad": plain_method(
        Mmad,
        "dst_fm src_fm src_filter",
        "matrix_m matrix_k matrix_n is_bias",
        "fm_offset=! en_weight_offset=! smask=! en_small_channel=! en_small_k=! en_ssparse=! "
        "en_winograd_a=! en_winograd_b=! bias_tensor=! *",
    ),
    "matmul": Method("dst a b m k n init_l1out=? bias=?", _matmul),
    "conv2d": Method(
        "dst feature_map weight fm_shape kernel_shape stride pad dilation pad_value=0 "
        "init_l1out=? bias=?",
        _conv2d,
    ),
    "set_atomic_add": Method("mode", _set_atomic_add),
    **{kind.value: _sync(kind) for kind in SyncKind},
    **{
        op.value: _scalar_function(op, "dst src0 src1", ("src0", "src1"))
        for op in (ScalarOp.MAX, ScalarOp.MIN)
    },
    **{
        op.value: _scalar_function(op, "dst src", ("src",))
        for op in ScalarOp
        if op not in (ScalarOp.MAX, ScalarOp.MIN, ScalarOp.CONVERT)
    },
    ScalarOp.CONVERT.value: _scalar_function(ScalarOp.CONVERT, "round_mode dst src", ("src",)),
}
"""Moves, cube work, scalar functions and ordering."""

# fmt: off
UNRECORDED = frozenset((
     "vmrgsort", "vsort32", "vcopy", "vci", "vbcb", "viou", "vaadd", "rpn_cor", "rpn_cor_diag",
     "vbi", "vcbd", "vmulconv", "vadddeqrelu", "vreducev2", "load3dv2", "mmad_broadcast",
     "data_move_multi_nd2nz", "tensor_padding_with_matrix", "set_l0_set_value", "TensorAddrList",
     "h_add", "h_sub", "h_mul", "h_div", "h_cast", "h_sel", "h_cmpv", "subblock_group_barrier",
     "block_barrier_all",
))
# fmt: on
"""Methods that TIK has and this recorder has not."""
