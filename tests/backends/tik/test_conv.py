from typing import Any

import numpy as np
import pytest

from tests.backends.tik.conv_scripts import Case, conv_load3d, conv_tik
from tests.backends.tik.scripts import floats, tik_module
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record

CASES = [
    Case(1, 1, 1, 16, (1, 1)),
    Case(2, 7, 5, 32, (1, 1)),
    Case(1, 8, 8, 16, (3, 3), pad=1),
    Case(2, 9, 7, 16, (3, 3), stride=2, pad=1),
    Case(1, 6, 11, 32, (5, 3), pad=2),
    Case(1, 17, 3, 16, (2, 3), stride=3),
]


def whole_numbers(shape: tuple[int, ...], seed: int) -> Any:
    """Return numbers of which every sum here is exact in float16."""
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(np.float16)


def convolution(case: Case, x: Any, w: Any) -> Any:
    """Return the result [Cout / 16, positions, 16] by plain loops."""
    kh, kw = case.kernel
    x64 = np.pad(x.astype(np.float64), ((0, 0), (case.pad,) * 2, (case.pad,) * 2, (0, 0)))
    # FRACTAL_Z: [C1, Kh, Kw, Cout, C0]
    w64 = w.astype(np.float64).reshape(case.c1, kh, kw, case.n_out, 16)
    height, width = case.output
    result = np.zeros((height, width, case.n_out))
    for oh in range(height):
        for ow in range(width):
            top, left = oh * case.stride, ow * case.stride
            window = x64[:, top : top + kh, left : left + kw, :]
            result[oh, ow] = np.einsum("chwi,chwoi->o", window, w64)
    return result.reshape(-1, case.n_out // 16, 16).transpose(1, 0, 2)


@pytest.mark.parametrize("repeat_mode", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_load3d_and_mmad_convolve(case: Case, repeat_mode: int):
    x = whole_numbers((case.c1, case.height, case.width, 16), seed=1)
    kh, kw = case.kernel
    w = whole_numbers((case.c1 * kh * kw, case.n_out // 16, 16, 16), seed=2)
    got = emulate(record(conv_load3d, case, repeat_mode), {"x": x, "w": w}).outputs["y"]
    np.testing.assert_array_equal(got, convolution(case, x, w))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv2d_and_fixpipe_convolve(case: Case):
    x = whole_numbers((case.c1, case.height, case.width, 16), seed=3)
    w = whole_numbers((case.c1, *case.kernel, case.n_out, 16), seed=4)
    got = emulate(record(conv_tik, case), {"x": x, "w": w}).outputs["y"]
    np.testing.assert_array_equal(got, convolution(case, x, w))


def strided_gather(m: int, k: int) -> None:
    """a0 of a row-major matrix in L1 by load3d with a stride of a row; c = a @ ones."""
    tik = tik_module()
    t = tik.Tik()
    m1, k1 = -(-m // 16), k // 16
    a = t.Tensor("float16", (m, k), name="a", scope=tik.scope_gm)
    y = t.Tensor("float16", (m1, k1, 16, 16), name="y", scope=tik.scope_gm)
    a1 = t.Tensor("float16", (m1 * 16, k), name="a1", scope=tik.scope_cbuf)
    out = t.Tensor("float16", (m1, k1, 16, 16), name="out", scope=tik.scope_ubuf)
    t.data_move(a1, a, 0, m, k1, 0, 0)
    for i in range(m1):
        t.load3dv1(
            out[i * k1 * 256], a1, [0, 0, 0, 0], 1, m1 * 16 * k1, 0, 0, 0, i * 16 * k1, 0,
            k1, 1, k1, 1, 1, 1, 1, 0, k1,
        )  # fmt: skip
    t.data_move(y, out, 0, 1, m1 * k1 * 16, 0, 0)
    t.BuildCCE("gather", [a], [y])


def test_load3d_gathers_rows_of_a_plain_matrix():
    m, k = 48, 80
    a = floats((m, k), seed=5)
    got = emulate(record(strided_gather, m, k), {"a": a}).outputs["y"]
    wanted = a.reshape(m // 16, 16, k // 16, 16).transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(got, wanted)
