"""Arguments that the shipped kernels do not document are refused, not answered wrongly."""

import pytest

import tilelang as tl
from tilelang.diagnostics import TileError
from tilelang.kernels.batch_norm import batch_norm, batch_norm_training
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.linear import linear
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.kernels.softmax import softmax

MAP = {"N": 2, "C": 3, "H": 4, "W": 5}
ROWS = {"M": 3, "N": 5}


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
@pytest.mark.parametrize(
    ("kernel", "sizes"),
    [
        (softmax, ROWS),
        (layer_norm, ROWS),
        (linear, {**ROWS, "K": 4}),
        (batch_norm, MAP),
        (batch_norm_training, MAP),
    ],
    ids=lambda value: value.name if isinstance(value, tl.Kernel) else "",
)
def test_integers_are_refused_where_results_are_not_whole(
    kernel: tl.Kernel, sizes: dict[str, int], dtype: str
):
    with pytest.raises(TileError, match=f"E0142.*`x` is {dtype}, wanted a float"):
        kernel.program(dtype=dtype, machine=None, **sizes)


@pytest.mark.parametrize(
    ("kernel", "sizes"), [(layer_norm, ROWS), (batch_norm, MAP), (batch_norm_training, MAP)]
)
def test_a_negative_epsilon_is_refused(kernel: tl.Kernel, sizes: dict[str, int]):
    with pytest.raises(TileError, match=r"E0142.*`epsilon` is -1e-05, wanted 0 or more"):
        kernel.program(dtype="float32", machine=None, epsilon=-1e-5, **sizes)


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_a_product_is_requantised_to_int8_or_to_a_float(dtype: str):
    with pytest.raises(TileError, match=f"E0142.*`offset`.* is {dtype}, wanted int8 or a float"):
        quantized_gemm.program(M=3, K=4, N=5, dtype=dtype)


@pytest.mark.parametrize("empty", ["N", "H", "W"])
def test_a_batch_without_points_has_no_mean(empty: str):
    with pytest.raises(TileError, match=r"E0142.*no points to take means of"):
        batch_norm_training.program(dtype="float16", machine=None, **{**MAP, empty: 0})
