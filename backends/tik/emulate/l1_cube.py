"""matmul and conv2d: TIK's instructions from L1 to L1OUT."""

from collections.abc import Callable

import numpy as np

from tilelang.backends.tik.emulate.cube import (
    CubeOperand,
    check_cube_form,
    cube_operand,
    multiply,
    spread_shadow,
    store_product,
)
from tilelang.backends.tik.emulate.img2col import Geometry
from tilelang.backends.tik.emulate.numeric import Values
from tilelang.backends.tik.emulate.state import State, check_ranges, wrong_operand
from tilelang.backends.tik.instructions import Conv2d, Matmul, Operand, Scope


def plan_matmul(work: Matmul, state: State) -> Callable[[], None]:
    """Plan a product of matrices in L1."""
    m, k, n = work.m, work.k, work.n
    k0 = work.a.dtype.per_block
    check_ranges(
        work, (("m", m, 1, 4096), ("k", k, 1, 32768 // work.a.dtype.n_bytes), ("n", n, 1, 4096))
    )
    _check_scopes(work, state, work.a, work.b)
    check_cube_form(work, state, work.a, work.b, work.dst)
    m1, k1, n1 = -(-m // 16), -(-k // k0), -(-n // 16)
    a = cube_operand(work, state, work.a, "a", (k1, m1 * 16, k0))
    b = cube_operand(work, state, work.b, "b", (k1, n1 * 16, k0))
    c = cube_operand(work, state, work.dst, "dst", (n1, m1 * 16, 16))
    bias = _bias(work, state, n1)

    def run() -> None:
        left = a.values.transpose(1, 0, 2).reshape(m1 * 16, k1 * k0)[:m, :k]
        right = b.values.transpose(0, 2, 1).reshape(k1 * k0, n1 * 16)[:k, :n]
        product = multiply(left, right)
        if bias is not None:
            product = product + bias.values[:n]
        store_product(c, product, accumulates=not work.init)
        spread_shadow(work, state, (a, b, c), (m, k, n), accumulates=not work.init)

    return run


def _bias(work: Matmul | Conv2d, state: State, n1: int) -> CubeOperand | None:
    if work.bias is None:
        return None
    return cube_operand(work, state, work.bias, "bias", (n1 * 16,))


def _check_scopes(work: Matmul | Conv2d, state: State, a: Operand, b: Operand) -> None:
    for role, operand in (("the left operand", a), ("the right operand", b)):
        scope = state.buffers[operand.tensor].scope
        if scope is not Scope.L1:
            raise wrong_operand(work, f"{role} `{operand.tensor}` is in {scope}; it must be in L1")
    scope = state.buffers[work.dst.tensor].scope
    if not scope.is_accumulator:
        raise wrong_operand(
            work,
            f"dst `{work.dst.tensor}` is in {scope}; it must be in L1OUT",
            "declare it with scope=tik.scope_cbuf_out",
        )


def plan_conv2d(work: Conv2d, state: State) -> Callable[[], None]:
    """Plan a convolution of a map in L1 with weights in L1."""
    _check_scopes(work, state, work.feature_map, work.weight)
    check_cube_form(work, state, work.feature_map, work.weight, work.dst)
    c1, height, width, c0 = work.map_shape
    _, kernel_h, kernel_w, n_out, _ = work.kernel_shape
    geometry = Geometry(work.pad, (height, width), work.stride, (kernel_h, kernel_w), work.dilation)
    n_rows = (height + work.pad[2] + work.pad[3] - geometry.span[0]) // work.stride[0] + 1
    m, k = n_rows * geometry.windows_per_row, c1 * kernel_h * kernel_w * c0
    rows = -(-m // 16) * 16
    source = cube_operand(work, state, work.feature_map, "feature_map", work.map_shape)
    weight = cube_operand(work, state, work.weight, "weight", (c1 * kernel_h * kernel_w, n_out, c0))
    dst = cube_operand(work, state, work.dst, "dst", (n_out // 16, rows, 16))
    bias = _bias(work, state, n_out // 16)

    def run() -> None:
        left = _unfold(work, geometry, source.values, m, work.pad_value)
        right = weight.values.transpose(0, 2, 1).reshape(k, n_out)
        product = multiply(left, right)
        if bias is not None:
            product = product + bias.values
        store_product(dst, product, accumulates=not work.init)
        shadow = _unfold(work, geometry, source.shadow, m, 0)
        blocks = shadow.reshape(m, -1, c0).transpose(1, 0, 2)
        stand_in = CubeOperand(
            source.buffer, "feature_map", source.start, work.feature_map.dtype, (0,)
        )
        stand_in.shadow = blocks
        operands = (stand_in, weight, dst)
        spread_shadow(work, state, operands, (m, k, n_out), accumulates=not work.init)

    return run


def _unfold(
    work: Conv2d, geometry: Geometry, source: Values, m: int, pad_value: int | float
) -> Values:
    """Return the map as the matrix [m, (c1, kh, kw, c0)]."""
    left, right, top, bottom = work.pad
    padded = np.pad(
        source, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value
    )
    row, column = geometry.windows(-top, -left, m)
    kernel_h, kernel_w = geometry.kernel
    y = (row + top)[:, None, None] + (np.arange(kernel_h) * geometry.dilation[0])[:, None]
    x = (column + left)[:, None, None] + np.arange(kernel_w) * geometry.dilation[1]
    # [C1, m, kh, kw, C0] -> [m, C1, kh, kw, C0]
    return padded[:, y, x, :].transpose(1, 0, 2, 3, 4).reshape(m, -1)
