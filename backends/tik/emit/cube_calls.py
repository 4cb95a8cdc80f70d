"""Moves and cube instructions as calls: (method, texts of the arguments)."""

from typing import assert_never

from tilelang.backends.tik.emit.expression import Texts
from tilelang.backends.tik.instructions import (
    BroadcastToL0c,
    Conv2d,
    Cube,
    DataMove,
    DataMovePad,
    Expr,
    Fixpipe,
    Load2d,
    Load3d,
    Matmul,
    Mmad,
    Operand,
    TensorMove,
    Transfer,
)

Parts = tuple[str, tuple[str, ...]]


def transfer_call(work: Transfer, texts: Texts) -> Parts:
    """Return the call of a move."""
    ends = (texts.operand(work.dst), texts.operand(work.src))
    counts = _values(texts, work.n_burst, work.burst)
    match work:
        case DataMove():
            gaps = _values(texts, work.src_gap, work.dst_gap)
            mode = [] if work.mode is None else [str(work.mode)]
            return "data_move", (*ends, "0", *counts, *gaps, *mode)
        case DataMovePad():
            return "data_move_pad", (*ends, *counts, *_pad_arguments(work, texts))
        case TensorMove():
            gaps = _values(texts, work.dst_gap, work.src_gap)
            tail = [] if work.deqscale is None else [f"deqscale={_scale(texts, work.deqscale)}"]
            tail += ["relu=True"] if work.relu else []
            return "tensor_mov", (*ends, f'"{work.block_mode}"', *counts, *gaps, *tail)
        case BroadcastToL0c():
            gaps = _values(texts, work.src_gap, work.dst_gap)
            return "broadcast_ub_to_l0c", (*ends, *counts, *gaps)
        case Fixpipe():
            gaps = _values(texts, work.dst_gap, work.src_gap)
            return "fixpipe", (*ends, *counts, *gaps, *_fixpipe_options(work, texts))
        case _:
            assert_never(work)


def _pad_arguments(work: DataMovePad, texts: Texts) -> list[str]:
    gaps = _values(texts, work.dst_gap, work.src_gap)
    paddings = _values(texts, work.right_padding, work.left_padding)
    if work.padding_value is not None:
        return [*gaps, *paddings, texts.value(work.padding_value)]
    return gaps if (work.right_padding, work.left_padding) == (0, 0) else [*gaps, *paddings]


def _fixpipe_options(work: Fixpipe, texts: Texts) -> list[str]:
    options: list[str] = []
    if work.bias is not None:
        options.append(f'"bias": {texts.operand(work.bias)}')
    if work.element_wise_add is not None:
        options.append(f'"element-wise-add": {texts.operand(work.element_wise_add)}')
    if work.quantize is not None:
        scale = "None" if work.scale is None else _scale(texts, work.scale)
        options.append(f'"quantize_params": {{"mode": "{work.quantize}", "mode_param": {scale}}}')
    if work.relu:
        options.append('"relu": True')
    return [f"extend_params={{{', '.join(options)}}}"] if options else []


def _scale(texts: Texts, scale: Expr | Operand) -> str:
    return texts.operand(scale) if isinstance(scale, Operand) else texts.value(scale)


def _values(texts: Texts, *exprs: Expr) -> list[str]:
    return [texts.value(expr) for expr in exprs]


def cube_call(work: Cube, texts: Texts) -> Parts:
    """Return the call of a load into L0 or of a product."""
    match work:
        case Load2d():
            return _load2d(work, texts)
        case Load3d():
            return _load3d(work, texts)
        case Mmad():
            operands = [texts.operand(item) for item in (work.dst, work.a, work.b)]
            return "mmad", (*operands, *_values(texts, work.m, work.k, work.n, work.accumulate))
        case Matmul():
            operands = [texts.operand(item) for item in (work.dst, work.a, work.b)]
            tail = _product_options(work, texts)
            return "matmul", (*operands, str(work.m), str(work.k), str(work.n), *tail)
        case Conv2d():
            return _conv2d(work, texts)
        case _:
            assert_never(work)


def _load2d(work: Load2d, texts: Texts) -> Parts:
    ends = (texts.operand(work.dst), texts.operand(work.src))
    counts = _values(texts, work.index, work.repeat)
    stride = texts.value(work.src_stride)
    flag = str(work.transpose)
    if work.dst_gap is None:
        return "load2dv1", (*ends, *counts, stride, "0", flag)
    return "load2dv2", (*ends, *counts, texts.value(work.dst_gap), stride, "0", flag)


def _load3d(work: Load3d, texts: Texts) -> Parts:
    named: list[tuple[str, Expr]] = [
        ("l1_h", work.height),
        ("l1_w", work.width),
        ("c1_index", work.c1),
    ]
    for name, (width, height) in (
        ("fetch_filter", work.fetch),
        ("left_top", work.left_top),
        ("stride", work.stride),
        ("filter", work.kernel),
        ("dilation_filter", work.dilation),
    ):
        named += [(f"{name}_w", width), (f"{name}_h", height)]
    named += [
        ("jump_offset", work.jump),
        ("repeat_mode", work.repeat_mode),
        ("repeat_time", work.repeat),
    ]
    if work.pad_value != 0:
        named.append(("pad_value", work.pad_value))
    pad = ", ".join(_values(texts, *work.pad))
    arguments = [f"{name}={texts.value(value)}" for name, value in named]
    ends = (texts.operand(work.dst), texts.operand(work.src))
    return "load3dv1", (*ends, f"pad=[{pad}]", *arguments)


def _conv2d(work: Conv2d, texts: Texts) -> Parts:
    operands = [texts.operand(item) for item in (work.dst, work.feature_map, work.weight)]
    lists = [
        f"{name}={list(values)}"
        for name, values in (
            ("fm_shape", work.map_shape),
            ("kernel_shape", work.kernel_shape),
            ("stride", work.stride),
            ("pad", work.pad),
            ("dilation", work.dilation),
        )
    ]
    value = [f"pad_value={work.pad_value}"] if work.pad_value else []
    return "conv2d", (*operands, *lists, *value, *_product_options(work, texts))


def _product_options(work: Matmul | Conv2d, texts: Texts) -> list[str]:
    options = [] if work.init else ["init_l1out=False"]
    return options if work.bias is None else [*options, f"bias={texts.operand(work.bias)}"]
