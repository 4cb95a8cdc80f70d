"""Shipped kernels: the script, its recording, the emulator and the strict executor agree."""

from typing import Any

import pytest

from tests.backends.tik.lower.running import assert_agrees
from tilelang.kernel import Kernel
from tilelang.kernels.batch_norm import batch_norm, batch_norm_training
from tilelang.kernels.conv2d import conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm import lstm
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.kernels.softmax import softmax
from tilelang.kernels.split_k_gemm import split_k_gemm

F16 = "float16"
HALVES = {"T": F16, "P": "float32"}
MAPS = {"T": F16, "Y": F16}
AROUND = {"pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1}
THREE = {"H": 9, "W": 7, "R": 3, "S": 3}


@pytest.mark.parametrize(
    ("m", "n", "k"),
    [(128, 128, 128), (256, 384, 64), (16, 1024, 48), (100, 96, 97), (17, 16, 1), (1, 1, 1),
     (130, 75, 40), (33, 7, 20), (5, 3, 2), (1, 200, 1), (140, 1, 3)],
)  # fmt: skip
def test_gemm_of_any_size(m: int, n: int, k: int) -> None:
    assert_agrees(gemm, dtype=F16, M=m, N=n, K=k)


def test_gemm_with_more_tiles_than_cores() -> None:
    assert_agrees(gemm, dtype=F16, M=112, N=96, K=32, m_tile=16, n_tile=16, k_tile=16)


@pytest.mark.parametrize("machine", ["ascend310", "ascend310p"])
@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (gemm, {"dtype": F16, "M": 33, "N": 40, "K": 17}),
        (linear, {"dtype": F16, "M": 33, "N": 40, "K": 17, "activation": 2}),
        (softmax, {"dtype": "float32", "M": 5, "N": 37}),
        (lstm_cell, {"dtype": F16, "B": 16, "I": 16, "H": 16}),
        (split_k_gemm, {"dtype": F16, "M": 20, "N": 24, "K": 130, "splits": 2}),
    ],
    ids=lambda value: value.name if isinstance(value, Kernel) else "",
)
def test_chips_without_a_barrier_or_with_less_functions(
    machine: str, kernel: Kernel, keywords: dict[str, Any]
) -> None:
    assert_agrees(kernel, machine, **keywords)


@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (gemm_bias_relu, {"dtype": F16, "M": 200, "N": 144, "K": 130}),
        (linear, {"dtype": F16, "M": 40, "N": 37, "K": 50, "activation": 0}),
        (linear, {"dtype": F16, "M": 17, "N": 48, "K": 16, "activation": 1}),
        (linear, {"dtype": F16, "M": 40, "N": 48, "K": 50, "activation": 2}),
        (split_k_gemm, {"dtype": F16, "M": 63, "N": 61, "K": 300, "splits": 3}),
        (softmax, {"dtype": F16, "M": 33, "N": 100}),
        (softmax, {"dtype": "float32", "M": 3, "N": 5}),
        (softmax, {"dtype": F16, "M": 3, "N": 2500}),
        (layer_norm, {"dtype": F16, "M": 9, "N": 100}),
        (layer_norm, {"dtype": "float32", "M": 5, "N": 37}),
        (layer_norm, {"dtype": F16, "M": 2, "N": 2100}),
        (batch_norm, {"dtype": HALVES, "N": 2, "C": 20, "H": 8, "W": 8}),
        (batch_norm_training, {"dtype": HALVES, "N": 2, "C": 20, "H": 5, "W": 7}),
        (lstm_cell, {"dtype": F16, "B": 20, "I": 48, "H": 64}),
        (lstm_cell, {"dtype": F16, "B": 17, "I": 13, "H": 19}),
        (lstm, {"dtype": F16, "S": 3, "B": 16, "I": 32, "H": 32}),
    ],
    ids=lambda value: value.name if isinstance(value, Kernel) else "",
)
def test_kernels_with_vector_work(kernel: Kernel, keywords: dict[str, Any]) -> None:
    assert_agrees(kernel, **keywords)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("int8", {"M": 64, "N": 64, "K": 100}),
        ("int8", {"M": 40, "N": 64, "K": 101, "b_zero": 4}),
        ("float16", {"M": 33, "N": 50, "K": 64}),
        ("float32", {"M": 16, "N": 24, "K": 31, "b_zero": -3}),
    ],
)
def test_quantised_products(kind: str, sizes: dict[str, Any]) -> None:
    assert_agrees(quantized_gemm, dtype={"Y": kind}, **sizes)


@pytest.mark.parametrize(
    "keywords",
    [
        {"dtype": MAPS, "N": 2, "C": 32, "O": 32, **THREE, **AROUND},
        {"dtype": MAPS, "N": 1, "C": 20, "O": 20, "stride_h": 2, "stride_w": 2, "pad_top": 1,
         "pad_left": 1, **THREE},
        {"dtype": MAPS, "N": 1, "C": 32, "H": 12, "W": 12, "O": 24, "R": 1, "S": 1, "relu": 1},
        {"dtype": {"T": F16, "Y": "float32"}, "N": 1, "C": 16, "H": 14, "W": 13, "O": 16, "R": 5,
         "S": 5, "pad_top": 2, "pad_left": 2, "dilation_h": 2},
        {"dtype": MAPS, "N": 1, "C": 16, "O": 32, "groups": 2, **THREE},
        {"dtype": {"T": "int8", "Y": "int32"}, "N": 1, "C": 40, "O": 24, **THREE},
    ],
    ids=["padded", "strided", "pointwise", "five-by-five", "grouped", "int8"],
)  # fmt: skip
def test_convolutions_in_blocked_layouts(keywords: dict[str, Any]) -> None:
    assert_agrees(conv2d_nc1hwc0, **keywords)
