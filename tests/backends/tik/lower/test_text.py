"""Scripts: what they look like, and that recording one gives back what it was written from."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden import Golden
from tilelang.backends.tik.emit import emit
from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.lower import lower_program
from tilelang.backends.tik.recorder import record_source
from tilelang.kernel import Kernel
from tilelang.kernels.conv2d import conv2d_nc1hwc0
from tilelang.kernels.gemm import gemm
from tilelang.kernels.gemm_bias_relu import gemm_bias_relu
from tilelang.kernels.layer_norm import layer_norm
from tilelang.kernels.linear import linear
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.kernels.quantized_gemm import quantized_gemm
from tilelang.kernels.softmax import softmax
from tilelang.kernels.split_k_gemm import split_k_gemm
from tilelang.machines import find_machine

SIZES = st.integers(1, 300)
MACHINES = st.sampled_from(("ascend310", "ascend310p", "ascend910"))
PRODUCTS = st.sampled_from((gemm, gemm_bias_relu, linear, split_k_gemm))
NORMALISATIONS = st.sampled_from((softmax, layer_norm))


def comes_back(program: InstructionProgram) -> bool:
    return record_source(emit(program), program.name, soc=program.soc) == program


def columns(n: int) -> int:
    """Return `n`, or what leaves 16 columns or more to the last tile of 128."""
    return n + 16 if n > 128 and 0 < n % 128 < 16 else n


@settings(max_examples=25, deadline=None)
@given(PRODUCTS, MACHINES, SIZES, SIZES, SIZES)
def test_products_come_back(kernel: Kernel, machine: str, m: int, n: int, k: int) -> None:
    program = kernel.program(machine=machine, dtype="float16", M=m, N=columns(n), K=k)
    assert comes_back(lower_program(program, find_machine(machine)))


@settings(max_examples=10, deadline=None)
@given(NORMALISATIONS, st.sampled_from(("float16", "float32")), SIZES, SIZES)
def test_normalisations_come_back(kernel: Kernel, dtype: str, m: int, n: int) -> None:
    program = kernel.program(machine="ascend910", dtype=dtype, M=m, N=n)
    assert comes_back(lower_program(program, find_machine("ascend910")))


@pytest.mark.parametrize("kind", ["int8", "float16", "float32"])
def test_quantised_products_come_back(kind: str) -> None:
    sizes: dict[str, Any] = {"M": 40, "N": 50 if kind != "int8" else 64, "K": 70}
    program = quantized_gemm.program(machine="ascend910", dtype={"Y": kind}, **sizes)
    assert comes_back(lower_program(program, find_machine("ascend910")))


def test_gemm_reads_as_a_person_would_write_it(golden: Golden) -> None:
    program = gemm.program(machine="ascend910", dtype="float16", M=128, N=128, K=512)
    golden.check("tik/lower/gemm.txt", emit(lower_program(program, ASCEND), comments=True))


def test_tails_split_loops_and_barriers_as_text(golden: Golden) -> None:
    sizes = {"M": 40, "N": 44, "K": 50, "splits": 2, "m_tile": 32, "n_tile": 32, "k_tile": 32}
    program = split_k_gemm.program(machine="ascend910", dtype="float16", **sizes)
    golden.check("tik/lower/split_k_gemm.txt", emit(lower_program(program, ASCEND)))


def test_a_cell_and_a_convolution_as_text(golden: Golden) -> None:
    cell = lstm_cell.program(machine="ascend910", dtype="float16", B=16, I=16, H=16, m_tile=16)
    golden.check("tik/lower/lstm_cell.txt", emit(lower_program(cell, ASCEND)))
    sizes = {"N": 1, "C": 16, "H": 8, "W": 8, "O": 16, "R": 3, "S": 3, "pad_top": 1}
    dtypes = {"T": "float16", "Y": "float16"}
    convolution = conv2d_nc1hwc0.program(machine="ascend910", dtype=dtypes, **sizes)
    golden.check("tik/lower/conv2d.txt", emit(lower_program(convolution, ASCEND)))


ASCEND = find_machine("ascend910")
