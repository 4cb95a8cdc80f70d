"""`conv2d` in both layouts, against its reference and against a sum written out tap by tap."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.correctness import checked
from tests.kernels.arrays import draw, wide
from tilelang.diagnostics import TileError
from tilelang.dtypes import DType
from tilelang.kernel import Kernel
from tilelang.kernels.conv2d import conv2d, conv2d_nc1hwc0, conv2d_reference
from tilelang.layouts import LayoutKind, layout_for
from tilelang.traffic import gm_traffic

Array = NDArray[Any]
Sizes = Mapping[str, int]

PAD = {"pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1}
CASES: dict[str, Sizes] = {
    "one": {"N": 1, "C": 1, "H": 1, "W": 1, "O": 1, "R": 1, "S": 1},
    "ragged": {"N": 2, "C": 20, "H": 15, "W": 17, "O": 33, "R": 3, "S": 3},
    "strided": {"N": 1, "C": 16, "H": 13, "W": 11, "O": 16, "R": 3, "S": 3, "stride_h": 2, **PAD},
    "uneven": {
        "N": 1,
        "C": 3,
        "H": 9,
        "W": 31,
        "O": 8,
        "R": 2,
        "S": 5,
        "pad_left": 4,
        "stride_w": 3,
    },
    "dilated": {"N": 1, "C": 7, "H": 19, "W": 12, "O": 5, "R": 3, "S": 2, "dilation_h": 4},
    "pointwise": {"N": 3, "C": 40, "H": 7, "W": 7, "O": 17, "R": 1, "S": 1, "relu": 1},
    "wide": {"N": 1, "C": 2, "H": 3, "W": 257, "O": 3, "R": 3, "S": 3, **PAD},
    "unbiased": {"N": 1, "C": 5, "H": 6, "W": 5, "O": 4, "R": 3, "S": 3, "biased": 0},
    "grouped": {"N": 1, "C": 5, "H": 9, "W": 9, "O": 21, "R": 1, "S": 1, "groups": 3},
    "depthwise": {"N": 2, "C": 1, "H": 9, "W": 8, "O": 12, "R": 3, "S": 3, "groups": 12, **PAD},
    "multiplier": {"N": 1, "C": 1, "H": 5, "W": 5, "O": 51, "R": 2, "S": 2, "groups": 3, "relu": 1},
}
DTYPES = [
    ("float16", "float16"),
    ("float16", "float32"),
    ("bfloat16", "bfloat16"),
    ("float32", "float32"),
    ("int8", "int32"),
]
DIMS = ("N", "C", "H", "W", "O", "R", "S")


def arguments(sizes: Sizes, dtype: str, result: str) -> tuple[Array, Array, Array, dict[str, int]]:
    """Return features, weights and bias as logical arrays, and the attributes."""
    n, c, h, w, o, r, s = (sizes[name] for name in DIMS)
    attributes = {name: value for name, value in sizes.items() if name not in DIMS}
    x = draw((n, c * sizes.get("groups", 1), h, w), dtype)
    bias = draw((o * sizes.get("biased", 1),), result, seed=2)
    if result == "int32":
        bias //= 8
    return x, draw((o, c, r, s), dtype, seed=1), bias, attributes


def run(kernel: Kernel, x: Array, w: Array, bias: Array, **keywords: Any) -> Array:
    """Return the logical result, checked; `conv2d_nc1hwc0` gets physical arrays."""
    if kernel is conv2d:
        return checked(conv2d, x, w, bias, **keywords)
    features = layout_for(LayoutKind.NC1HWC0, DType(str(x.dtype)))
    weights = layout_for(LayoutKind.FRACTAL_Z, DType(str(w.dtype)))
    sizes: dict[str, Any] = dict(zip("OCRS", w.shape, strict=True))
    packed = features.pack(x), weights.pack(w), bias
    y = checked(conv2d_nc1hwc0, *packed, **sizes, **keywords)
    maps = layout_for(LayoutKind.NC1HWC0, DType(str(bias.dtype)))
    return maps.unpack(y, (len(x), len(w), *y.shape[2:4]))


def complete(attributes: Sizes) -> dict[str, int]:
    defaults = {name: value for name, value in conv2d.attributes.items() if value is not None}
    return {**defaults, **attributes}


@pytest.mark.parametrize("kernel", [conv2d, conv2d_nc1hwc0], ids=["nchw", "nc1hwc0"])
@pytest.mark.parametrize(("dtype", "result"), DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_it_is_within_the_bound_of_its_sums(kernel: Kernel, case: str, dtype: str, result: str):
    x, w, bias, attributes = arguments(CASES[case], dtype, result)
    found = run(kernel, x, w, bias, **attributes)
    if result == "int32":
        expected = conv2d_reference(*wide(x, w, bias), **complete(attributes))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("case", CASES)
def test_the_reference_is_the_sum_of_the_definition(case: str):
    x, w, bias, attributes = arguments(CASES[case], "int8", "int32")
    at = complete(attributes)
    found = conv2d_reference(*wide(x, w, bias), **at)
    generator = np.random.default_rng(0)
    for _ in range(20):
        n, o, i, j = generator.integers(found.shape).tolist()
        group = o // (len(w) // at["groups"])
        total = int(bias[o]) if at["biased"] else 0
        for c, r, s in np.ndindex(w.shape[1:]):
            row = i * at["stride_h"] - at["pad_top"] + r * at["dilation_h"]
            column = j * at["stride_w"] - at["pad_left"] + s * at["dilation_w"]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                value = x[n, group * w.shape[1] + c, row, column]
                total += int(value) * int(w[o, c, r, s])
        assert found[n, o, i, j] == (max(total, 0) if at["relu"] else total)


@pytest.mark.parametrize(
    "tiles",
    [
        {"m_tile": 16, "o_tile": 16, "c_tile": 16, "k_tile": 16, "n_tiles": 1},
        {"m_tile": 48, "o_tile": 32, "c_tile": 16, "k_tile": 144, "n_tiles": 3},
        {"m_tile": 256, "o_tile": 64, "c_tile": 48, "k_tile": 48, "n_tiles": 64},
        {"n_tiles": 4, "l1_bytes": 1},
    ],
)
@pytest.mark.parametrize("groups", [1, 2])
def test_tiles_do_not_matter_to_exact_sums(tiles: Mapping[str, Any], groups: int):
    x = draw((2, 40 * groups, 9, 10), "int8")
    w, bias = draw((70, 40, 3, 3), "int8", seed=1), np.zeros(70, np.int32)
    keywords: dict[str, Any] = {"groups": groups, **PAD}
    expected = conv2d(x, w, bias, **keywords)
    np.testing.assert_array_equal(conv2d(x, w, bias, **keywords, **tiles), expected)


def test_groups_do_not_meet_even_where_one_is_infinite():
    x, w = np.ones((1, 6, 4, 4), np.float16), np.ones((4, 3, 2, 2), np.float16)
    x[:, 3:] = np.inf
    found = conv2d(x, w, np.zeros(4, np.float16), groups=2)
    np.testing.assert_array_equal(found[0, :2], np.full((2, 3, 3), 12))


@pytest.mark.parametrize("height", [2, 3])
def test_a_map_smaller_than_the_window_gives_no_rows(height: int):
    x, w = np.ones((1, 1, height, 4), np.float16), np.ones((1, 1, 3, 1), np.float16)
    assert conv2d(x, w, np.zeros(1, np.float16)).shape == (1, 1, height - 2, 4)


@pytest.mark.parametrize("groups", [0, 2])
def test_groups_that_do_not_divide_the_outputs_are_refused(groups: int):
    with pytest.raises(TileError, match=rf"E0142.*`w\[0\]` is 5 and groups is {groups}, wanted"):
        conv2d.program(N=1, C=1, H=1, W=1, O=5, R=1, S=1, dtype="float16", groups=groups)


@pytest.mark.parametrize("dtypes", [("int8", "float16"), ("float16", "int32"), ("int8", "int8")])
def test_dtypes_that_do_not_go_together_are_refused(dtypes: tuple[str, str]):
    features, results = dtypes
    with pytest.raises(TileError, match=rf"E0142.*`x` is {features} and `bias`.*{results}"):
        conv2d.program(N=1, C=1, H=1, W=1, O=1, R=1, S=1, dtype={"T": features, "Y": results})


@pytest.mark.parametrize(("n_tiles", "times"), [(1, 200), (6, 34)])
def test_the_tiles_of_a_core_share_its_weights(n_tiles: int, times: int):
    sizes = {"N": 8, "C": 64, "H": 56, "W": 56, "O": 64, "R": 3, "S": 3, **PAD}
    program = conv2d.program(**sizes, dtype="float16", machine="ascend910", n_tiles=n_tiles)
    assert gm_traffic(program)["w"].read == times * 64 * 64 * 9 * 2
