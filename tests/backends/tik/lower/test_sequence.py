"""Programs that are several kernels: cut by stages, run in turn, their tensors handed on."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tilelang as tl
from tests.backends.tik.lower.products import CHIP
from tests.backends.tik.lower.running import assert_agrees, inputs_of, run
from tests.correctness import assert_correct, logical
from tests.golden import Golden
from tests.programs import programs
from tilelang.backends.tik import BACKEND
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.lower import Kernel, lower_kernels, lower_program
from tilelang.ir.nodes import Program
from tilelang.kernels.batch_norm import batch_norm_training
from tilelang.kernels.conv2d import conv2d
from tilelang.kernels.gemm import gemm
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.kernels.split_k_gemm import split_k_gemm
from tilelang.machines import find_machine
from tilelang.passes import adapt

F16 = "float16"
REFUSALS = {"E0309", "E0312", "E0314", "E0336", "E0350", "E0380", "E1219", "E1230", "E1231",
            "E1232", "E1233", "E1235", "E1236", "E1237", "E1238", "E1239", "E1241", "E1242",
            "E1243", "E1245", "E1248"}  # fmt: skip
SIZES = st.integers(1, 70)


def kernels(kernel: tl.Kernel, machine: str = CHIP, **keywords: Any) -> tuple[Kernel, ...]:
    return lower_kernels(kernel.program(machine=machine, **keywords), find_machine(machine))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from((F16, "bfloat16", "float32")), SIZES, SIZES, SIZES, st.integers(0, 1))
def test_layers_of_any_size_agree(dtype: str, m: int, n: int, k: int, activation: int) -> None:
    sizes = {"M": m, "N": n, "K": k}
    assert_agrees(linear, CHIP, dtype=dtype, activation=activation, **sizes)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(programs())
def test_programs_are_refused_or_right(program: Program) -> None:
    inputs = inputs_of(program)
    try:
        adapted = adapt(program, find_machine(CHIP))
        found, _ = run(adapted, CHIP, inputs)
    except tl.TileError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} <= REFUSALS:
            return
        raise
    assert_correct(program, logical(program, inputs, results=False), found, BACKEND.numerics)


@pytest.mark.parametrize(
    ("kernel", "keywords"),
    [
        (gemm_bias_relu, {"dtype": F16, "M": 200, "N": 144, "K": 130}),
        (gemm_bias_relu, {"dtype": "bfloat16", "M": 17, "N": 16, "K": 5}),
        (linear, {"dtype": F16, "M": 40, "N": 37, "K": 50, "activation": 2}),
        (split_k_gemm, {"dtype": F16, "M": 63, "N": 64, "K": 300, "splits": 3}),
        (quantized_gemm, {"dtype": {"Y": "int8"}, "M": 64, "N": 64, "K": 100}),
        (quantized_gemm, {"dtype": {"Y": F16}, "M": 33, "N": 50, "K": 64}),
        (lstm_cell, {"dtype": F16, "B": 20, "I": 48, "H": 64}),
        (batch_norm_training, {"dtype": {"T": F16, "P": F16}, "N": 2, "C": 20, "H": 5, "W": 7}),
    ],
    ids=lambda value: value.name if isinstance(value, tl.Kernel) else "",
)
def test_kernels_of_several_stages_agree(kernel: tl.Kernel, keywords: dict[str, Any]) -> None:
    assert len(kernels(kernel, **keywords)) > 1
    assert_agrees(kernel, CHIP, **keywords)


def test_results_of_the_cube_are_handed_on_to_vector_work() -> None:
    cube, vector = kernels(gemm_bias_relu, dtype=F16, M=16, N=16, K=16)
    assert (cube.program.name, vector.program.name) == ("gemm_bias_relu_1", "gemm_bias_relu_2")
    assert (cube.inputs, cube.results) == (("a", "b"), ("acc_results",))
    assert (vector.inputs, vector.results) == (("bias", "acc_results"), ("c",))
    assert (cube.handed_on, vector.handed_on) == (("acc_results",), ())


@tl.kernel("x[M, N]: T -> y[M, N]: T")
def by_halves(x: tl.Tensor, y: tl.Tensor) -> None:
    half = x.shape[0] // 2
    for part in range(2):
        for _ in tl.cores(1):
            u = tl.alloc_ub((half, x.shape[1]), x.dtype)
            tl.data_move(u, x[part * half, 0])
            u[:] = u * 2
            tl.data_move(y[part * half, 0], u)


def test_a_kernel_adds_to_what_one_before_it_wrote() -> None:
    assert_agrees(by_halves, CHIP, dtype=F16, M=8, N=16)
    first, second = kernels(by_halves, dtype=F16, M=8, N=16)
    assert (first.inputs, first.handed_on) == (("x",), ("y",))
    assert (second.inputs, second.handed_on) == (("x", "y"), ())


def test_other_chips_keep_one_kernel() -> None:
    (kernel,) = kernels(gemm_bias_relu, "ascend910", dtype=F16, M=16, N=16, K=16)
    assert kernel.program.name == "gemm_bias_relu"


def test_a_script_has_a_function_for_each_kernel() -> None:
    text = gemm_bias_relu.source("tik", machine=CHIP, dtype=F16, M=16, N=16, K=16)
    assert text.startswith(
        '"""gemm_bias_relu_1, gemm_bias_relu_2: AI core programs for Ascend910B1'
    )
    assert text.count("from tbe import tik") == 1
    assert "def gemm_bias_relu_1(" in text
    assert "def gemm_bias_relu_2(" in text


def test_gemm_reads_as_a_person_would_write_it(golden: Golden) -> None:
    (kernel,) = kernels(gemm, dtype=F16, M=256, N=128, K=100)
    golden.check("tik/lower/gemm_910b.txt", emit(kernel.program, comments=True))


def test_a_bias_that_is_not_added_is_no_argument() -> None:
    sizes = {"N": 1, "C": 3, "H": 5, "W": 5, "O": 4, "R": 3, "S": 3, "biased": 0}
    dtypes = {"T": F16, "Y": F16}
    (found,) = kernels(conv2d, "ascend910", dtype=dtypes, **sizes)
    assert found.inputs == ("x", "w")
    program = conv2d.program(machine="ascend910", dtype=dtypes, **sizes)
    files = BACKEND.package(program, find_machine("ascend910"))
    assert not any("bias" in text.replace("biased", "") for text in files.values())


def test_one_operator_is_one_kernel() -> None:
    program = linear.program(machine=CHIP, dtype=F16, M=16, N=16, K=16)
    with pytest.raises(tl.TileError, match=r"E1249.*`linear` is 2 kernels .*linear_1, linear_2"):
        BACKEND.package(program, find_machine(CHIP))


def test_other_machines_are_refused() -> None:
    program = gemm.program(machine="host", dtype=F16, M=16, N=16, K=16)
    with pytest.raises(tl.TileError, match=r"E1219.*not for host"):
        lower_program(program, find_machine("host"))
