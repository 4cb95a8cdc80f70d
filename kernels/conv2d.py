"""Convolution of feature maps: `y = relu(x * w + bias)`, as implicit GEMM.

`y[n, o, i, j] = bias[o] + sum over c, r, s of
    x[n, g*C + c, i*stride_h - pad_top + r*dilation_h, j*stride_w - pad_left + s*dilation_w]
    * w[o, c, r, s]`, with `g` the group of output `o`; outside its maps x is zero.

| kernel | features | weights |
|---|---|---|
| `conv2d` | x[N, groups*C, H, W] as NCHW, y likewise | w[O, C, R, S] as OIHW |
| `conv2d_nc1hwc0` | NC1HWC0 | FRACTAL_Z; C, O, R and S are given by keyword |

x and w in float16, bfloat16, float32 (where the cube takes it) or int8; sums in float32 or int32.
`bias` has the dtype of y: float16 features may give float16 or float32. `biased=0` goes with an
empty one. Any kernel, stride, dilation, padding of each side, and groups that divide O.

The rows of the map that a tile of output positions needs are in L1, and `load3d` makes the columns
of the product from there: no column matrix is ever in GM. A core takes several such tiles, perhaps
of several images, with the same weights, which are then loaded once for all. Rows above and below
the map are overhang, which is zero; columns left and right are the window's own padding. One block
of channels of these rows, whole rows, must fit L1.

Groups: each group is a product of its own, of C channels (filled up to a block of 32 bytes) by
O/groups outputs (filled up to 16). So a depthwise convolution uses one row in 16 and one column in
16 of the cube in float16; it is right, and bound by the loads. On an Ascend, groups that begin
inside a block of channels are put into blocks of their own first.

Source: TIK reference, load3d; the implicit GEMM of the vendor's conv2d operator.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilelang as tl
from tilelang.convolution_tiles import Plan, convolution_tiles, plan_convolution
from tilelang.ir.nodes import Window

_SIGNATURE = (
    "x[N, groups*C, H, W]: T{features}, w[O, C, R, S]: T{weights}, bias[biased*O]: Y;"
    " stride_h, stride_w, pad_top, pad_bottom, pad_left, pad_right, dilation_h, dilation_w,"
    " groups, biased, relu"
    " -> y[N, O, (H + pad_top + pad_bottom - (R - 1)*dilation_h - 1) // stride_h + 1,"
    " (W + pad_left + pad_right - (S - 1)*dilation_w - 1) // stride_w + 1]: Y{features}"
)


def _trace(  # noqa: PLR0913 - what a convolution is made of
    x: tl.Tensor,
    w: tl.Tensor,
    bias: tl.Tensor,
    y: tl.Tensor,
    *,
    stride_h: int = 1,
    stride_w: int = 1,
    pad_top: int = 0,
    pad_bottom: int = 0,
    pad_left: int = 0,
    pad_right: int = 0,
    dilation_h: int = 1,
    dilation_w: int = 1,
    groups: int = 1,
    biased: bool = True,
    relu: bool = False,
    m_tile: int = 128,
    o_tile: int = 64,
    c_tile: int = 32,
    k_tile: int = 64,
    n_tiles: int = 4,
    l1_bytes: int = 1 << 20,
) -> None:
    """Convolve; some tiles of positions and one of outputs per core."""
    tl.require(
        y.dtype.is_float if x.dtype.is_float else y.dtype is tl.acc(x.dtype),
        f"`x` is {x.dtype} and `bias`, which y is like, {y.dtype}",
        "with floats pass a float bias, with int8 one of int32",
    )
    tl.require(
        groups > 0 and w.shape[0] % groups == 0,
        f"`w[0]` is {w.shape[0]} and groups is {groups}, wanted one or more groups that divide it",
        "pass weights with as many outputs for each group",
    )
    padding = (pad_top, pad_bottom, pad_left, pad_right)
    window = Window(
        (w.shape[2], w.shape[3]), (stride_h, stride_w), (dilation_h, dilation_w), padding
    )
    tiles = {"m_tile": m_tile, "o_tile": o_tile, "c_tile": c_tile, "k_tile": k_tile}
    tiles |= {"n_tiles": n_tiles, "l1_bytes": l1_bytes}
    plan = plan_convolution(x.shape, w.shape, x.dtype, window, groups=groups, tiles=tiles)
    _convolve((x, w, y), bias if biased else None, plan, relu=relu)


conv2d = tl.kernel(_SIGNATURE.format(features="", weights=""), name="conv2d")(_trace)
conv2d_nc1hwc0 = tl.kernel(
    _SIGNATURE.format(features=" @ NC1HWC0", weights=" @ FRACTAL_Z"), name="conv2d_nc1hwc0"
)(_trace)


@conv2d.tiles
@conv2d_nc1hwc0.tiles
def conv2d_tiles(
    dims: Mapping[str, int], dtypes: Mapping[str, tl.DType], machine: str
) -> dict[str, int]:
    """Return the tiles that `tilelang.convolution_tiles` chooses for the sizes."""
    return convolution_tiles(dims, dtypes["T"], machine)


def _convolve(
    tensors: tuple[tl.Tensor, tl.Tensor, tl.Tensor],
    bias: tl.Tensor | None,
    plan: Plan,
    *,
    relu: bool,
) -> None:
    """Write `y` of (x, w, y)."""
    x, w, y = tensors
    group_outputs = w.shape[0] // plan.groups
    n_in_all = x.shape[0] * plan.n_m if y.shape[2] * y.shape[3] else 0
    for first, j in tl.cores(tl.ceildiv(n_in_all, plan.n_tiles), plan.groups * plan.n_o):
        group, block = j // plan.n_o, j % plan.n_o
        output = group * group_outputs + block * plan.o_tile
        acc = tl.alloc_l0c((plan.n_tiles, plan.m_tile, plan.o_tile), tl.acc(x.dtype))
        for c in tl.for_range(plan.n_c, stages=min(plan.n_c, 2)):
            slab = (plan.c_tile, plan.slab_height, x.shape[3])
            features = tl.alloc_l1((plan.n_tiles, *slab), x.dtype)
            weights = tl.alloc_l1((plan.o_tile, plan.c_tile, *w.shape[2:]), w.dtype)
            tl.data_move(weights, w[output, c * plan.c_tile, 0, 0])
            for t in tl.for_range(plan.n_tiles):
                n, position = _place(first * plan.n_tiles + t, plan)
                hung_over = plan.window.padding[0] - plan.padding[0]
                row = position // plan.out_width * plan.window.stride[0] - hung_over
                channel = group * w.shape[1] + c * plan.c_tile
                tl.data_move(features[t, :, :, :], x[n, channel:, row:, :])
            _multiply(acc, features, weights, first, plan, is_first=c == 0)
        for t in tl.for_range(plan.n_tiles):
            out = _epilogue(acc[t, :, :], bias, output, y.dtype, relu=relu)
            _store(y, (*_place(first * plan.n_tiles + t, plan), output), out, block, plan)


def _place(number: tl.Index, plan: Plan) -> tuple[tl.Index, tl.Index]:
    """Return the image and the first position of a tile; past the last there is no such image."""
    return number // plan.n_m, number % plan.n_m * plan.m_tile


def _multiply(
    acc: tl.Tensor,
    features: tl.Tensor,
    weights: tl.Tensor,
    first: tl.Index,
    plan: Plan,
    *,
    is_first: tl.Condition,
) -> None:
    """Add to `acc` the products over one tile of channels, in steps of `plan.k_step` columns."""
    matrix = tl.as_matrix(weights)
    n_steps = matrix.shape[0] // plan.k_step
    for k in tl.for_range(n_steps, stages=2 if plan.n_tiles == 1 else 1):
        b0 = tl.alloc_l0b((plan.k_step, plan.o_tile), weights.dtype)
        tl.data_move(b0, matrix[k * plan.k_step, 0])
        for t in tl.for_range(plan.n_tiles, stages=min(plan.n_tiles, 2)):
            a0 = tl.alloc_l0a((plan.m_tile, plan.k_step), features.dtype)
            _, position = _place(first * plan.n_tiles + t, plan)
            tl.load3d(
                a0,
                features[t, :, :, :],
                kernel=plan.window.kernel,
                stride=plan.window.stride,
                dilation=plan.window.dilation,
                padding=plan.padding,
                row=position % plan.out_width,
                column=k * plan.k_step,
            )
            tl.mmad(acc[t, :, :], a0, b0, init=is_first & (k == 0))


def _epilogue(
    acc: tl.Tile, bias: tl.Tensor | None, first: tl.IndexLike, dtype: tl.DType, *, relu: bool
) -> tl.Tensor:
    """Return the tile of results: sums plus the bias of outputs from `first` on, and ReLU."""
    total = tl.alloc_ub(acc.shape, acc.dtype)
    out = tl.alloc_ub(acc.shape, dtype)
    tl.data_move(total, acc)
    if bias is not None:
        narrow = tl.alloc_ub((acc.shape[1],), dtype)
        addend = tl.alloc_ub((acc.shape[1],), acc.dtype)
        tl.data_move(narrow, bias[first])
        addend[:] = tl.cast(narrow, acc.dtype)
        total += addend
    if relu:
        total[:] = tl.relu(total)
    out[:] = tl.cast(total, dtype)
    return out


def _store(
    y: tl.Tensor,
    start: tuple[tl.IndexLike, tl.IndexLike, tl.IndexLike],
    out: tl.Tensor,
    block: tl.Index,
    plan: Plan,
) -> None:
    """Store `out` at (image, position, output) `start`; of a group's last block, what is its own.

    What hangs over the last group's outputs would be dropped; behind others lie the next group's.
    """
    n, position, output = start
    target = y.view((0,), (2, 3), (1,))[n, position:, output:]
    n_last = y.shape[1] // plan.groups - (plan.n_o - 1) * plan.o_tile
    if plan.groups == 1 or n_last == plan.o_tile:
        tl.data_move(target, out)
        return
    plain = tl.alloc_ub(out.shape, out.dtype)  # row-major, so columns can be cut anywhere
    tl.data_move(plain, out)
    with tl.if_scope(block == plan.n_o - 1):
        tl.data_move(target, plain[:, 0:n_last])
    with tl.else_scope():
        tl.data_move(target, plain)


@conv2d.reference
@conv2d_nc1hwc0.reference
def conv2d_reference(  # noqa: PLR0913 - what a convolution is made of
    x: NDArray[Any],
    w: NDArray[Any],
    bias: NDArray[Any],
    *,
    stride_h: int,
    stride_w: int,
    pad_top: int,
    pad_bottom: int,
    pad_left: int,
    pad_right: int,
    dilation_h: int,
    dilation_w: int,
    groups: int,
    biased: int,
    relu: int,
) -> NDArray[Any]:
    """Return the convolution of logical arrays in float64 (int64, wrapped to int32).

    One tap of the window at a time, all groups at once.
    """
    x = np.pad(x, ((0, 0), (0, 0), (pad_top, pad_bottom), (pad_left, pad_right)))
    height = (x.shape[2] - (w.shape[2] - 1) * dilation_h - 1) // stride_h + 1
    width = (x.shape[3] - (w.shape[3] - 1) * dilation_w - 1) // stride_w + 1
    x = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    taps = w.reshape(groups, -1, *w.shape[1:])
    y = np.zeros((x.shape[0], groups, taps.shape[1], height, width), x.dtype)
    for r, s in np.ndindex(w.shape[2:]):
        rows = slice(r * dilation_h, r * dilation_h + (height - 1) * stride_h + 1, stride_h)
        columns = slice(s * dilation_w, s * dilation_w + (width - 1) * stride_w + 1, stride_w)
        y += np.einsum("ngcij,goc->ngoij", x[..., rows, columns], taps[..., r, s], optimize=True)
    y = y.reshape(y.shape[0], -1, height, width)
    if biased:
        y = y + bias[:, None, None]
    if not np.issubdtype(y.dtype, np.floating):
        y = y.astype(np.int32)  # the wrap comes before the relu
    return np.maximum(y, 0) if relu else y
